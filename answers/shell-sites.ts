/**
 * Where a script's text speaks of a verb, for a call that is known to have been made: which of its lines can it have been?
 * Words are patterns, because ids are built at run time. What a script *would* call is the call graph's to say.
 */

/** A word of a script: its literal parts, between them what only the shell knows. */
export type Pattern = readonly string[];

export interface Site {
  /** From 1. */
  readonly line: number;
  /** Where the verb's name begins, in bytes of the text. */
  readonly offset: number;
  /** `wait`, or empty where the name itself is built at run time. */
  readonly verb: string;
  readonly words: readonly Pattern[];
}

const VERB =
  /(?:^|[^\w-])((?:[\w./${}-]*\/)?lava-(send|wait-all|wait|sync|test-raise|test-case))(?![\w.-])/g;
const COMMENT = /^(?:[^'"\\#]|\\.|'[^']*'|"(?:[^"\\]|\\.)*"|(?<=\S)#)*?(?:(?<=\s)|^)#/;
const WORDS_MAX = 32;

/** All of them, in the order of the text. */
export function sitesOf(text: string): Site[] {
  const sites: Site[] = [];
  let start = 0;
  for (const [index, line] of text.split('\n').entries()) {
    const comment = COMMENT.exec(line)?.[0].length;
    const code = comment === undefined ? line : line.slice(0, comment - 1);
    for (const found of code.matchAll(VERB)) {
      const at = found.index + found[0].length;
      // A line that ends in a backslash goes on, one that ends in a comment does not.
      const behind =
        comment === undefined
          ? text.slice(start + at, start + at + REST_CHARACTERS_MAX)
          : code.slice(at);
      const rest = behind.replace(/\\\r?\n/g, ' ');
      const quote = quoteAt(code, at);
      // `"$BIN/lava-sync" x`: the name alone stands in quotes.
      const isName = quote !== '' && rest.startsWith(quote);
      sites.push({
        line: index + 1,
        offset: Buffer.byteLength(text.slice(0, start + found.index), 'utf8'),
        verb: found[2] ?? '',
        words: isName ? wordsOf(rest.slice(1)) : wordsOf(...inQuotes(rest, quote)),
      });
    }
    start += line.length + 1;
  }
  return sites;
}
const REST_CHARACTERS_MAX = 4_096;

/** Which quotes are open at a place of a line; empty: none. */
function quoteAt(line: string, at: number): string {
  let quote = '';
  for (let i = 0; i < at; i++) {
    const c = line[i] ?? '';
    if (c === '\\' && quote !== "'") i += 1;
    else if ((c === '"' || c === "'") && (quote === '' || quote === c))
      quote = quote === '' ? c : '';
  }
  return quote;
}

/** A command within quotes, as the shell that is given it reads it, and what ends it. */
function inQuotes(text: string, quote: string): [text: string, end: string] {
  if (quote !== '"') return [text, quote];
  const end = /(?<!\\)"/.exec(text)?.index ?? text.length;
  return [text.slice(0, end).replace(/\\(["$`\\])/g, '$1'), ''];
}

/** The words of a command up to its end, as patterns. `end`: the quote that it stands in. */
export function wordsOf(text: string, end = ''): Pattern[] {
  const words: Pattern[] = [];
  let parts: string[] | undefined;
  let quote = '';
  const add = (literal: string) => {
    parts ??= [''];
    parts[parts.length - 1] += literal;
  };
  const hole = () => {
    parts ??= [''];
    parts.push('');
  };
  const endWord = () => {
    if (parts !== undefined) words.push(parts);
    parts = undefined;
  };
  for (let at = 0; at < text.length && words.length < WORDS_MAX; at++) {
    const c = text[at] ?? '';
    if (c === end && quote === '') break;
    if (quote === "'") {
      if (c === "'") quote = '';
      else add(c);
    } else if (c === '\\') {
      at += 1;
      add(text[at] ?? '');
    } else if (c === '$' || c === '`') {
      hole();
      at = endOfExpansion(text, at);
    } else if (c === '"' || c === "'") {
      if (quote === c) quote = '';
      else if (quote === '') {
        quote = c;
        add('');
      } else add(c);
    } else if (quote !== '') add(c);
    else if (/[\n;&|()<>]/.test(c)) break;
    else if (/\s/.test(c)) endWord();
    else add(c);
  }
  endWord();
  return words;
}

/** Where `$x`, `${x}`, `$(x)`, `$((x))` or `` `x` `` ends. */
function endOfExpansion(text: string, at: number): number {
  if (text[at] === '`') {
    const end = text.indexOf('`', at + 1);
    return end === -1 ? text.length : end;
  }
  const open = text[at + 1];
  if (open === '(' || open === '{') {
    const close = open === '(' ? ')' : '}';
    let depth = 0;
    for (let i = at + 1; i < text.length; i++) {
      if (text[i] === open) depth += 1;
      if (text[i] === close) depth -= 1;
      if (depth === 0) return i;
    }
    return text.length;
  }
  const name = /^[A-Za-z_]\w*|^[@*#?$!0-9-]/.exec(text.slice(at + 1))?.[0] ?? '';
  return at + name.length;
}

/** How many of its characters the pattern says for certain, if the word can have come of it; else `undefined`. */
export function matched(pattern: Pattern, word: string): number | undefined {
  if (pattern.length === 1) return pattern[0] === word ? word.length + 1 : undefined;
  let at = 0;
  for (const [index, part] of pattern.entries()) {
    const isLast = index === pattern.length - 1;
    const found =
      index === 0
        ? word.startsWith(part)
          ? 0
          : -1
        : isLast
          ? last(word, part, at)
          : word.indexOf(part, at);
    if (found === -1) return undefined;
    at = found + part.length;
  }
  return pattern.reduce((sum, part) => sum + part.length, 0);
}

const last = (word: string, part: string, from: number): number =>
  word.endsWith(part) && word.length - part.length >= from ? word.length - part.length : -1;

/** The line that runs a program: the one that says most of its words. */
export function lineOfProgram(
  text: string,
  argv: readonly string[],
  last = Number.POSITIVE_INFINITY,
): number | undefined {
  const base = (word: string) => word.split('/').at(-1) ?? word;
  let best: { line: number; score: number } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (index + 1 > last || /^\s*#/.test(line)) continue;
    for (const part of line.split(/&&|\|\||[;|]|\bthen\b|\bdo\b|\belse\b/)) {
      const patterns = wordsOf(part.replace(/^[\s!({-]*/, ''));
      const score = argv.reduce((sum, word) => {
        const fits = patterns.flatMap(
          (one) => matched(one, word) ?? matched(one, base(word)) ?? [],
        );
        return sum + Math.max(0, ...fits);
      }, 0);
      if (score >= PROGRAM_CHARACTERS_MIN && score > (best?.score ?? 0))
        best = { line: index + 1, score };
    }
  }
  return best?.line;
}
const PROGRAM_CHARACTERS_MIN = 4;
