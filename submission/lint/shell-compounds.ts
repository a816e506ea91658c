/** The compound commands of a shell: `if`, `case`, loops, functions, groups. */
import type { Statement, Word } from './shell-tree.ts';
import { WordReader } from './shell-words.ts';

export type Kind<K extends Statement['kind']> = Extract<Statement, { kind: K }>;
type Bare<S> = S extends Statement
  ? Omit<S, 'start' | 'end' | 'redirects' | 'isBackground'>
  : never;
export type BareStatement = Bare<Statement>;

const ARITHMETIC_FOR = /\(\(([^;]*);([^;]*);((?:[^()]|\([^()]*\))*)\)\)/y;
const RESERVED = /(?:[a-z]+|\{|\}|!|\[\[)(?=[\s;&|()<>]|$)/y;
const NAMED_FUNCTION = /([^\s"'$`\\;&|()<>{}=]+)[ \t]*\([ \t]*\)/y;
const FUNCTION_NAME = /^[^\s"'$`\\;&|()<>{}=]+$/;

export abstract class CompoundReader extends WordReader {
  /** Statements up to a reserved word of `ends`, a `)`, a `;;` or the end of the text. */
  protected abstract statements(ends: readonly string[]): Statement[];
  protected abstract command(): Statement;

  protected compound(): BareStatement | undefined {
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
    const word = this.reserved();
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
      const word = this.reserved();
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
      if (this.reserved() === 'esac') break;
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
    if (this.reserved() === 'in') {
      this.at += 2;
      words = this.words();
    }
    return { kind: 'for', name, words, body: this.#loopBody() };
  }

  #loopBody(): Statement[] {
    this.blanks();
    if (this.char() === ';') this.at += 1;
    this.newlines();
    if (this.reserved() === '{') {
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
    return { kind: 'function', name, body: this.command() };
  }

  #namedFunction(): BareStatement | undefined {
    NAMED_FUNCTION.lastIndex = this.at;
    const [all, name] = NAMED_FUNCTION.exec(this.text) ?? [];
    if (all === undefined || name === undefined || !FUNCTION_NAME.test(name)) return undefined;
    this.at += all.length;
    this.newlines();
    return { kind: 'function', name, body: this.command() };
  }

  /** The reserved word, or what looks like one, that stands here. */
  protected reserved(): string | undefined {
    RESERVED.lastIndex = this.at;
    return RESERVED.exec(this.text)?.[0];
  }

  #take(word: string): void {
    if (this.reserved() !== word) this.fail();
    this.at += word.length;
  }
}
