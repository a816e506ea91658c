/**
 * A regular expression of Python's `re` as one of JavaScript's, for the `parse` patterns of test definitions. What the
 * two spell differently is spelt anew: no flag of JavaScript's but `v` (and `i`, where all of the pattern ignores case)
 * is relied on, and every group has a name, so that the numbers of Python's groups do not matter.
 *
 * Patterns are matched against single lines: `^` and `\A` are a line's start, `$` and `\Z` its end (upstream compiles
 * with re.MULTILINE). What cannot be said in JavaScript is refused with its place: `(?(1)yes|no)`, `\N{...}`,
 * a back-reference inside `(?i:...)`.
 */

const PATTERN_CHARS_MAX = 10_000;
const GROUP_DEPTH_MAX = 100;

export interface TranslatedPattern {
  source: string;
  flags: string;
  /** Python's names of groups, and what the same groups are called in `source`. */
  groups: Record<string, string>;
}

/** `at`: the offset in the pattern, in UTF-16 units. */
export class UnreadablePattern extends Error {
  override readonly name = 'UnreadablePattern';
  readonly code = 'unreadable-pattern';
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
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

const FLAGS = ['i', 's', 'x', 'a'] as const;
type Flags = Record<(typeof FLAGS)[number], boolean>;

const SPACES =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const SETS = {
  d: { unicode: '\\p{Nd}', ascii: '0-9' },
  w: { unicode: '\\p{L}\\p{N}_', ascii: 'A-Za-z0-9_' },
  s: { unicode: SPACES, ascii: '\\t-\\r\\x20' },
} as const;
const CONTROLS: Record<string, number> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 };
const HEX_DIGITS: Record<string, number> = { x: 2, u: 4, U: 8 };

const literal = (code: number): string => {
  const character = String.fromCodePoint(code);
  return /[A-Za-z0-9]/.test(character) ? character : `\\u{${code.toString(16)}}`;
};

class PatternReader {
  readonly #text: string;
  readonly #global: Flags;
  /** Flags of the whole pattern that were found in it. */
  readonly wanted: Flags;
  readonly names: Record<string, string> = {};
  #flags: Flags;
  #at = 0;
  #depth = 0;
  #groups = 0;
  #atomics = 0;
  readonly #closed = new Set<number>();

  constructor(text: string, flags: Flags) {
    this.#text = text;
    this.#global = flags;
    this.#flags = flags;
    this.wanted = { ...flags };
  }

  read(): string {
    const source = this.#alternatives();
    if (this.#at < this.#text.length) this.#fail('unbalanced parenthesis');
    return source;
  }

  #alternatives(): string {
    this.#depth += 1;
    if (this.#depth > GROUP_DEPTH_MAX)
      this.#fail(`groups nested deeper than ${GROUP_DEPTH_MAX} levels`);
    const branches = [this.#sequence()];
    while (this.#take('|')) branches.push(this.#sequence());
    this.#depth -= 1;
    return branches.join('|');
  }

  #sequence(): string {
    let out = '';
    while (true) {
      this.#skipVerbose();
      const next = this.#text[this.#at];
      if (next === undefined || next === '|' || next === ')') return out;
      const from = this.#at;
      if ('*+?'.includes(next) || this.#repeat(from) !== undefined) this.#fail('nothing to repeat');
      out += this.#repeated(this.#atom());
    }
  }

  /** `#`-comments and blanks under the flag x. */
  #skipVerbose(): void {
    while (this.#flags.x && this.#at < this.#text.length) {
      const rest = /[ \t\n\r\f\v]+|#[^\n]*/y;
      rest.lastIndex = this.#at;
      const found = rest.exec(this.#text);
      if (found === null) return;
      this.#at += found[0].length;
    }
  }

  #atom(): string {
    const code = this.#text.codePointAt(this.#at) ?? 0;
    const character = String.fromCodePoint(code);
    this.#at += character.length;
    switch (character) {
      case '.':
        return this.#flags.s ? '[\\s\\S]' : '[^\\n]';
      case '^':
      case '$':
        return character;
      case '(':
        return this.#group(this.#at - 1);
      case '[':
        return this.#class(this.#at - 1);
      case '\\':
        return this.#escape(this.#at - 1);
      default:
        return this.#letter(code);
    }
  }

  /** A character that stands for itself, in both cases inside `(?i:...)`. */
  #letter(code: number): string {
    const both = this.#cases(code);
    return both.length === 1 ? literal(code) : `[${both.map(literal).join('')}]`;
  }

  #cases(code: number): number[] {
    if (!this.#flags.i || this.#global.i) return [code];
    const character = String.fromCodePoint(code);
    const spellings = [character, character.toLowerCase(), character.toUpperCase()];
    const single = spellings.filter((text) => Array.from(text).length === 1);
    return [...new Set(single.map((text) => text.codePointAt(0) ?? code))];
  }

  #set(name: string): { members: string; isComplement: boolean } | undefined {
    const lower = name.toLowerCase();
    if (lower !== 'd' && lower !== 'w' && lower !== 's') return undefined;
    const members = this.#flags.a ? SETS[lower].ascii : SETS[lower].unicode;
    return { members, isComplement: lower !== name };
  }

