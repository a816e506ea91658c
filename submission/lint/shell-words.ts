/** The words of a shell script: quotes, expansions, redirections and here-documents. */
import type { Assignment, Expansion, Redirect, Statement, Word, WordPart } from './shell-tree.ts';

const META = ' \t\n;&|()<>';
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const SPECIAL = /[0-9@*#?$!-]/y;
const ASSIGNMENT = /([A-Za-z_][A-Za-z0-9_]*)(?:\[([^\]\n]*)\])?(\+?)=/y;
const REDIRECT = /([0-9]*)(&>>|&>|<<<|<<-|<<|<>|<&|>&|>>|>\||<|>)/y;
const OPERATOR = /:?[-=?+]|##?|%%?|\/\/|\/[#%]|\/|\^\^?|,,?|:|@/y;

interface Heredoc {
  readonly redirect: { target: Word | null; end: number };
  readonly delimiter: string;
  readonly isStripped: boolean;
  readonly isQuoted: boolean;
}

export abstract class WordReader {
  readonly text: string;
  readonly base: number;
  at = 0;
  #heredocs: Heredoc[] = [];

  constructor(text: string, base: number) {
    this.text = text;
    this.base = base;
  }

  protected abstract script(end: ')' | undefined): Statement[];
  protected abstract inner(text: string, base: number): readonly Statement[];
  protected abstract fail(): never;

  protected char(): string {
    return this.text.charAt(this.at);
  }
  protected looksAt(sign: string): boolean {
    return this.text.startsWith(sign, this.at);
  }
  protected expect(sign: string): void {
    if (!this.looksAt(sign)) this.fail();
    this.at += sign.length;
  }

  /** Over blanks, continued lines and a comment, not over the end of a line. */
  protected blanks(): void {
    const found = /(?:[ \t]|\\\n)*/y;
    found.lastIndex = this.at;
    this.at += found.exec(this.text)?.[0].length ?? 0;
    const before = this.text.charAt(this.at - 1);
    if (this.char() !== '#' || !(this.at === 0 || META.includes(before))) return;
    const end = this.text.indexOf('\n', this.at);
    this.at = end < 0 ? this.text.length : end;
  }

  /** Over ends of lines, too: here-documents begin behind one. */
  protected newlines(): void {
    for (;;) {
      this.blanks();
      if (this.char() !== '\n') return;
      this.#newline();
    }
  }

  #newline(): void {
    this.at += 1;
    for (const heredoc of this.#heredocs.splice(0)) this.#heredocBody(heredoc);
  }

  protected dropHeredocs(): void {
    this.#heredocs = [];
  }

  protected name(): string | undefined {
    NAME.lastIndex = this.at;
    const found = NAME.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  /** Words up to the end of the command. */
  protected words(): Word[] {
    const out: Word[] = [];
    for (;;) {
      this.blanks();
      const word = this.word();
      if (word === undefined) return out;
      out.push(word);
    }
  }

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
        parts.push(this.#process());
      else if (char === '(' && /[?*+@!]$/.test(this.text.slice(start, this.at)))
        parts.push(this.#extended());
      else if (META.includes(char)) break;
      else this.#part(parts);
    }
    if (this.at === start) return undefined;
    return this.#wordFrom(start, parts);
  }

  #wordFrom(start: number, parts: WordPart[]): Word {
    const source = this.text.slice(start, this.at);
    return { start: this.base + start, end: this.base + this.at, parts, source };
  }

  /** One part of an unquoted word. */
  #part(parts: WordPart[]): void {
    const char = this.char();
    if (char === '\\') {
      const next = this.text.charAt(this.at + 1);
      this.at += 2;
      if (next !== '\n') parts.push({ kind: 'text', text: next, isQuoted: true });
    } else if (char === "'") this.#single(parts);
    else if (char === '"') this.#double(parts);
    else if (char === '$' || char === '`') this.#expansion(parts, false);
    else {
      const found =
        /[^\s;&|()<>\\'"$`]+|[\r\f\v\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]/y;
      found.lastIndex = this.at;
      const text = found.exec(this.text)?.[0] ?? char;
      this.at += text.length;
      parts.push({ kind: 'text', text, isQuoted: false });
    }
  }

