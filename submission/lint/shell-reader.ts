/**
 * Reads a shell script (POSIX, and what of bash test authors write) into the tree of `shell-tree.ts`. Never throws. An error is
 * local: what cannot be read is kept as `broken`, and reading goes on with the next line.
 */

import { type BareStatement, CompoundReader, type Kind } from './shell-compounds.ts';
import type { Redirect, Script, Span, Statement, Word } from './shell-tree.ts';

/** Compound commands and substitutions inside one another. */
const DEPTH_MAX = 60;
const BROKEN_MAX = 50;
export const SCRIPT_CHARS_MAX = 1_048_576;

class Unreadable extends Error {
  readonly at: number;
  constructor(at: number) {
    super('unreadable');
    this.at = at;
  }
}

/** @param base added to every offset: the text is a part of a longer one */
export function readScript(text: string, base = 0, depth = 0): Script {
  const reader = new StatementReader(text.slice(0, SCRIPT_CHARS_MAX), base, depth);
  const body = reader.all();
  const cut = { start: base + SCRIPT_CHARS_MAX, end: base + text.length };
  const broken = text.length > SCRIPT_CHARS_MAX ? [...reader.broken, cut] : reader.broken;
  return { text, body, broken };
}

const RESERVED_AS_END = ['then', 'do', 'done', 'fi', 'elif', 'else', 'esac', '}'];
const DECLARING = ['export', 'local', 'declare', 'readonly', 'typeset'];

class StatementReader extends CompoundReader {
  readonly broken: Span[] = [];
  #depth: number;

  constructor(text: string, base: number, depth: number) {
    super(text, base);
    this.#depth = depth;
  }

  /** All of the text. */
  all(): Statement[] {
    const out: Statement[] = [];
    for (;;) {
      const start = this.at;
      try {
        out.push(...this.statements([]));
        if (this.at >= this.text.length) return out;
        throw new Unreadable(this.at);
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        out.push(...this.#recover(start, error.at));
        if (this.at >= this.text.length) return out;
      }
    }
  }

  /** What was read of the statements before is read again: whole statements, one at a time, up to the broken one. */
  #recover(from: number, failedAt: number): Statement[] {
    this.at = from;
    this.dropHeredocs();
    const good: Statement[] = [];
    for (;;) {
      this.newlines();
      const start = this.at;
      try {
        const next = this.#one([]);
        if (next === undefined) break;
        good.push(next);
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        this.at = start;
        break;
      }
    }
    this.blanks();
    const start = this.at;
    const isLast = this.broken.length >= BROKEN_MAX;
    const lineEnd = this.text.indexOf('\n', start);
    const end = lineEnd < 0 || isLast ? this.text.length : lineEnd + 1;
    this.at = end;
    this.dropHeredocs();
    const rest = this.text.slice(start, end).trim();
    const isLeftover =
      this.broken.length > 0 && /^(?:fi|done|esac|\}|;;|else|then|do)[ \t]*;?$/.test(rest);
    if (!isLeftover)
      this.broken.push({ start: this.base + start, end: this.base + Math.max(end, failedAt) });
    return [...good, this.#made(start, { kind: 'broken', body: [] })];
  }

  /** Statements up to a reserved word of `ends`, a `)`, a `;;` or the end of the text. */
  protected override statements(ends: readonly string[]): Statement[] {
    const out: Statement[] = [];
    for (;;) {
      const next = this.#one(ends);
      if (next === undefined) return out;
      out.push(next);
    }
  }

