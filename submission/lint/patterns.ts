/**
 * What is known of a word that a shell makes at run time: all of it, the parts that stand in the script, or nothing.
 * Whoever compares such words must not take "not known" for "different".
 */

export type Pattern =
  | { readonly kind: 'exact'; readonly text: string }
  /** Text that stands there, and holes for what is filled in when it runs. */
  | { readonly kind: 'parts'; readonly parts: readonly Part[] }
  | { readonly kind: 'unknown'; readonly hole: string; readonly id?: string };

/** A text, or a hole: what is written there, such as `$i` or `$(lava-self)`. */
export type Part = string | Hole;
export interface Hole {
  readonly hole: string;
  /** Two holes of the same id are filled with the same text. */
  readonly id?: string;
}

export const exact = (text: string): Pattern => ({ kind: 'exact', text });
/** What the id of a hole begins with that is a number, and not 0. */
export const NOT_ZERO = 'not zero';
/** Of a variable that is not set. */
export const unset: Pattern = { kind: 'exact', text: '' };
export const unknown = (hole: string, id?: string): Pattern => ({
  kind: 'unknown',
  hole,
  ...(id !== undefined && { id }),
});

/** One pattern of several, one behind the other. */
export function joined(patterns: readonly Pattern[]): Pattern {
  const [first] = patterns;
  if (patterns.length === 1 && first !== undefined) return first;
  if (patterns.every(({ kind }) => kind === 'exact'))
    return exact(patterns.map((one) => (one.kind === 'exact' ? one.text : '')).join(''));
  const parts = patterns.flatMap(partsOf);
  const merged: Part[] = [];
  for (const part of parts) {
    const last = merged.at(-1);
    if (part === '') continue;
    if (typeof part === 'string' && typeof last === 'string')
      merged[merged.length - 1] = last + part;
    else merged.push(part);
  }
  const [only] = merged;
  if (merged.length === 0) return exact('');
  if (merged.length === 1 && only !== undefined)
    return typeof only === 'string' ? exact(only) : { kind: 'unknown', ...only };
  return { kind: 'parts', parts: merged };
}

export function partsOf(pattern: Pattern): readonly Part[] {
  if (pattern.kind === 'exact') return [pattern.text];
  if (pattern.kind === 'parts') return pattern.parts;
  const { kind: _, ...hole } = pattern;
  return [hole];
}

/** A word without its first characters, which are known. */
export function withoutStart(text: Pattern, size: number): Pattern {
  if (text.kind === 'exact') return exact(text.text.slice(size));
  if (text.kind !== 'parts') return text;
  const [first = '', ...rest] = text.parts;
  return typeof first === 'string'
    ? joined([
        exact(first.slice(size)),
        ...rest.map(
          (part): Pattern =>
            typeof part === 'string' ? exact(part) : { kind: 'unknown', ...part },
        ),
      ])
    : text;
}

/** As a reader is told of it: the text, with what is not known as it is written in the script. */
export const patternText = (pattern: Pattern): string =>
  partsOf(pattern)
    .map((part) => (typeof part === 'string' ? part : part.hole))
    .join('');

/** Whether this text may be what the pattern stands for. */
export function couldBe(pattern: Pattern, text: string): boolean {
  if (pattern.kind === 'exact') return pattern.text === text;
  if (pattern.kind === 'unknown') return true;
  return fits(pattern.parts, text);
}

/** Left to right: a text part is looked for where the one before ended; the first and the last are bound to the ends. */
function fits(parts: readonly Part[], text: string): boolean {
  let at = 0;
  let isOpen = false;
  for (const [index, part] of parts.entries()) {
    if (typeof part !== 'string') {
      isOpen = true;
      continue;
    }
    const isLast = index === parts.length - 1;
    const found = isOpen ? (isLast ? text.length - part.length : text.indexOf(part, at)) : at;
    if (found < at || !text.startsWith(part, found)) return false;
    at = found + part.length;
    isOpen = false;
  }
  return isOpen || at === text.length;
}

/** Whether the two may stand for the same word: false only where it is certain that they do not. */
export function couldBeSame(a: Pattern, b: Pattern): boolean {
  if (a.kind === 'exact') return couldBe(b, a.text);
  if (b.kind === 'exact') return couldBe(a, b.text);
  const [first, second] = [partsOf(a), partsOf(b)];
  return (
    agree(first[0], second[0], (x, y) => x.startsWith(y)) &&
    agree(first.at(-1), second.at(-1), (x, y) => x.endsWith(y))
  );
}

function agree(
  a: Part | undefined,
  b: Part | undefined,
  includes: (long: string, short: string) => boolean,
): boolean {
  if (typeof a !== 'string' || typeof b !== 'string') return true;
  return includes(a, b) || includes(b, a);
}

export const isSamePattern = (a: Pattern, b: Pattern): boolean =>
  a === b ||
  (a.kind === 'exact' && b.kind === 'exact'
    ? a.text === b.text
    : a.kind === b.kind && patternKey(a) === patternKey(b));

/** The same pattern gives the same key. */
export const patternKey = (pattern: Pattern): string => JSON.stringify(partsOf(pattern));
