/** What the parts of a word come to: texts, variables with their operators, sums, `$(...)`; not all of it may be known. */
import { sum } from './arithmetic.ts';
import { type GlobPart, globSource } from './globs.ts';
import { holdsSign } from './names.ts';
import { exact, joined, type Pattern, unknown, unset } from './patterns.ts';
import { asked, holeOf, takenOf } from './reads.ts';
import type { Expansion, Word, WordPart } from './shell-tree.ts';
import { scriptOf } from './source.ts';
import { lookedUp, together } from './variables.ts';
import type { Walk } from './walk.ts';

/** The text of a word where it is not split: in an assignment, behind `case`. */
export function textValue(walk: Walk, word: Word | null): Pattern {
  if (word === null) return exact('');
  return joined(word.parts.map((part) => partValue(walk, part, word)));
}

export function partValue(walk: Walk, part: WordPart, word: Word): Pattern {
  switch (part.kind) {
    case 'text':
      return exact(part.text);
    case 'variable':
      return variable(walk, part);
    case 'arithmetic':
      return arithmetic(walk, part.source);
    case 'command': {
      const out = walk.captured(part.body, word);
      if (out === undefined) return unknown(oneLine(part.source), `command ${walk.id()}`);
      return out.kind === 'exact' ? exact(out.text.replace(/\n+$/, '')) : out;
    }
    case 'other':
      if (part.body.length > 0) walk.captured(part.body, word);
      return unknown(oneLine(part.source));
  }
}

const oneLine = (source: string): string => source.replace(/\s+/g, ' ').slice(0, 60);

