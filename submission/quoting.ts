/** How messages speak of what stands in somebody's document: quoted, cut, harmless to print, with near misses. */

import { withoutSecrets } from './addresses.ts';

/** Longer than any address. */
const ADDRESSES_CHARACTERS_MAX = 8_192;

/** A piece of somebody's document, safe to print: quoted, cut, on one line, nothing that moves a cursor. */
export function quote(given: string, charactersMax = 60): string {
  const text = withoutSecrets(given.slice(0, ADDRESSES_CHARACTERS_MAX));
  const characters = Array.from(text.slice(0, charactersMax * 2));
  const cut = text.length > charactersMax * 2 || characters.length > charactersMax;
  return printable(
    JSON.stringify(cut ? `${characters.slice(0, charactersMax - 1).join('')}…` : text),
  );
}

/** The text with every control, format and lone surrogate character written as an escape. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** The known word that was most likely meant; none when nothing is near. */
function nearest(word: string, known: readonly string[]): string | undefined {
  const wanted = word.slice(0, NEAR_CHARACTERS_MAX).toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known) {
    const away = distance(wanted, candidate.slice(0, NEAR_CHARACTERS_MAX).toLowerCase());
    if (away < least) [best, least] = [candidate, away];
  }
  return best;
}
const NEAR_CHARACTERS_MAX = 64;

/** How many letters to add, drop, change or swap with their neighbour (optimal string alignment). */
export function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(change, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** `a, b, c`, cut after WORDS_MAX of them. */
export function list(words: readonly string[]): string {
  const shown = words.slice(0, WORDS_MAX).map(printable).join(', ');
  return words.length > WORDS_MAX ? `${shown} and ${words.length - WORDS_MAX} more` : shown;
}
const WORDS_MAX = 20;

/** `did you mean "x"?`, or an empty text when nothing is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? '' : `did you mean ${quote(near)}?`;
}

/** Colours and cursor movements, titles, and single characters that no text holds. */
const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  /\x1b(?:\[[0-9;:<=>?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()*+][0-9A-Za-z]|[=>78cDEHMNOZ])|[\0\x07\x08]/g;

/** A line without what only a terminal sees. */
export const plainText = (line: string): string => line.replace(ESCAPES, '');
