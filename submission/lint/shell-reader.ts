/**
 * Reads a shell script (POSIX, and what of bash test authors write) into the tree of `shell-tree.ts`. Never throws. An error is
 * local: what cannot be read is kept as `broken`, and reading goes on with the next line.
 */

import type { Redirect, Script, Span, Statement, Word } from './shell-tree.ts';
import { WordReader } from './shell-words.ts';

/** Compound commands and substitutions inside one another. */
const DEPTH_MAX = 60;
const BROKEN_MAX = 50;
export const SCRIPT_CHARS_MAX = 1_048_576;

type Kind<K extends Statement['kind']> = Extract<Statement, { kind: K }>;
type Bare<S> = S extends Statement
  ? Omit<S, 'start' | 'end' | 'redirects' | 'isBackground'>
  : never;
type BareStatement = Bare<Statement>;

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
const ARITHMETIC_FOR = /\(\(([^;]*);([^;]*);((?:[^()]|\([^()]*\))*)\)\)/y;
const FUNCTION_NAME = /^[^\s"'$`\\;&|()<>{}=]+$/;
const DECLARING = ['export', 'local', 'declare', 'readonly', 'typeset'];

class StatementReader extends WordReader {
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
  statements(ends: readonly string[]): Statement[] {
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
    const word = this.#reserved();
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
    const word = this.#reserved();
    if (word === '!' || word === 'time') {
      this.at += word.length;
      this.blanks();
      if (word === 'time' && /^-p\s/.test(this.text.slice(this.at, this.at + 3))) this.at += 2;
      this.blanks();
      const body = this.#pipeline();
      return word === 'time' ? body : this.#made(start, { kind: 'not', body });
    }
    const stages = [this.#command()];
    for (;;) {
      this.blanks();
      if (this.char() !== '|' || this.text.charAt(this.at + 1) === '|') break;
      this.at += this.text.charAt(this.at + 1) === '&' ? 2 : 1;
      this.newlines();
      stages.push(this.#command());
    }
    const [only] = stages;
    return stages.length === 1 && only !== undefined
      ? only
      : this.#made(start, { kind: 'pipeline', stages });
  }

  #command(): Statement {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) this.fail();
    const start = this.at;
    const compound = this.#compound();
    this.#depth -= 1;
    if (compound === undefined) return this.#simple();
    const redirects = this.#redirects();
    return { ...this.#made(start, compound), redirects };
  }

  #compound(): BareStatement | undefined {
    if (this.looksAt('((')) {
      const source = this.arithmeticCommand();
      if (source !== undefined) return { kind: 'arithmetic', source };
    }
    if (this.char() === '(') {
      this.at += 1;
      const body = this.statements([]);
      this.expect(')');
      return { kind: 'subshell', body };
    }
    const word = this.#reserved();
    switch (word) {
      case '{':
        this.at += 1;
        return { kind: 'group', body: this.#upTo('}') };
      case 'if':
        return this.#if();
      case 'case':
        return this.#case();
      case 'for':
      case 'select':
        return this.#for(word);
      case 'while':
      case 'until': {
        this.at += 5;
        const condition = this.#upTo('do');
        return { kind: 'while', isUntil: word === 'until', condition, body: this.#upTo('done') };
      }
      case 'function':
        this.at += 8;
        return this.#function();
      case '[[':
        this.at += 2;
        return { kind: 'test', isDouble: true, words: this.doubleTest() };
      default:
        return this.#namedFunction();
    }
  }

  /** Statements, and the reserved word behind them. */
  #upTo(end: string): Statement[] {
    const body = this.statements([end]);
    this.#take(end);
    return body;
  }

  #if(): BareStatement {
    this.at += 2;
    const branches: { condition: Statement[]; body: Statement[] }[] = [];
    let otherwise: Statement[] | null = null;
    for (;;) {
      const condition = this.#upTo('then');
      const body = this.statements(['elif', 'else', 'fi']);
      branches.push({ condition, body });
      const word = this.#reserved();
      if (word === undefined) this.fail();
      this.at += word.length;
      if (word === 'elif') continue;
      if (word === 'else') otherwise = this.#upTo('fi');
      return { kind: 'if', branches, otherwise };
    }
  }

  #case(): BareStatement {
    this.at += 4;
    this.blanks();
    const word = this.word() ?? this.fail();
    this.newlines();
    this.#take('in');
    const items: Kind<'case'>['items'][number][] = [];
    for (;;) {
      this.newlines();
      if (this.#reserved() === 'esac') break;
      if (this.char() === '(') this.at += 1;
      const patterns: Word[] = [];
      do {
        if (this.char() === '|') this.at += 1;
        this.blanks();
        patterns.push(this.word() ?? this.fail());
        this.blanks();
      } while (this.char() === '|');
      this.expect(')');
      const body = this.statements(['esac']);
      const ends = [';;&', ';;', ';&'].find((sign) => this.looksAt(sign)) ?? '';
      this.at += ends.length;
      items.push({ patterns, body, falls: ends === ';;&' || ends === ';&' ? ends : '' });
      if (ends === '') break;
    }
    this.newlines();
    this.#take('esac');
    return { kind: 'case', word, items };
  }

  #for(keyword: string): BareStatement {
    this.at += keyword.length;
    this.blanks();
    if (this.looksAt('((')) {
      ARITHMETIC_FOR.lastIndex = this.at;
      const found = ARITHMETIC_FOR.exec(this.text);
      if (found === null) this.fail();
      this.at += found[0].length;
      const [, initial = '', condition = '', update = ''] = found;
      return { kind: 'count', initial, condition, update, body: this.#loopBody() };
    }
    const name = this.name() ?? this.fail();
    this.newlines();
    let words: Word[] | null = null;
    if (this.#reserved() === 'in') {
      this.at += 2;
      words = this.words();
    }
    return { kind: 'for', name, words, body: this.#loopBody() };
  }

  #loopBody(): Statement[] {
    this.blanks();
    if (this.char() === ';') this.at += 1;
    this.newlines();
    if (this.#reserved() === '{') {
      this.at += 1;
      return this.#upTo('}');
    }
    this.#take('do');
    return this.#upTo('done');
  }

  #function(): BareStatement {
    this.blanks();
    const name = this.word()?.source ?? this.fail();
    this.blanks();
    if (this.char() === '(') {
      this.at += 1;
      this.blanks();
      this.expect(')');
    }
    this.newlines();
    return { kind: 'function', name, body: this.#command() };
  }

  #namedFunction(): BareStatement | undefined {
    const found = /([^\s"'$`\\;&|()<>{}=]+)[ \t]*\([ \t]*\)/y;
    found.lastIndex = this.at;
    const [all, name] = found.exec(this.text) ?? [];
    if (all === undefined || name === undefined || !FUNCTION_NAME.test(name)) return undefined;
    this.at += all.length;
    this.newlines();
    return { kind: 'function', name, body: this.#command() };
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

  /** The reserved word, or what looks like one, that stands here. */
  #reserved(): string | undefined {
    const found = /(?:[a-z]+|\{|\}|!|\[\[)(?=[\s;&|()<>]|$)/y;
    found.lastIndex = this.at;
    return found.exec(this.text)?.[0];
  }

  #take(word: string): void {
    if (this.#reserved() !== word) this.fail();
    this.at += word.length;
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