  // what stands behind a backslash

  #escape(from: number): string {
    const next = this.#text[this.#at];
    if (next === undefined) return this.#fail('a backslash at the end', from);
    const set = this.#set(next);
    if (set !== undefined) {
      this.#at += 1;
      return `[${set.isComplement ? '^' : ''}${set.members}]`;
    }
    const word = `[${this.#flags.a ? SETS.w.ascii : SETS.w.unicode}]`;
    const simple: Record<string, string> = {
      A: '^',
      Z: '$',
      b: `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`,
      B: `(?:(?<=${word})(?=${word})|(?<!${word})(?!${word}))`,
    };
    const known = Object.hasOwn(simple, next) ? simple[next] : undefined;
    if (known !== undefined) {
      this.#at += 1;
      return known;
    }
    const group = /[1-9]\d?/y;
    group.lastIndex = this.#at;
    const number = group.exec(this.#text)?.[0];
    if (number !== undefined && !/^[0-3][0-7]{2}/.test(this.#text.slice(this.#at))) {
      this.#at += number.length;
      return this.#reference(Number(number), from);
    }
    return this.#letter(this.#escapedCode(from, false));
  }

  /** The character that an escape stands for, in a class or outside. */
  #escapedCode(from: number, isInClass: boolean): number {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) return this.#fail('a backslash at the end', from);
    const next = String.fromCodePoint(code);
    this.#at += next.length;
    const control = Object.hasOwn(CONTROLS, next) ? CONTROLS[next] : undefined;
    if (control !== undefined && (next !== 'b' || isInClass)) return control;
    const digits = Object.hasOwn(HEX_DIGITS, next) ? HEX_DIGITS[next] : undefined;
    if (digits !== undefined) {
      const hex = this.#text.slice(this.#at, this.#at + digits);
      const value = Number.parseInt(hex, 16);
      if (!new RegExp(`^[0-9a-fA-F]{${digits}}$`).test(hex) || value > 0x10ffff)
        this.#fail(`incomplete escape \\${next}${hex}`, from);
      this.#at += digits;
      return value;
    }
    if (/[0-7]/.test(next)) {
      const octal = /^[0-7]{1,3}/.exec(this.#text.slice(this.#at - 1))?.[0] ?? next;
      const value = Number.parseInt(octal, 8);
      if (value > 0o377) this.#fail(`octal escape \\${octal} is above \\377`, from);
      this.#at += octal.length - 1;
      return value;
    }
    if (/[A-Za-z0-9]/.test(next)) return this.#fail(`\\${next} is not known here`, from);
    return code;
  }

  #reference(number: number, from: number): string {
    if (!this.#closed.has(number)) this.#fail(`no group ${number} ends before this`, from);
    if (this.#flags.i && !this.#global.i)
      this.#fail('a back-reference inside (?i:...) cannot be translated', from);
    return `\\k<g${number}>`;
  }

  // classes

  #class(from: number): string {
    const isNegated = this.#take('^');
    const members: string[] = [];
    let isFirst = true;
    while (isFirst || this.#text[this.#at] !== ']') {
      if (this.#at >= this.#text.length) this.#fail('a [ without its ]', from);
      isFirst = false;
      const start = this.#at;
      const low = this.#member(from);
      const dash = this.#text[this.#at] === '-' && this.#text[this.#at + 1] !== ']';
      if (!dash || this.#at + 1 >= this.#text.length) {
        members.push(typeof low === 'string' ? low : this.#cases(low).map(literal).join(''));
        continue;
      }
      this.#at += 1;
      const high = this.#member(from);
      if (typeof low === 'string' || typeof high === 'string' || high < low)
        return this.#fail(`${this.#text.slice(start, this.#at)} is no range`, start);
      members.push(...this.#range(low, high));
    }
    this.#at += 1;
    return `[${isNegated ? '^' : ''}${members.join('')}]`;
  }

  /** A character's code, or a set such as `\w` as it stands in a class. */
  #member(from: number): number | string {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) return this.#fail('a [ without its ]', from);
    const at = this.#at;
    this.#at += String.fromCodePoint(code).length;
    if (code !== BACKSLASH) return code;
    const set = this.#set(this.#text[this.#at] ?? '');
    if (set === undefined) return this.#escapedCode(at, true);
    this.#at += 1;
    return set.isComplement ? `[^${set.members}]` : set.members;
  }

  #range(low: number, high: number): string[] {
    const written = (from: number, to: number) => `${literal(from)}-${literal(to)}`;
    const ranges = [written(low, high)];
    if (!this.#flags.i || this.#global.i) return ranges;
    // Of ranges inside (?i:...), the other case of ASCII letters.
    for (const [first, last, away] of [
      [65, 90, 32],
      [97, 122, -32],
    ] as const) {
      const [from, to] = [Math.max(low, first), Math.min(high, last)];
      if (from <= to) ranges.push(written(from + away, to + away));
    }
    return ranges;
  }

  // repetition

  #repeat(at: number): { min: string; max: string; length: number } | undefined {
    const braces = /\{(\d*)(,?)(\d*)\}/y;
    braces.lastIndex = at;
    const found = braces.exec(this.#text);
    if (found === null || (found[1] === '' && found[3] === '')) return undefined;
    const [all, min = '', comma, max = ''] = found;
    return { min: min === '' ? '0' : min, max: comma === '' ? min : max, length: all.length };
  }

  #repeated(atom: string): string {
    this.#skipVerbose();
    const from = this.#at;
    const sign = this.#text[this.#at] ?? '';
    const braces = this.#repeat(this.#at);
    let repeat: string;
    if (sign !== '' && '*+?'.includes(sign)) {
      this.#at += 1;
      repeat = sign;
    } else if (braces !== undefined) {
      this.#at += braces.length;
      const { min, max } = braces;
      if (max !== '' && Number(max) < Number(min)) this.#fail('min repeat above max repeat', from);
      repeat = max === min ? `{${min}}` : `{${min},${max}}`;
    } else return atom;
    // A look-around or an anchor cannot be repeated in JavaScript unless it stands in a group.
    const body = /^(?:[\^$]$|\(\?<?[=!])/.test(atom) ? `(?:${atom})` : atom;
    if (this.#take('?')) return this.#single(`${body}${repeat}?`);
    if (this.#take('+')) return this.#single(this.#atomic(`${body}${repeat}`));
    return this.#single(`${body}${repeat}`);
  }

  #single(repeated: string): string {
    this.#skipVerbose();
    const next = this.#text[this.#at] ?? '';
    if ((next !== '' && '*+?'.includes(next)) || this.#repeat(this.#at))
      this.#fail('multiple repeat');
    return repeated;
  }

  /** What was once matched is not given back: a look-ahead remembers it, and a reference takes it. */
  #atomic(body: string): string {
    this.#atomics += 1;
    return `(?:(?=(?<a${this.#atomics}>${body}))\\k<a${this.#atomics}>)`;
  }

  // groups

  #group(from: number): string {
    if (!this.#take('?')) return this.#capture(from);
    const rest = this.#text.slice(this.#at);
    for (const head of ['<=', '<!', '=', '!', ':'])
      if (this.#take(head)) return `(?${head}${this.#inside(from)})`;
    if (this.#take('>')) return this.#atomic(this.#inside(from));
    if (this.#take('#')) return this.#comment(from);
    if (this.#take('(')) return this.#fail('(?(...)yes|no) cannot be translated', from);
    const named = /^P<([^>]*)>/.exec(rest);
    if (named?.[1] !== undefined) {
      this.#at += named[0].length;
      return this.#capture(from, named[1]);
    }
    const reference = /^P=([^)]*)\)/.exec(rest);
    if (reference?.[1] !== undefined) {
      this.#at += reference[0].length;
      const name = reference[1];
      const group = Object.hasOwn(this.names, name) ? this.names[name] : undefined;
      if (group === undefined)
        return this.#fail(`no group is called ${JSON.stringify(name)}`, from);
      return this.#reference(Number(group.slice(1)), from);
    }
    return this.#flagGroup(rest, from);
  }

  #capture(from: number, name?: string): string {
    this.#groups += 1;
    const number = this.#groups;
    if (name !== undefined) {
      if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name))
        this.#fail(`${JSON.stringify(name)} is no name of a group`, from);
      if (Object.hasOwn(this.names, name))
        this.#fail(`two groups are called ${JSON.stringify(name)}`, from);
      this.names[name] = `g${number}`;
    }
    const inside = this.#inside(from);
    this.#closed.add(number);
    return `(?<g${number}>${inside})`;
  }

  #inside(from: number): string {
    const before = this.#flags;
    const inside = this.#alternatives();
    if (!this.#take(')')) this.#fail('a ( without its )', from);
    this.#flags = before;
    return inside;
  }

  #comment(from: number): string {
    const end = this.#text.indexOf(')', this.#at);
    if (end === -1) this.#fail('a comment without its )', from);
    this.#at = end + 1;
    return '(?:)';
  }

  /** `(?i)` for all of the pattern, or `(?i-s:...)` for a part of it. */
  #flagGroup(rest: string, from: number): string {
    const found = /^([aimsuxL]*)(?:-([imsx]+))?([:)])/.exec(rest);
    if (found === null) return this.#fail('this kind of group is not known', from);
    const [all, on = '', off = '', end] = found;
    if (on.includes('L')) this.#fail('the flag L is for bytes only', from);
    this.#at += all.length;
    if (end === ')') {
      if (off !== '') this.#fail('flags can only be turned off for a part, (?-i:...)', from);
      for (const flag of FLAGS) if (on.includes(flag)) this.wanted[flag] = true;
      return '';
    }
    const before = this.#flags;
    const flags = { ...before };
    for (const flag of FLAGS) {
      if (on.includes(flag)) flags[flag] = true;
      if (off.includes(flag)) flags[flag] = false;
    }
    if (on.includes('u')) flags.a = false;
    if (this.#global.i && !flags.i)
      this.#fail('(?-i:...) inside a pattern that ignores case cannot be translated', from);
    this.#flags = flags;
    const inside = this.#inside(from);
    this.#flags = before;
    return `(?:${inside})`;
  }

  #take(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #fail(message: string, at = this.#at): never {
    throw new UnreadablePattern(at, message);
  }
}

const BACKSLASH = 92;
