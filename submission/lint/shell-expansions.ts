/** Quotes and expansions: the parts of a word. */
import { Cursor, META } from './shell-cursor.ts';
import type { Expansion, Statement, Word, WordPart } from './shell-tree.ts';

const SPECIAL = /[0-9@*#?$!-]/y;
const PLAIN =
  /[^\s;&|()<>\\'"$`]+|[\r\f\v\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]/y;
const OPERATOR = /:?[-=?+]|##?|%%?|\/\/|\/[#%]|\/|\^\^?|,,?|:|@/y;

function plainOf(parts: readonly WordPart[]): string | undefined {
  const [only] = parts;
  if (parts.length !== 1 || only?.kind !== 'text') return undefined;
  return only.isQuoted || !/[*?{]|\[.*\]/.test(only.text) ? only.text : undefined;
}

export abstract class ExpansionReader extends Cursor {
  protected abstract script(end: ')' | undefined): Statement[];
  protected abstract inner(text: string, base: number): readonly Statement[];
  /** Runs it with no here-document open: those that are belong to what is around it. */
  protected abstract apart<T>(read: () => T): T;

  protected word(): Word | undefined {
    const start = this.at;
    const parts: WordPart[] = [];
    while (this.at < this.text.length) {
      const char = this.char();
      if (
        (char === '<' || char === '>') &&
        this.text.charAt(this.at + 1) === '(' &&
        parts.length === 0
      )
        parts.push(this.process());
      else if (char === '(' && /[?*+@!]$/.test(this.text.slice(start, this.at)))
        parts.push(this.extended());
      else if (META.includes(char)) break;
      else this.part(parts);
    }
    if (this.at === start) return undefined;
    return this.wordFrom(start, parts);
  }

  protected wordFrom(start: number, parts: WordPart[]): Word {
    const source = this.text.slice(start, this.at);
    const plain = plainOf(parts);
    return { start: this.base + start, end: this.base + this.at, parts, source, plain };
  }

  /** One part of an unquoted word. */
  protected part(parts: WordPart[]): void {
    const char = this.char();
    if (char === '\\') {
      const next = this.text.charAt(this.at + 1);
      this.at += 2;
      if (next !== '\n') parts.push({ kind: 'text', text: next, isQuoted: true });
    } else if (char === "'") this.single(parts);
    else if (char === '"') this.double(parts);
    else if (char === '$' || char === '`') this.expansion(parts, false);
    else {
      PLAIN.lastIndex = this.at;
      const text = PLAIN.exec(this.text)?.[0] ?? char;
      this.at += text.length;
      parts.push({ kind: 'text', text, isQuoted: false });
    }
  }

  protected single(parts: WordPart[]): void {
    const end = this.text.indexOf("'", this.at + 1);
    if (end < 0) this.fail();
    parts.push({ kind: 'text', text: this.text.slice(this.at + 1, end), isQuoted: true });
    this.at = end + 1;
  }

  protected double(parts: WordPart[]): void {
    this.at += 1;
    parts.push({ kind: 'text', text: '', isQuoted: true });
    this.quotedUpTo(parts, '"');
    this.expect('"');
  }

  /** What stands in double quotes, or in a here-document (`end` is empty: up to the end of the text). */
  protected quotedUpTo(parts: WordPart[], end: string): void {
    let plain = '';
    const flush = () => {
      if (plain !== '') parts.push({ kind: 'text', text: plain, isQuoted: true });
      plain = '';
    };
    while (this.at < this.text.length && (end === '' || this.char() !== end)) {
      const char = this.char();
      if (char === '\\') {
        const next = this.text.charAt(this.at + 1);
        this.at += 2;
        if (next === '\n') continue;
        plain += '$`\\'.includes(next) || (next === '"' && end === '"') ? next : char + next;
      } else if (char === '$' || char === '`') {
        flush();
        this.expansion(parts, true);
      } else {
        plain += char;
        this.at += 1;
      }
    }
    flush();
  }

  protected expansion(parts: WordPart[], isQuoted: boolean): void {
    const start = this.at;
    if (this.char() === '`') {
      parts.push(this.backquoted(isQuoted));
      return;
    }
    const next = this.text.charAt(this.at + 1);
    if (next === '(') {
      const sum = this.text.charAt(this.at + 2) === '(' ? this.sum() : undefined;
      if (sum !== undefined) {
        parts.push({ kind: 'arithmetic', source: sum, isQuoted });
        return;
      }
      this.at = start + 2;
      const body = this.apart(() => this.script(')'));
      parts.push({ kind: 'command', body, isQuoted, source: this.text.slice(start, this.at) });
      return;
    }
    if (next === '{') {
      this.at += 2;
      parts.push({ kind: 'variable', isQuoted, ...this.braced(start) });
      return;
    }
    if (next === "'" && !isQuoted) {
      parts.push({ kind: 'text', text: this.ansi(), isQuoted: true });
      return;
    }
    this.at += 1;
    if (next === '"' && !isQuoted) return;
    SPECIAL.lastIndex = this.at;
    const name = this.name() ?? SPECIAL.exec(this.text)?.[0];
    if (name === undefined) {
      parts.push({ kind: 'text', text: '$', isQuoted });
      return;
    }
    this.at = start + 1 + name.length;
    parts.push({ kind: 'variable', isQuoted, name, source: this.text.slice(start, this.at) });
  }

  protected backquoted(isQuoted: boolean): WordPart {
    const start = this.at;
    const found = /`((?:[^`\\]|\\[\s\S])*)`/y;
    found.lastIndex = start;
    const [source, raw] = found.exec(this.text) ?? [];
    if (source === undefined || raw === undefined) this.fail();
    this.at += source.length;
    const script = raw.replace(isQuoted ? /\\([$`\\"])/g : /\\([$`\\])/g, '$1');
    return { kind: 'command', body: this.inner(script, this.base + start + 1), isQuoted, source };
  }

  /** `$((...))`, or nothing where it is a subshell in a substitution. */
  protected sum(): string | undefined {
    const start = this.at + 3;
    const end = this.closing(start);
    if (end === undefined) return undefined;
    this.at = end + 2;
    return this.text.slice(start, end);
  }

  protected arithmeticCommand(): string | undefined {
    const start = this.at + 2;
    const end = this.closing(start);
    if (end === undefined) return undefined;
    this.at = end + 2;
    return this.text.slice(start, end);
  }

  /** Where the `))` stands that closes what began before `from`. */
  protected closing(from: number): number | undefined {
    let depth = 0;
    for (let at = from; at < this.text.length; at++) {
      const char = this.text.charAt(at);
      if (char === '(') depth += 1;
      if (char !== ')') continue;
      if (depth > 0) depth -= 1;
      else return this.text.charAt(at + 1) === ')' ? at : undefined;
    }
    return undefined;
  }

  /** Behind `${`. */
  protected braced(start: number): Expansion {
    const isLength =
      this.char() === '#' && !/^#(?:\}|[-=?+%:/])/.test(this.text.slice(this.at, this.at + 2));
    if (isLength) this.at += 1;
    const isIndirect =
      this.char() === '!' && /^![A-Za-z_]/.test(this.text.slice(this.at, this.at + 2));
    if (isIndirect) this.at += 1;
    SPECIAL.lastIndex = this.at;
    const number = /[0-9]+/y;
    number.lastIndex = this.at;
    let name = number.exec(this.text)?.[0];
    if (name !== undefined) this.at += name.length;
    else name = this.name();
    if (name === undefined) {
      name = SPECIAL.exec(this.text)?.[0] ?? this.fail();
      this.at += 1;
    }
    let index: string | undefined;
    if (this.char() === '[') {
      const end = this.#bracketEnd();
      index = this.text.slice(this.at + 1, end);
      this.at = end + 1;
    }
    OPERATOR.lastIndex = this.at;
    const operator =
      this.char() === '}' ? undefined : (OPERATOR.exec(this.text)?.[0] ?? this.fail());
    this.at += operator?.length ?? 0;
    const from = this.at;
    const parts: WordPart[] = [];
    while (this.char() !== '}') {
      if (this.at >= this.text.length) this.fail();
      if (' \t\n;&|()<>'.includes(this.char())) {
        parts.push({ kind: 'text', text: this.char(), isQuoted: false });
        this.at += 1;
      } else if (/^[^}\\'"$`\s;&|()<>]/.test(this.char())) {
        parts.push({ kind: 'text', text: this.char(), isQuoted: false });
        this.at += 1;
      } else this.part(parts);
    }
    const operandWord = this.wordFrom(from, parts);
    this.at += 1;
    return {
      source: this.text.slice(start, this.at),
      name,
      ...(index !== undefined && { index }),
      ...(isLength && { isLength: true as const }),
      ...(isIndirect && { isIndirect: true as const }),
      ...(operator !== undefined && { operator, operand: operandWord.source, operandWord }),
    };
  }

  /** Where the `]` stands that closes the `[` here: `${a[${#a[@]}-1]}`. */
  #bracketEnd(): number {
    let depth = 0;
    for (let at = this.at; at < this.text.length; at++) {
      const char = this.text.charAt(at);
      if (char === '\n') break;
      if (char === '[') depth += 1;
      if (char === ']' && --depth === 0) return at;
    }
    return this.fail();
  }

  protected ansi(): string {
    const found = /\$'((?:[^'\\]|\\[\s\S])*)'/y;
    found.lastIndex = this.at;
    const [source, raw] = found.exec(this.text) ?? [];
    if (source === undefined || raw === undefined) this.fail();
    this.at += source.length;
    const plain: Record<string, string> = {
      n: '\n',
      t: '\t',
      r: '\r',
      e: '\u001b',
      a: '\u0007',
      b: '\b',
    };
    return raw.replace(/\\(x[0-9a-fA-F]{1,2}|[\s\S])/g, (_, code: string) =>
      code.length > 1
        ? String.fromCharCode(Number.parseInt(code.slice(1), 16))
        : (plain[code] ?? code),
    );
  }

  protected process(): WordPart {
    const start = this.at;
    this.at += 2;
    const body = this.script(')');
    return { kind: 'other', source: this.text.slice(start, this.at), body };
  }

  /** `@(a|b)` of bash. */
  protected extended(): WordPart {
    const start = this.at;
    let depth = 0;
    while (this.at < this.text.length) {
      const char = this.char();
      if (char === '\n') break;
      this.at += 1;
      if (char === '(') depth += 1;
      if (char === ')' && --depth === 0)
        return { kind: 'other', source: this.text.slice(start, this.at), body: [] };
    }
    return this.fail();
  }
}
