/**
 * Where each character of a YAML scalar stands in the file: a step of a definition may be a block, folded, quoted or
 * continued over lines, and whoever speaks of a line in it means the line of the file.
 *
 * YAML changes blanks and ends of lines only, but for escapes in quotes: so text and source are walked side by side.
 */

/** The offset at which the value of a scalar begins in the source: behind a quote, or below the `|` of a block. */
export function contentStart(source: string, start: number): number {
  const first = source.charAt(start);
  if (first === '"' || first === "'") return start + 1;
  if (first !== '|' && first !== '>') return start;
  const header = /^[|>][0-9+-]*[ \t]*(?:#[^\n]*)?\n/.exec(source.slice(start, start + 400));
  if (header === null) return start;
  const below = start + header[0].length;
  const blank = /^[ \t\n]*/.exec(source.slice(below, below + 10_000))?.[0].length ?? 0;
  return below + blank;
}

/**
 * @param start where the value begins, as `contentStart` gives it
 * @returns for each character of `text`, and for its end, an offset in `source`
 */
export function charPlaces(source: string, start: number, text: string): Int32Array {
  const places = new Int32Array(text.length + 1);
  const quote = quoteAt(source, start);
  let at = start;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (isBlank(char) && !isEscape(source, at, quote)) {
      places[i] = at;
      // An end of line is the source's own where it has one here: a line of a block keeps its line.
      if (char === '\n') at = behindLine(source, at);
      else if (isBlank(source.charAt(at))) at += 1;
      continue;
    }
    if (!isEscape(source, at, quote)) at = skipBlanks(source, at, char, quote);
    places[i] = at;
    at += widthAt(source, at, quote);
  }
  places[text.length] = at;
  return places;
}

const isBlank = (char: string): boolean => char === ' ' || char === '\t' || char === '\n';

function quoteAt(source: string, start: number): string {
  const before = source.charAt(start - 1);
  return before === '"' || before === "'" ? before : '';
}

const isEscape = (source: string, at: number, quote: string): boolean =>
  quote === '"' && source.charAt(at) === '\\' && source.charAt(at + 1) !== '\n';

/** To the next character of the source that is no blank: indentation and folded ends of lines are not of the text. */
function skipBlanks(source: string, from: number, wanted: string, quote: string): number {
  let at = from;
  while (source.charAt(at) !== wanted && at < source.length) {
    const char = source.charAt(at);
    const isContinued = quote === '"' && char === '\\' && source.charAt(at + 1) === '\n';
    if (!isBlank(char) && !isContinued) break;
    at += 1;
  }
  return at;
}

function behindLine(source: string, at: number): number {
  let end = at;
  while (source.charAt(end) === ' ' || source.charAt(end) === '\t') end += 1;
  return source.charAt(end) === '\n' ? end + 1 : at;
}

/** How many characters of the source stand for one of the text. */
function widthAt(source: string, at: number, quote: string): number {
  if (quote === "'" && source.startsWith("''", at)) return 2;
  if (!isEscape(source, at, quote)) return 1;
  const letter = source.charAt(at + 1);
  return 2 + (letter === 'x' ? 2 : letter === 'u' ? 4 : letter === 'U' ? 8 : 0);
}
