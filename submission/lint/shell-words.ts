/** The words of a shell script: assignments, redirections and here-documents. */
import { ExpansionReader } from './shell-expansions.ts';
import type { Assignment, Redirect, Word, WordPart } from './shell-tree.ts';

const ASSIGNMENT = /([A-Za-z_][A-Za-z0-9_]*)(?:\[([^\]\n]*)\])?(\+?)=/y;
const REDIRECT = /([0-9]*)(&>>|&>|<<<|<<-|<<|<>|<&|>&|>>|>\||<|>)/y;

const REDIRECT_STARTS = '<>&0123456789';

interface Heredoc {
  readonly redirect: { target: Word | null; end: number };
  readonly delimiter: string;
  readonly isStripped: boolean;
  readonly isQuoted: boolean;
}

export abstract class WordReader extends ExpansionReader {
  #heredocs: Heredoc[] = [];

  protected override lineEnds(): void {
    for (const heredoc of this.#heredocs.splice(0)) this.#heredocBody(heredoc);
  }

  protected dropHeredocs(): void {
    this.#heredocs = [];
  }

  protected override apart<T>(read: () => T): T {
    const saved = this.#heredocs;
    this.#heredocs = [];
    const out = read();
    this.#heredocs = saved;
    return out;
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

  protected assignment(): Assignment | undefined {
    const start = this.at;
    if (!/[A-Za-z_]/.test(this.char())) return undefined;
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
    if (!REDIRECT_STARTS.includes(this.char())) return undefined;
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
    const place = { start: this.base + start, end: this.base + end };
    redirect.target = { ...place, parts, source: body, plain: undefined };
  }

  /** The expansions of a here-document: read by a reader of its own. */
  #quotedText(text: string, start: number, parts: WordPart[]): void {
    const Same = this.constructor as new (text: string, base: number, depth: number) => WordReader;
    const reader = new Same(text, this.base + start, 0);
    try {
      reader.quotedUpTo(parts, '');
    } catch {
      // A shell stops where it comes to it, and not before.
      parts.push({ kind: 'other', source: text, body: [] });
    }
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
        out.push(this.wordFrom(start, [{ kind: 'text', text: found, isQuoted: false }]));
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
      } else this.part(parts);
    }
    return this.wordFrom(start, parts);
  }
}

/** A word that is nothing but text: what it says. */
export const plainText = (word: Word): string | undefined =>
  word.parts.every((part) => part.kind === 'text')
    ? word.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('')
    : undefined;
