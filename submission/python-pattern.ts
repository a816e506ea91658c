/**
 * A regular expression of Python's `re` as one of JavaScript's, for the `parse` patterns of test definitions. What the
 * two spell differently is spelt anew: no flag of JavaScript's but `v` (and `i`, where all of the pattern ignores case)
 * is relied on, and every group has a name, so that the numbers of Python's groups do not matter.
 *
 * Patterns are matched against single lines: `^` and `\A` are a line's start, `$` and `\Z` its end (upstream compiles
 * with re.MULTILINE). What cannot be said in JavaScript is refused with its place: `(?(1)yes|no)`, `\N{...}`,
 * a back-reference inside `(?i:...)`.
 */
import {
  FLAGS,
  type Flags,
  PythonCharacters,
  SETS,
  UnreadablePattern,
} from './python-characters.ts';

const PATTERN_CHARS_MAX = 10_000;
const GROUP_DEPTH_MAX = 100;

export interface TranslatedPattern {
  source: string;
  flags: string;
  /** Python's names of groups, and what the same groups are called in `source`. */
  groups: Record<string, string>;
}

/** @throws UnreadablePattern, and nothing else, whatever the pattern */
export function translatePattern(pattern: string): TranslatedPattern {
  if (pattern.length > PATTERN_CHARS_MAX)
    throw new UnreadablePattern(0, `a pattern of more than ${PATTERN_CHARS_MAX} characters`);
  let flags: Flags = { i: false, s: false, x: false, a: false };
  while (true) {
    const reader = new PatternReader(pattern, flags);
    const source = reader.read();
    const wanted = reader.wanted;
    // `(?i)` holds for all of the pattern, wherever it stands: it is read again with it.
    if (FLAGS.some((flag) => wanted[flag] && !flags[flag])) {
      flags = wanted;
      continue;
    }
    const translated = { source, flags: flags.i ? 'vi' : 'v', groups: reader.names };
    try {
      new RegExp(source, translated.flags);
    } catch (error) {
      throw new UnreadablePattern(0, error instanceof Error ? error.message : 'not a pattern');
    }
    return translated;
  }
}

class PatternReader extends PythonCharacters {
  /** Flags of the whole pattern that were found in it. */
  readonly wanted: Flags;
  readonly names: Record<string, string> = {};
  #depth = 0;
  #groups = 0;
  #atomics = 0;
  readonly #closed = new Set<number>();

  constructor(text: string, flags: Flags) {
    super(text, flags);
    this.wanted = { ...flags };
  }

  read(): string {
    const source = this.#alternatives();
    if (this.at < this.text.length) this.fail('unbalanced parenthesis');
    return source;
  }

  #alternatives(): string {
    this.#depth += 1;
    if (this.#depth > GROUP_DEPTH_MAX)
      this.fail(`groups nested deeper than ${GROUP_DEPTH_MAX} levels`);
    const branches = [this.#sequence()];
    while (this.take('|')) branches.push(this.#sequence());
    this.#depth -= 1;
    return branches.join('|');
  }

  #sequence(): string {
    let out = '';
    while (true) {
      this.#skipVerbose();
      const next = this.text[this.at];
      if (next === undefined || next === '|' || next === ')') return out;
      const from = this.at;
      if ('*+?'.includes(next) || this.#repeat(from) !== undefined) this.fail('nothing to repeat');
      out += this.#repeated(this.#atom());
    }
  }

  /** `#`-comments and blanks under the flag x. */
  #skipVerbose(): void {
    while (this.flags.x && this.at < this.text.length) {
      const rest = /[ \t\n\r\f\v]+|#[^\n]*/y;
      rest.lastIndex = this.at;
      const found = rest.exec(this.text);
      if (found === null) return;
      this.at += found[0].length;
    }
  }

  #atom(): string {
    const code = this.text.codePointAt(this.at) ?? 0;
    const character = String.fromCodePoint(code);
    this.at += character.length;
    switch (character) {
      case '.':
        return this.flags.s ? '[\\s\\S]' : '[^\\n]';
      case '^':
      case '$':
        return character;
      case '(':
        return this.#group(this.at - 1);
      case '[':
        return this.class(this.at - 1);
      case '\\':
        return this.#escape(this.at - 1);
      default:
        return this.letter(code);
    }
  }

  // what stands behind a backslash

