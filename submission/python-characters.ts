/**
 * What stands for characters in a pattern of Python's: letters, escapes, sets such as `\w`, classes. Part of the reader of
 * `python-pattern.ts`.
 */

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

export const FLAGS = ['i', 's', 'x', 'a'] as const;
export type Flags = Record<(typeof FLAGS)[number], boolean>;

const SPACES =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
export const SETS = {
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

export abstract class PythonCharacters {
  protected readonly text: string;
  /** Those of the whole pattern. */
  protected readonly global: Flags;
  protected flags: Flags;
  protected at = 0;

  constructor(text: string, flags: Flags) {
    this.text = text;
    this.global = flags;
    this.flags = flags;
  }

  /** A character that stands for itself, in both cases inside `(?i:...)`. */
  protected letter(code: number): string {
    const both = this.cases(code);
    return both.length === 1 ? literal(code) : `[${both.map(literal).join('')}]`;
  }

  protected cases(code: number): number[] {
    if (!this.flags.i || this.global.i) return [code];
    const character = String.fromCodePoint(code);
    const spellings = [character, character.toLowerCase(), character.toUpperCase()];
    const single = spellings.filter((text) => Array.from(text).length === 1);
    return [...new Set(single.map((text) => text.codePointAt(0) ?? code))];
  }

  protected set(name: string): { members: string; isComplement: boolean } | undefined {
    const lower = name.toLowerCase();
    if (lower !== 'd' && lower !== 'w' && lower !== 's') return undefined;
    const members = this.flags.a ? SETS[lower].ascii : SETS[lower].unicode;
    return { members, isComplement: lower !== name };
  }

  /** The character that an escape stands for, in a class or outside. */
  protected escapedCode(from: number, isInClass: boolean): number {
    const code = this.text.codePointAt(this.at);
    if (code === undefined) return this.fail('a backslash at the end', from);
    const next = String.fromCodePoint(code);
    this.at += next.length;
    const control = Object.hasOwn(CONTROLS, next) ? CONTROLS[next] : undefined;
    if (control !== undefined && (next !== 'b' || isInClass)) return control;
    const digits = Object.hasOwn(HEX_DIGITS, next) ? HEX_DIGITS[next] : undefined;
    if (digits !== undefined) {
      const hex = this.text.slice(this.at, this.at + digits);
      const value = Number.parseInt(hex, 16);
      if (!new RegExp(`^[0-9a-fA-F]{${digits}}$`).test(hex) || value > 0x10ffff)
        this.fail(`incomplete escape \\${next}${hex}`, from);
      this.at += digits;
      return value;
    }
    if (/[0-7]/.test(next)) {
      const octal = /^[0-7]{1,3}/.exec(this.text.slice(this.at - 1))?.[0] ?? next;
      const value = Number.parseInt(octal, 8);
      if (value > 0o377) this.fail(`octal escape \\${octal} is above \\377`, from);
      this.at += octal.length - 1;
      return value;
    }
    if (/[A-Za-z0-9]/.test(next)) return this.fail(`\\${next} is not known here`, from);
    return code;
  }

  protected class(from: number): string {
    const isNegated = this.take('^');
    const members: string[] = [];
    let isFirst = true;
    while (isFirst || this.text[this.at] !== ']') {
      if (this.at >= this.text.length) this.fail('a [ without its ]', from);
      isFirst = false;
      const start = this.at;
      const low = this.member(from);
      const dash = this.text[this.at] === '-' && this.text[this.at + 1] !== ']';
      if (!dash || this.at + 1 >= this.text.length) {
        members.push(typeof low === 'string' ? low : this.cases(low).map(literal).join(''));
        continue;
      }
      this.at += 1;
      const high = this.member(from);
      if (typeof low === 'string' || typeof high === 'string' || high < low)
        return this.fail(`${this.text.slice(start, this.at)} is no range`, start);
      members.push(...this.range(low, high));
    }
    this.at += 1;
    return `[${isNegated ? '^' : ''}${members.join('')}]`;
  }

  /** A character's code, or a set such as `\w` as it stands in a class. */
  protected member(from: number): number | string {
    const code = this.text.codePointAt(this.at);
    if (code === undefined) return this.fail('a [ without its ]', from);
    const at = this.at;
    this.at += String.fromCodePoint(code).length;
    if (code !== BACKSLASH) return code;
    const set = this.set(this.text[this.at] ?? '');
    if (set === undefined) return this.escapedCode(at, true);
    this.at += 1;
    return set.isComplement ? `[^${set.members}]` : set.members;
  }

  protected range(low: number, high: number): string[] {
    const written = (from: number, to: number) => `${literal(from)}-${literal(to)}`;
    const ranges = [written(low, high)];
    if (!this.flags.i || this.global.i) return ranges;
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

  protected take(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  protected fail(message: string, at = this.at): never {
    throw new UnreadablePattern(at, message);
  }
}

const BACKSLASH = 92;
