/** The fields of a command's words: what is split, what is a list, and the braces of bash. */
import { arithmetic, operated, partValue } from './expansions.ts';
import { exact, joined, type Pattern } from './patterns.ts';
import type { Word, WordPart } from './shell-tree.ts';
import type { Field, Walk } from './walk.ts';

export function fieldsOf(walk: Walk, words: readonly Word[]): readonly Field[] {
  const out: Field[] = [];
  for (const word of words)
    if (word.plain !== undefined) out.push({ value: exact(word.plain), isOpen: false, word });
    else if (!word.source.includes('{')) out.push(...fieldsOfWord(walk, word));
    else for (const one of braced(walk, word)) out.push(...fieldsOfWord(walk, one));
  return out;
}

function fieldsOfWord(walk: Walk, word: Word): Field[] {
  const fields: Pattern[][] = [];
  let current: Pattern[] | undefined;
  let isOpen = false;
  const add = (pattern: Pattern) => {
    current ??= [];
    current.push(pattern);
  };
  const end = () => {
    if (current !== undefined) fields.push(current);
    current = undefined;
  };
  for (const part of word.parts) {
    const list = listOf(walk, part);
    if (list !== undefined) {
      for (const [index, one] of list.entries()) {
        if (index > 0) end();
        add(one);
      }
      continue;
    }
    const value = partValue(walk, part, word);
    if (isList(part)) isOpen = true;
    if (part.kind === 'text') {
      if (!part.isQuoted && /[*?]|\[.*\]/.test(part.text)) isOpen = true;
      add(value);
    } else if (part.kind === 'other' || part.isQuoted) add(value);
    else if (value.kind === 'exact') isOpen = splitInto(walk, value.text, add, end) || isOpen;
    else {
      isOpen = true;
      add(value);
    }
  }
  end();
  return fields.map((parts) => ({ value: joined(parts), isOpen, word }));
}

/** @returns whether it cannot be told how the text is split */
function splitInto(
  walk: Walk,
  text: string,
  add: (pattern: Pattern) => void,
  end: () => void,
): boolean {
  const ifs = walk.scope.vars.get('IFS');
  const separators = ifs === undefined ? ' \t\n' : ifs.kind === 'exact' ? ifs.text : undefined;
  if (separators === undefined) {
    add(exact(text));
    return true;
  }
  let word = '';
  for (const char of text) {
    if (!separators.includes(char)) {
      word += char;
      continue;
    }
    if (word !== '') add(exact(word));
    end();
    word = '';
  }
  if (word !== '') add(exact(word));
  return /[*?]/.test(text);
}

/** Of which nobody knows how many words it is. */
const isList = (part: WordPart): boolean =>
  part.kind === 'variable' && !part.isLength && (part.name === '@' || part.index === '@');

/** `$@` and `${a[@]}`: one field each, or those of them that are asked for, each as it is changed. */
function listOf(walk: Walk, part: WordPart): readonly Pattern[] | undefined {
  if (part.kind !== 'variable' || part.isLength) return undefined;
  const list = wholeList(walk, part);
  const { operator, operand = '' } = part;
  if (list === undefined || operator === undefined) return list;
  if (operator === ':') {
    const isArgs = part.name === '@' || part.name === '*';
    return sliced(walk, isArgs ? [walk.scope.scriptName, ...list] : list, operand);
  }
  if (/^:?[-=?+]$/.test(operator))
    return list.length > 0 && !operator.endsWith('+') ? list : undefined;
  return list.map((one) => operated(walk, part, one, one));
}

/** `${a[@]:1:2}`; `undefined`: nobody knows from where to where. */
function sliced(
  walk: Walk,
  list: readonly Pattern[],
  operand: string,
): readonly Pattern[] | undefined {
  const [from, size] = operand.split(':').map((one) => arithmetic(walk, one));
  if (from?.kind !== 'exact' || (size !== undefined && size.kind !== 'exact')) return undefined;
  const start = Number(from.text) < 0 ? list.length + Number(from.text) : Number(from.text);
  if (start < 0) return [];
  const count = size === undefined ? list.length : Number(size.text);
  return count < 0 ? undefined : list.slice(start, start + count);
}

function wholeList(walk: Walk, part: Extract<WordPart, { kind: 'variable' }>) {
  if (part.name === '@' || (part.name === '*' && !part.isQuoted))
    return walk.scope.args ?? undefined;
  if (part.index !== '@' && (part.index !== '*' || part.isQuoted)) return undefined;
  const map = walk.scope.maps.get(part.name);
  if (map !== undefined)
    return part.isIndirect ? [...map.keys()].map((key) => exact(key)) : [...map.values()];
  const list = walk.scope.arrays.get(part.name);
  return part.isIndirect ? list?.map((_, index) => exact(String(index))) : list;
}

const BRACES = /\{([^{}]*,[^{}]*|-?\d+\.\.-?\d+)\}/;
const BRACES_MAX = 10_000;

/** `{1..3}` and `{a,b}`, as bash does; another shell takes them as they are. */
function braced(walk: Walk, word: Word): Word[] {
  const isBraced = (part: WordPart) =>
    part.kind === 'text' && !part.isQuoted && BRACES.test(part.text);
  const at = word.parts.findIndex(isBraced);
  const part = word.parts[at];
  if (part?.kind !== 'text') return [word];
  if (!walk.isBash) {
    walk.open('word', word);
    return [word];
  }
  const found = BRACES.exec(part.text);
  if (found === null) return [word];
  const [all, inner = ''] = found;
  const before = part.text.slice(0, found.index);
  const after = part.text.slice(found.index + all.length);
  return choices(inner).flatMap((choice) =>
    braced(walk, {
      ...word,
      parts: word.parts.map((one, i) =>
        i === at ? { ...part, text: `${before}${choice}${after}` } : one,
      ),
    }),
  );
}

function choices(inner: string): string[] {
  const [from, to] = inner.split('..').map(Number);
  if (inner.includes(',') || from === undefined || to === undefined) return inner.split(',');
  const size = Math.min(Math.abs(to - from) + 1, BRACES_MAX);
  return Array.from({ length: size }, (_, i) => String(from + (to < from ? -i : i)));
}
