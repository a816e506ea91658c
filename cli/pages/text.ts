/** Words on a page: widths, wrapping, times and lists, for people. Nothing here lets a board move the cursor. */
import { printable } from '../../submission/quoting.ts';

/** How many terminal columns the text takes: wide characters two, combining marks none. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

const NARROW = /^[\x20-\x7e]$/;
const NONE = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]$/u;

function characterWidth(character: string): number {
  if (NARROW.test(character)) return 1;
  if (NONE.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Breaks a text into lines of at most `width` columns, between words where that is possible. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of printable(text).split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (textWidth(joined) <= width) {
      line = joined;
      continue;
    }
    if (line.trim() !== '') lines.push(line.trimEnd());
    const parts = splitWord(word, width);
    line = parts.pop() ?? '';
    lines.push(...parts);
  }
  return [...lines, line.trimEnd()];
}

/** After one of these a long word is broken rather than in the middle. */
const BREAKS_AFTER = /[-_./:,=]/;

function splitWord(word: string, width: number): string[] {
  const parts: string[] = [];
  let part = '';
  /** Up to where the part may be broken, in UTF-16 units. */
  let good = 0;
  for (const character of word) {
    if (part !== '' && textWidth(part) + characterWidth(character) > width) {
      const cut = textWidth(part.slice(0, good)) * 2 > width ? good : part.length;
      parts.push(part.slice(0, cut));
      part = part.slice(cut);
      good = 0;
    }
    part += character;
    if (BREAKS_AFTER.test(character)) good = part.length;
  }
  return [...parts, part];
}

/**
 * `head` once, then the text beside it, each line at most `columns` wide and ended by a newline. Beside a head that
 * leaves no room for it the text stands under it.
 */
export function hang(head: string, text: string, columns: number): string {
  const indent = textWidth(head);
  const room = columns - indent;
  if (room < HANG_COLUMNS_MIN && textWidth(printable(text)) > room) {
    const title = head.trim() === '' ? [] : wrapText(head.trimEnd(), columns);
    const lines = wrapText(text, Math.max(1, columns - UNDER_INDENT.length));
    return [...title, ...lines.map((line) => `${UNDER_INDENT}${line}`)].join('\n').concat('\n');
  }
  const lines = wrapText(text, room);
  return lines.map((line, at) => `${at === 0 ? head : ' '.repeat(indent)}${line}\n`).join('');
}
const HANG_COLUMNS_MIN = 20;
const UNDER_INDENT = '    ';

/** `head` and a sentence beside it, then the lines that belong to it a step further in. */
export function hangLines(head: string, lines: readonly string[], columns: number): string {
  const [first = '', ...more] = lines;
  const under = ' '.repeat(textWidth(head) + 2);
  return hang(head, first, columns) + more.map((line) => hang(under, line, columns)).join('');
}

/** Why something ended: the first line after `head`, those after it as they are where they are not too long. */
export function failureText(head: string, message: string, columns: number): string {
  const [first = '', ...more] = message.split('\n');
  const rest = more.map((line) =>
    textWidth(line) > columns ? hang('', line, columns) : `${line}\n`,
  );
  return [hang(head, first, columns), ...rest].join('');
}

/** `a, b, c and 4 more`. */
export function names(all: readonly string[], shownMax = NAMES_SHOWN_MAX): string {
  const shown = all.slice(0, shownMax).map(printable).join(', ');
  return all.length > shownMax ? `${shown} and ${all.length - shownMax} more` : shown;
}
const NAMES_SHOWN_MAX = 6;

/** `1 board`, `2 boards`. */
export const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;

/** The reader's own time of day, `14:03:59`. */
export function timeOfDay(at: string | number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
}

/** The same with milliseconds, for what is compared: `14:03:59.007`. */
export function preciseTimeOfDay(at: string | number): string {
  return `${timeOfDay(at)}.${String(new Date(at).getMilliseconds()).padStart(3, '0')}`;
}

/** The reader's own date and time, `2026-08-01 14:03:59`. */
export function dateAndTime(at: string | number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${timeOfDay(at)}`;
}

const two = (part: number): string => String(part).padStart(2, '0');