  #single(parts: WordPart[]): void {
    const end = this.text.indexOf("'", this.at + 1);
    if (end < 0) this.fail();
    parts.push({ kind: 'text', text: this.text.slice(this.at + 1, end), isQuoted: true });
    this.at = end + 1;
  }

  #double(parts: WordPart[]): void {
    this.at += 1;
    parts.push({ kind: 'text', text: '', isQuoted: true });
    this.#quotedUpTo(parts, '"');
    this.expect('"');
  }

  /** What stands in double quotes, or in a here-document (`end` is empty: up to the end of the text). */
  #quotedUpTo(parts: WordPart[], end: string): void {
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
        this.#expansion(parts, true);
      } else {
        plain += char;
        this.at += 1;
      }
    }
    flush();
  }

  #expansion(parts: WordPart[], isQuoted: boolean): void {
    const start = this.at;
    if (this.char() === '`') {
      parts.push(this.#backquoted(isQuoted));
      return;
    }
    const next = this.text.charAt(this.at + 1);
    if (next === '(') {
      const sum = this.text.charAt(this.at + 2) === '(' ? this.#sum() : undefined;
      if (sum !== undefined) {
        parts.push({ kind: 'arithmetic', source: sum, isQuoted });
        return;
      }
      this.at = start + 2;
      const saved = this.#heredocs;
      this.#heredocs = [];
      const body = this.script(')');
      this.#heredocs = saved;
      parts.push({ kind: 'command', body, isQuoted, source: this.text.slice(start, this.at) });
      return;
    }
    if (next === '{') {
      this.at += 2;
      parts.push({ kind: 'variable', isQuoted, ...this.#braced(start) });
      return;
    }
    if (next === "'" && !isQuoted) {
      parts.push({ kind: 'text', text: this.#ansi(), isQuoted: true });
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

  #backquoted(isQuoted: boolean): WordPart {
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
  #sum(): string | undefined {
    const start = this.at + 3;
    const end = this.#closing(start);
    if (end === undefined) return undefined;
    this.at = end + 2;
    return this.text.slice(start, end);
  }

  protected arithmeticCommand(): string | undefined {
    const start = this.at + 2;
    const end = this.#closing(start);
    if (end === undefined) return undefined;
    this.at = end + 2;
    return this.text.slice(start, end);
  }

  /** Where the `))` stands that closes what began before `from`. */
  #closing(from: number): number | undefined {
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
  #braced(start: number): Expansion {
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
      const end = this.text.indexOf(']', this.at);
      if (end < 0) this.fail();
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
      } else this.#part(parts);
    }
    const operandWord = this.#wordFrom(from, parts);
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

  #ansi(): string {
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

  #process(): WordPart {
    const start = this.at;
    this.at += 2;
    const body = this.script(')');
    return { kind: 'other', source: this.text.slice(start, this.at), body };
  }

  /** `@(a|b)` of bash. */
  #extended(): WordPart {
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

  protected assignment(): Assignment | undefined {
    const start = this.at;
    ASSIGNMENT.lastIndex = start;
    const [all, name, index, plus] = ASSIGNMENT.exec(this.text) ?? [];
    if (all === undefined || name === undefined) return undefined;
    this.at += all.length;
    const common = { name, ...(index !== undefined && { index }), isAppended: plus === '+' };
    if (this.char() === '(') {
      this.at += 1;
      const array: Word[] = [];
      for (;;) {
        this.newlines();
        if (this.char() === ')') break;
        array.push(this.word() ?? this.fail());
      }
      this.at += 1;
      return { ...common, value: null, array, start: this.base + start, end: this.base + this.at };
    }
    const value = this.word() ?? null;
    return { ...common, value, start: this.base + start, end: this.base + this.at };
  }

  protected redirect(): Redirect | undefined {
    const start = this.at;
    REDIRECT.lastIndex = start;
    const [all, descriptor, operator] = REDIRECT.exec(this.text) ?? [];
    if (all === undefined || operator === undefined) return undefined;
    if ((operator === '<' || operator === '>') && this.text.charAt(start + all.length) === '(')
      return undefined;
    this.at += all.length;
    this.blanks();
    const from = this.at;
    const target = this.word() ?? this.fail();
    const redirect = {
      operator,
      ...(descriptor !== undefined && descriptor !== '' && { descriptor }),
      target: target as Word | null,
      start: this.base + start,
      end: this.base + this.at,
    };
    if (operator === '<<' || operator === '<<-') {
      redirect.target = null;
      const source = this.text.slice(from, this.at);
      const delimiter = source.replace(/\\(.)|['"]/g, '$1');
      const isQuoted = delimiter !== source;
      this.#heredocs.push({ redirect, delimiter, isStripped: operator === '<<-', isQuoted });
    }
    return redirect;
  }

  #heredocBody({ redirect, delimiter, isStripped, isQuoted }: Heredoc): void {
    const start = this.at;
    let end = start;
    let isClosed = false;
    while (end < this.text.length && !isClosed) {
      const lineEnd = this.text.indexOf('\n', end);
      const stop = lineEnd < 0 ? this.text.length : lineEnd;
      const line = this.text.slice(end, stop);
      if ((isStripped ? line.replace(/^\t+/, '') : line) === delimiter) isClosed = true;
      else end = Math.min(stop + 1, this.text.length);
      if (isClosed) this.at = stop;
    }
    if (!isClosed) this.at = this.text.length;
    const raw = this.text.slice(start, end);
    const body = isStripped ? raw.replace(/^\t+/gm, '') : raw;
    const parts: WordPart[] = [];
    if (isQuoted) parts.push({ kind: 'text', text: body, isQuoted: true });
    else this.#quotedText(body, start, parts);
    redirect.target = { start: this.base + start, end: this.base + end, parts, source: body };
  }

  /** The expansions of a here-document: read by a reader of its own. */
  #quotedText(text: string, start: number, parts: WordPart[]): void {
    const Same = this.constructor as new (text: string, base: number, depth: number) => WordReader;
    const reader = new Same(text, this.base + start, 0);
    reader.#quotedUpTo(parts, '');
  }

  /** Behind `[[`: words and signs up to `]]`. */
  protected doubleTest(): Word[] {
    const out: Word[] = [];
    for (;;) {
      this.newlines();
      if (this.looksAt(']]')) {
        this.at += 2;
        return out;
      }
      const start = this.at;
      const isPattern = out.at(-1)?.source === '=~';
      const sign = /&&|\|\||[()<>]/y;
      sign.lastIndex = start;
      const found = isPattern ? undefined : sign.exec(this.text)?.[0];
      if (found !== undefined) {
        this.at += found.length;
        out.push(this.#wordFrom(start, [{ kind: 'text', text: found, isQuoted: false }]));
        continue;
      }
      out.push(isPattern ? this.#regularExpression() : (this.word() ?? this.fail()));
    }
  }

  #regularExpression(): Word {
    const start = this.at;
    const parts: WordPart[] = [];
    while (this.at < this.text.length && !/\s/.test(this.char())) {
      if ('()|<>&;'.includes(this.char())) {
        parts.push({ kind: 'text', text: this.char(), isQuoted: false });
        this.at += 1;
      } else this.#part(parts);
    }
    return this.#wordFrom(start, parts);
  }
}

/** A word that is nothing but text: what it says. */
export const plainText = (word: Word): string | undefined =>
  word.parts.every((part) => part.kind === 'text')
    ? word.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('')
    : undefined;