  #one(ends: readonly string[]): Statement | undefined {
    this.newlines();
    while (this.char() === ';' && !';&'.includes(this.text.charAt(this.at + 1) || ' ')) {
      this.at += 1;
      this.newlines();
    }
    const char = this.char();
    if (char === '' || char === ')' || this.looksAt(';;') || this.looksAt(';&')) return undefined;
    const word = this.reserved();
    if (word !== undefined && ends.includes(word)) return undefined;
    if (word !== undefined && RESERVED_AS_END.includes(word)) this.fail();
    const statement = this.#andOr();
    this.blanks();
    if (this.char() === '&' && this.text.charAt(this.at + 1) !== '&') {
      this.at += 1;
      return { ...statement, isBackground: true };
    }
    if (!['', ';', '\n', ')'].includes(this.char())) this.fail();
    return statement;
  }

  #andOr(): Statement {
    const start = this.at;
    let left = this.#pipeline();
    for (;;) {
      this.blanks();
      const operator = this.looksAt('&&') ? '&&' : this.looksAt('||') ? '||' : undefined;
      if (operator === undefined) return left;
      this.at += 2;
      this.newlines();
      const right = this.#pipeline();
      left = this.#made(start, { kind: 'list', left, operator, right });
    }
  }

  #pipeline(): Statement {
    const start = this.at;
    const word = this.reserved();
    if (word === '!' || word === 'time') {
      this.at += word.length;
      this.blanks();
      if (word === 'time' && /^-p\s/.test(this.text.slice(this.at, this.at + 3))) this.at += 2;
      this.blanks();
      const body = this.#pipeline();
      return word === 'time' ? body : this.#made(start, { kind: 'not', body });
    }
    const stages = [this.command()];
    for (;;) {
      this.blanks();
      if (this.char() !== '|' || this.text.charAt(this.at + 1) === '|') break;
      this.at += this.text.charAt(this.at + 1) === '&' ? 2 : 1;
      this.newlines();
      stages.push(this.command());
    }
    const [only] = stages;
    return stages.length === 1 && only !== undefined
      ? only
      : this.#made(start, { kind: 'pipeline', stages });
  }

  protected override command(): Statement {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) this.fail();
    const start = this.at;
    const compound = this.compound();
    this.#depth -= 1;
    if (compound === undefined) return this.#simple();
    const redirects = this.#redirects();
    return { ...this.#made(start, compound), redirects };
  }

  #simple(): Statement {
    const start = this.at;
    const assignments: Kind<'simple'>['assignments'][number][] = [];
    const words: Word[] = [];
    const redirects: Redirect[] = [];
    let end = start;
    for (;;) {
      this.blanks();
      const redirect = this.redirect();
      const isDeclaring = DECLARING.includes(words[0]?.source ?? '');
      const assignment =
        redirect === undefined && (words.length === 0 || isDeclaring)
          ? this.assignment()
          : undefined;
      const word = redirect === undefined && assignment === undefined ? this.word() : undefined;
      if (redirect !== undefined) redirects.push(redirect);
      else if (assignment !== undefined) assignments.push(assignment);
      else if (word !== undefined) words.push(word);
      else break;
      end = this.at;
    }
    if (end === start) this.fail();
    const command = words[0]?.source ?? '';
    const bare: BareStatement = DECLARING.includes(command)
      ? { kind: 'declare', command, assignments, words: words.slice(1) }
      : { kind: 'simple', assignments, words };
    return { ...this.#made(start, bare, end), redirects };
  }

  #redirects(): Redirect[] {
    const out: Redirect[] = [];
    for (;;) {
      this.blanks();
      const redirect = this.redirect();
      if (redirect === undefined) return out;
      out.push(redirect);
    }
  }

  #made(start: number, bare: BareStatement, end = this.at): Statement {
    return {
      ...bare,
      start: this.base + start,
      end: this.base + end,
      redirects: [],
      isBackground: false,
    } as Statement;
  }

  protected override script(end: ')' | undefined): Statement[] {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) this.fail();
    const body = this.statements([]);
    if (end !== undefined) this.expect(end);
    this.#depth -= 1;
    return body;
  }

  protected override inner(text: string, base: number): readonly Statement[] {
    if (this.#depth + 1 > DEPTH_MAX) this.fail();
    const { body, broken } = readScript(text, base, this.#depth + 1);
    this.broken.push(...broken);
    return body;
  }

  protected override fail(): never {
    throw new Unreadable(this.at);
  }
}