  #escape(from: number): string {
    const next = this.text[this.at];
    if (next === undefined) return this.fail('a backslash at the end', from);
    const set = this.set(next);
    if (set !== undefined) {
      this.at += 1;
      return `[${set.isComplement ? '^' : ''}${set.members}]`;
    }
    const word = `[${this.flags.a ? SETS.w.ascii : SETS.w.unicode}]`;
    const simple: Record<string, string> = {
      A: '^',
      Z: '$',
      b: `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`,
      B: `(?:(?<=${word})(?=${word})|(?<!${word})(?!${word}))`,
    };
    const known = Object.hasOwn(simple, next) ? simple[next] : undefined;
    if (known !== undefined) {
      this.at += 1;
      return known;
    }
    const group = /[1-9]\d?/y;
    group.lastIndex = this.at;
    const number = group.exec(this.text)?.[0];
    if (number !== undefined && !/^[0-3][0-7]{2}/.test(this.text.slice(this.at))) {
      this.at += number.length;
      return this.#reference(Number(number), from);
    }
    return this.letter(this.escapedCode(from, false));
  }

  #reference(number: number, from: number): string {
    if (!this.#closed.has(number)) this.fail(`no group ${number} ends before this`, from);
    if (this.flags.i && !this.global.i)
      this.fail('a back-reference inside (?i:...) cannot be translated', from);
    return `\\k<g${number}>`;
  }

  // repetition

  #repeat(at: number): { min: string; max: string; length: number } | undefined {
    const braces = /\{(\d*)(,?)(\d*)\}/y;
    braces.lastIndex = at;
    const found = braces.exec(this.text);
    if (found === null || (found[1] === '' && found[3] === '')) return undefined;
    const [all, min = '', comma, max = ''] = found;
    return { min: min === '' ? '0' : min, max: comma === '' ? min : max, length: all.length };
  }

  #repeated(atom: string): string {
    this.#skipVerbose();
    const from = this.at;
    const sign = this.text[this.at] ?? '';
    const braces = this.#repeat(this.at);
    let repeat: string;
    if (sign !== '' && '*+?'.includes(sign)) {
      this.at += 1;
      repeat = sign;
    } else if (braces !== undefined) {
      this.at += braces.length;
      const { min, max } = braces;
      if (max !== '' && Number(max) < Number(min)) this.fail('min repeat above max repeat', from);
      repeat = max === min ? `{${min}}` : `{${min},${max}}`;
    } else return atom;
    // A look-around or an anchor cannot be repeated in JavaScript unless it stands in a group.
    const body = /^(?:[\^$]$|\(\?<?[=!])/.test(atom) ? `(?:${atom})` : atom;
    if (this.take('?')) return this.#single(`${body}${repeat}?`);
    if (this.take('+')) return this.#single(this.#atomic(`${body}${repeat}`));
    return this.#single(`${body}${repeat}`);
  }

  #single(repeated: string): string {
    this.#skipVerbose();
    const next = this.text[this.at] ?? '';
    if ((next !== '' && '*+?'.includes(next)) || this.#repeat(this.at))
      this.fail('multiple repeat');
    return repeated;
  }

  /** What was once matched is not given back: a look-ahead remembers it, and a reference takes it. */
  #atomic(body: string): string {
    this.#atomics += 1;
    return `(?:(?=(?<a${this.#atomics}>${body}))\\k<a${this.#atomics}>)`;
  }

  // groups

  #group(from: number): string {
    if (!this.take('?')) return this.#capture(from);
    const rest = this.text.slice(this.at);
    for (const head of ['<=', '<!', '=', '!', ':'])
      if (this.take(head)) return `(?${head}${this.#inside(from)})`;
    if (this.take('>')) return this.#atomic(this.#inside(from));
    if (this.take('#')) return this.#comment(from);
    if (this.take('(')) return this.fail('(?(...)yes|no) cannot be translated', from);
    const named = /^P<([^>]*)>/.exec(rest);
    if (named?.[1] !== undefined) {
      this.at += named[0].length;
      return this.#capture(from, named[1]);
    }
    const reference = /^P=([^)]*)\)/.exec(rest);
    if (reference?.[1] !== undefined) {
      this.at += reference[0].length;
      const name = reference[1];
      const group = Object.hasOwn(this.names, name) ? this.names[name] : undefined;
      if (group === undefined) return this.fail(`no group is called ${JSON.stringify(name)}`, from);
      return this.#reference(Number(group.slice(1)), from);
    }
    return this.#flagGroup(rest, from);
  }

  #capture(from: number, name?: string): string {
    this.#groups += 1;
    const number = this.#groups;
    if (name !== undefined) {
      if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name))
        this.fail(`${JSON.stringify(name)} is no name of a group`, from);
      if (Object.hasOwn(this.names, name))
        this.fail(`two groups are called ${JSON.stringify(name)}`, from);
      this.names[name] = `g${number}`;
    }
    const inside = this.#inside(from);
    this.#closed.add(number);
    return `(?<g${number}>${inside})`;
  }

  #inside(from: number): string {
    const before = this.flags;
    const inside = this.#alternatives();
    if (!this.take(')')) this.fail('a ( without its )', from);
    this.flags = before;
    return inside;
  }

  #comment(from: number): string {
    const end = this.text.indexOf(')', this.at);
    if (end === -1) this.fail('a comment without its )', from);
    this.at = end + 1;
    return '(?:)';
  }

  /** `(?i)` for all of the pattern, or `(?i-s:...)` for a part of it. */
  #flagGroup(rest: string, from: number): string {
    const found = /^([aimsuxL]*)(?:-([imsx]+))?([:)])/.exec(rest);
    if (found === null) return this.fail('this kind of group is not known', from);
    const [all, on = '', off = '', end] = found;
    if (on.includes('L')) this.fail('the flag L is for bytes only', from);
    this.at += all.length;
    if (end === ')') {
      if (off !== '') this.fail('flags can only be turned off for a part, (?-i:...)', from);
      for (const flag of FLAGS) if (on.includes(flag)) this.wanted[flag] = true;
      return '';
    }
    const before = this.flags;
    const flags = { ...before };
    for (const flag of FLAGS) {
      if (on.includes(flag)) flags[flag] = true;
      if (off.includes(flag)) flags[flag] = false;
    }
    if (on.includes('u')) flags.a = false;
    if (this.global.i && !flags.i)
      this.fail('(?-i:...) inside a pattern that ignores case cannot be translated', from);
    this.flags = flags;
    const inside = this.#inside(from);
    this.flags = before;
    return `(?:${inside})`;
  }
}