export function arithmetic(walk: Walk, source: string): Pattern {
  const plain = source.replace(/\$\{(\w+)\}|\$(\w+)|"/g, (all, a?: string, b?: string) =>
    all === '"' ? '' : (a ?? b ?? ''),
  );
  const asIs = `$((${oneLine(source)}))`;
  // `10#$n`: digits that are put together.
  if (/[$`]/.test(plain) || /#\$/.test(source)) return expandedSum(walk, source, asIs);
  const names = [...new Set(plain.match(/[A-Za-z_]\w*/g) ?? [])];
  const values = names.map((name) => lookedUp(walk, name) ?? exact(''));
  const isSet = /(?<![=!<>])=(?!=)|\+\+|--/.test(plain);
  const add = (known: readonly Pattern[]): Pattern => {
    const value = sum(
      plain,
      (name) => {
        const found = isSet ? (lookedUp(walk, name) ?? exact('')) : known[names.indexOf(name)];
        return found?.kind === 'exact' ? found.text : undefined;
      },
      (name, text) => {
        const set = text === undefined ? unknown(`$${name}`, `sum ${walk.id()}`) : exact(text);
        walk.scope.vars.set(name, set);
      },
    );
    return value === undefined ? unknown(asIs, `sum ${walk.id()}`) : exact(String(value));
  };
  return isSet ? add(values) : walk.lifted(values, asIs, add);
}

/** A sum with more than names in it: it is expanded as a word is, then counted. */
function expandedSum(walk: Walk, source: string, asIs: string): Pattern {
  const open = unknown(asIs, `sum ${walk.id()}`);
  const [only] = scriptOf(`"${source.replaceAll('"', '')}"`).body;
  const word = only?.kind === 'simple' ? only.words[0] : undefined;
  const text = word === undefined ? open : textValue(walk, word);
  if (text.kind !== 'exact' || /[$`]/.test(text.text)) return open;
  return arithmetic(walk, text.text);
}

function variable(walk: Walk, part: Expansion): Pattern {
  const { name, operator, source } = part;
  if (part.index !== '@' && part.index !== '*' && walk.scope.maps.has(name))
    return ofMap(walk, part);
  if (part.isIndirect || (part.index !== undefined && !/^[@*]$/.test(part.index))) {
    const one = element(walk, part);
    if (part.isLength) return lengthOf(one, source);
    const value = one ?? unknown(source);
    return operator === undefined ? value : operated(walk, part, one, value);
  }
  const all = part.isLength || operator !== undefined ? undefined : listed(walk, part);
  if (all !== undefined) return all;
  const found = lookedUp(walk, name);
  if (found === undefined && walk.scope.hasSourcedCache && /^[A-Za-z_]\w*$/.test(name)) {
    walk.readKey(exact(name), source);
    const expression = `^${name}=`;
    const taken = asked(walk, { expression, isOpen: false, needsValue: true });
    const value = holeOf(walk, undefined, taken);
    walk.scope.vars.set(name, value);
    return operator === undefined ? value : operated(walk, part, value, value);
  }
  if (part.isLength) {
    const { arrays, maps } = walk.scope;
    const size = maps.get(name)?.size ?? arrays.get(name)?.length;
    if (part.index !== undefined && size !== undefined) return exact(String(size));
    return lengthOf(found, source);
  }
  const value = found ?? unknown(`$${name}`, `env ${name}`);
  if (operator === undefined) return value;
  return operated(walk, part, found, value);
}

const lengthOf = (value: Pattern | undefined, source: string): Pattern =>
  value?.kind === 'exact' && !holdsSign(value.text)
    ? exact(String(value.text.length))
    : unknown(source);

/** `${a[*]}` in one word: all of them, a blank between each two. */
function listed(walk: Walk, { name, index }: Expansion): Pattern | undefined {
  if (index !== '@' && index !== '*') return undefined;
  const list = walk.scope.arrays.get(name);
  return list === undefined ? undefined : together(walk, list, index);
}

export function operated(
  walk: Walk,
  { name, operator = '', operand = '', operandWord, source }: Expansion,
  found: Pattern | undefined,
  value: Pattern,
): Pattern {
  const given = () => textValue(walk, operandWord ?? null);
  const isSet = found !== undefined && found !== unset;
  const isEmpty = !isSet || (found.kind === 'exact' && found.text === '');
  switch (operator) {
    // What nothing sets that was read has the value that the author foresaw for this.
    case ':-':
    case ':=':
    case '-':
    case '=': {
      const isUsed = operator.startsWith(':') ? isEmpty : !isSet;
      const out = isUsed ? given() : value;
      if (isUsed && operator.endsWith('=')) walk.scope.vars.set(name, out);
      return out;
    }
    case ':+':
    case '+':
      if (operator === ':+' ? isEmpty : !isSet) return exact('');
      return found?.kind === 'exact' ? given() : unknown(source);
    case ':?':
    case '?':
      return value;
    default:
      break;
  }
  const parts = globParts(walk, operandWord ?? null);
  const taken = takenOf(walk, value);
  if (taken !== undefined && /^[#%]/.test(operator)) {
    const isOfValue = operand.includes('=') && operator.startsWith('#');
    return holeOf(
      walk,
      undefined,
      isOfValue ? asked(walk, { ...taken.seek, needsValue: true }) : taken,
    );
  }
  return walk.lifted([value], source, ([of = value]) =>
    of.kind === 'exact'
      ? (changed(walk, of.text, { operator, operand, parts }) ?? unknown(source))
      : unknown(source),
  );
}

/** Of a longer text each beginning would be compared, and each is nearly as long. */
const TRIMMED_CHARS_MAX = 4_096;

function changed(
  walk: Walk,
  text: string,
  by: { operator: string; operand: string; parts: readonly GlobPart[] | undefined },
): Pattern | undefined {
  const { operator, operand, parts } = by;
  const glob = parts === undefined ? undefined : globSource(parts);
  // What a name looks like is not known, but that it has none of these characters.
  const isOfNames = !/^[#%]/.test(operator) || !/^(?:\[\^\]\*|\\?[\t :=/,;@])+$/.test(glob ?? '');
  if (holdsSign(text) && isOfNames) return undefined;
  switch (operator) {
    case '#':
    case '##':
    case '%':
    case '%%':
      if (glob === undefined || text.length > TRIMMED_CHARS_MAX) return undefined;
      return exact(trimmed(text, operator, new RegExp(`^(?:${glob})$`)));
    case ',,':
      return operand === '' ? exact(text.toLowerCase()) : undefined;
    case '^^':
      return operand === '' ? exact(text.toUpperCase()) : undefined;
    case ',':
      return operand === '' ? exact(text.slice(0, 1).toLowerCase() + text.slice(1)) : undefined;
    case '^':
      return operand === '' ? exact(text.slice(0, 1).toUpperCase() + text.slice(1)) : undefined;
    case ':': {
      const [from, size] = operand.split(':').map((one) => arithmetic(walk, one));
      if (from?.kind !== 'exact' || (size !== undefined && size.kind !== 'exact')) return undefined;
      const rest = text.slice(Number(from.text));
      return exact(size === undefined ? rest : rest.slice(0, Number(size.text)));
    }
    case '/':
    case '//':
    case '/#':
    case '/%': {
      const [from, to = ''] = operand.split('/');
      if (from === undefined || /[*?[$`\\'"]/.test(operand)) return undefined;
      if (operator === '/#')
        return exact(text.startsWith(from) ? to + text.slice(from.length) : text);
      if (operator === '/%')
        return exact(text.endsWith(from) ? text.slice(0, text.length - from.length) + to : text);
      if (from === '') return exact(text);
      return exact(
        operator === '//' ? text.replaceAll(from, () => to) : text.replace(from, () => to),
      );
    }
    default:
      return undefined;
  }
}

/** Without its shortest or longest beginning or end that fits. */
function trimmed(text: string, operator: string, glob: RegExp): string {
  const isStart = operator.startsWith('#');
  const isLongest = operator.length === 2;
  for (let i = 0; i <= text.length; i++) {
    const size = isLongest ? text.length - i : i;
    const piece = isStart ? text.slice(0, size) : text.slice(text.length - size);
    if (glob.test(piece)) return isStart ? text.slice(size) : text.slice(0, text.length - size);
  }
  return text;
}

/** `${facts[$k]}`. */
function ofMap(
  walk: Walk,
  { name, index = '0', source, operator, operandWord }: Expansion,
): Pattern {
  const map = walk.scope.maps.get(name);
  return walk.lifted([indexText(walk, index)], source, ([at = unknown(source)]) => {
    if (at.kind !== 'exact' || map === undefined) return unknown(source);
    const value = map.get(at.text) ?? unset;
    const isUsed =
      operator?.endsWith('-') && (value === unset || (value.kind === 'exact' && value.text === ''));
    if (isUsed) return textValue(walk, operandWord ?? null);
    return operator === undefined || operator.endsWith('-') ? value : unknown(source);
  });
}

/** One of an array, from its end where the number is below 0; `undefined`: not known. */
function element(walk: Walk, part: Expansion): Pattern | undefined {
  if (part.isIndirect) {
    const name = lookedUp(walk, part.name);
    return name?.kind === 'exact' ? lookedUp(walk, name.text) : undefined;
  }
  const list = walk.scope.arrays.get(part.name);
  if (part.name === 'BASH_SOURCE' && part.index === '0') return walk.bashSource;
  const index = arithmetic(walk, part.index ?? '0');
  return index.kind === 'exact' ? list?.at(Number(index.text)) : undefined;
}

/** A word as a pattern of `case`; `undefined`: not all of it is known. */
export function globParts(walk: Walk, word: Word | null): GlobPart[] | undefined {
  const out: GlobPart[] = [];
  for (const part of word?.parts ?? []) {
    if (part.kind === 'text') out.push({ text: part.text, isPlain: part.isQuoted });
    else if (part.kind === 'other' || word === null) return undefined;
    else {
      const value = partValue(walk, part, word);
      if (value.kind !== 'exact') return undefined;
      out.push({ text: value.text, isPlain: part.isQuoted });
    }
  }
  return out;
}

/** What stands between the brackets of a map: a word. */
export function indexText(walk: Walk, index: string): Pattern {
  const plain = index.replace(/^(["'])(.*)\1$/, '$2');
  const [, name] = /^\$\{?(\w+)\}?$/.exec(plain) ?? [];
  if (name !== undefined) return lookedUp(walk, name) ?? unknown(index, `env ${name}`);
  return /[$`\\]/.test(plain) ? unknown(index) : exact(plain);
}
