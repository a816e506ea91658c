/** Patterns of a shell, as in `case` and `${x#...}`: compared with words of which not all is known. */
import { holdsSign, sameText } from './names.ts';
import { couldBeSame, exact, type Pattern } from './patterns.ts';

/** A pattern: text that stands for itself, and text in which `*`, `?` and `[` have their meaning. */
export type GlobPart = { readonly text: string; readonly isPlain: boolean };

export function globSource(parts: readonly GlobPart[]): string | undefined {
  let source = '';
  for (const { text, isPlain } of parts) {
    if (isPlain) source += escaped(text);
    else {
      const part = globPart(text);
      if (part === undefined) return undefined;
      source += part;
    }
  }
  return source;
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

function globPart(text: string): string | undefined {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '*') out += '[^]*';
    else if (char === '?') out += '[^]';
    else if (char === '[') {
      const end = text.indexOf(']', i + 2);
      if (end < 0) out += '\\[';
      else {
        const set = text.slice(i + 1, end);
        if (set.includes('[')) return undefined;
        out += `[${set.replace(/^!/, '^').replace(/[\\]/g, '\\\\')}]`;
        i = end;
      }
    } else out += escaped(char);
  }
  return out;
}

/** Whether a word fits a pattern of `case`: `undefined`: it depends on what is not known. */
export function fitsGlob(
  word: Pattern,
  parts: readonly GlobPart[] | undefined,
): boolean | undefined {
  if (parts === undefined) return undefined;
  const literal = literalOf(parts);
  if (literal !== undefined) return sameWord(word, exact(literal));
  const source = globSource(parts);
  if (source === undefined) return undefined;
  if (/^(?:\[\^\]\*)+$/.test(source)) return true;
  if (word.kind !== 'exact') return undefined;
  if (holdsSign(word.text) || holdsSign(source)) return undefined;
  try {
    return new RegExp(`^${source}$`).test(word.text);
  } catch {
    return undefined;
  }
}

function literalOf(parts: readonly GlobPart[]): string | undefined {
  return parts.every(({ text, isPlain }) => isPlain || !/[*?[]/.test(text))
    ? parts.map(({ text }) => text).join('')
    : undefined;
}

/** Whether two words are the same; `undefined`: not known. */
export function sameWord(a: Pattern, b: Pattern): boolean | undefined {
  if (a.kind === 'exact' && b.kind === 'exact') return sameText(a.text, b.text);
  if (JSON.stringify(a) === JSON.stringify(b) && hasIds(a)) return true;
  return couldBeSame(a, b) ? undefined : false;
}

const hasIds = (pattern: Pattern): boolean =>
  pattern.kind === 'unknown'
    ? pattern.id !== undefined
    : pattern.kind === 'exact' ||
      pattern.parts.every((part) => typeof part === 'string' || part.id !== undefined);
