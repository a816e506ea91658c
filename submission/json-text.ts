/**
 * Strict JSON (RFC 8259) to a tree with places. Own reader, because `JSON.parse` gives no position of a value, lets
 * duplicate keys pass and words its errors differently in every version of Node.
 * Stops at the first malformed place; goes on after a duplicate key.
 */

import { printable, quote } from './quoting.ts';
import {
  DOCUMENT_DEPTH_MAX,
  DOCUMENT_VALUES_MAX,
  type Entry,
  type Finding,
  isWellFormed,
  Malformed,
  PROTO_MESSAGE,
  placeIn,
  type Reading,
  SURROGATE_MESSAGE,
  type Tree,
} from './tree.ts';

const VALUE = 'a value: an object, a list, a text in double quotes, a number, true, false or null';
const KEY = 'a field name in double quotes';
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /[A-Za-z0-9_.+$-]+/y;
const LITERALS = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
]);
const ESCAPES = new Map(
  Object.entries({
    '"': '"',
    '\\': '\\',
    '/': '/',
    b: '\b',
    f: '\f',
    n: '\n',
    r: '\r',
    t: '\t',
  }),
);

/** @param text without a byte order mark */
export function readJson(text: string): Reading {
  const reader = new JsonReader(text);
  try {
    return { tree: reader.document(), findings: reader.findings };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { findings: [...reader.findings, error.finding] };
  }
}

class JsonReader {
  readonly findings: Finding[] = [];
  readonly #text: string;
  readonly #path: (string | number)[] = [];
  /** Offsets of the brackets that are open. */
  readonly #open: number[] = [];
  #at = 0;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Tree {
    this.#skipBlank();
    if (this.#at >= this.#text.length)
      this.#fail(0, 'the document is empty; expected a JSON object', 'a JSON object');
    const tree = this.#value();
    this.#skipBlank();
    if (this.#at < this.#text.length) this.#unexpected('the end of the document');
    return tree;
  }

  #value(): Tree {
    this.#values += 1;
    if (this.#values > DOCUMENT_VALUES_MAX)
      this.#fail(this.#at, `more than ${DOCUMENT_VALUES_MAX} values in one document`);
    const start = this.#at;
    const c = this.#text[start];
    if (c === '{' || c === '[') return this.#container(c);
    if (c === '"') {
      const value = this.#string();
      return { kind: 'scalar', start, end: this.#at, value };
    }
    const word = this.#match(WORD);
    const literal = LITERALS.get(word);
    if (literal !== undefined) {
      this.#at += word.length;
      return { kind: 'scalar', start, end: this.#at, value: literal };
    }
    if (word === '' || !/^[-+.]?[0-9]/.test(word)) this.#unexpected(VALUE);
    if (this.#match(NUMBER) !== word)
      this.#fail(start, `${quote(word)} is not a JSON number`, 'a JSON number such as 5 or -1.5');
    this.#at += word.length;
    return { kind: 'scalar', start, end: this.#at, value: Number(word) };
  }

  #container(opener: '{' | '['): Tree {
    const start = this.#at;
    if (this.#open.length >= DOCUMENT_DEPTH_MAX)
      this.#fail(start, `nested deeper than ${DOCUMENT_DEPTH_MAX} levels`);
    this.#open.push(start);
    this.#at += 1;
    const tree: Tree =
      opener === '{'
        ? { kind: 'object', start, end: start, entries: new Map() }
        : { kind: 'list', start, end: start, items: [] };
    const closer = opener === '{' ? '}' : ']';
    this.#skipBlank();
    while (this.#text[this.#at] !== closer) {
      if (tree.kind === 'object') this.#entry(tree.entries);
      else {
        this.#path.push(tree.items.length);
        tree.items.push(this.#value());
        this.#path.pop();
      }
      this.#skipBlank();
      if (this.#text[this.#at] === closer) break;
      if (this.#text[this.#at] !== ',') this.#unexpected(`"," or "${closer}"`);
      this.#comma(closer);
    }
    this.#at += 1;
    this.#open.pop();
    tree.end = this.#at;
    return tree;
  }

  #comma(closer: string): void {
    const comma = this.#at;
    this.#at += 1;
    this.#skipBlank();
    if (this.#text[this.#at] === closer)
      this.#fail(comma, `a comma before "${closer}" is not JSON; remove it`, `"${closer}"`);
  }

  #entry(entries: Map<string, Entry>): void {
    const keyOffset = this.#at;
    if (this.#text[keyOffset] !== '"') this.#unexpected(KEY);
    const key = this.#string();
    this.#path.push(key);
    this.#skipBlank();
    if (this.#text[this.#at] !== ':') this.#unexpected('":" after a field name');
    this.#at += 1;
    this.#skipBlank();
    const value = this.#value();
    const first = entries.get(key);
    if (key === '__proto__') this.#find(keyOffset, PROTO_MESSAGE);
    else if (first === undefined) entries.set(key, { keyOffset, value });
    else this.#duplicate(keyOffset, key, first.keyOffset);
    this.#path.pop();
  }

  #duplicate(offset: number, key: string, firstOffset: number): void {
    const text = this.#text;
    const path = [...this.#path];
    const message = () => duplicateMessage(text, key, firstOffset);
    this.findings.push({ offset, path, message });
  }

  /** Reads from the opening quote to behind the closing one. */
  #string(): string {
    const text = this.#text;
    const start = this.#at;
    let value = '';
    let from = start + 1;
    for (let i = from; ; i += 1) {
      const c = text.charCodeAt(i);
      if (c === 0x22) {
        value += text.slice(from, i);
        this.#at = i + 1;
        break;
      }
      if (c === 0x5c) {
        value += text.slice(from, i);
        const special = this.#escape(i);
        value += special.value;
        from = special.end;
        i = special.end - 1;
      } else if (Number.isNaN(c) || c === 0x0a || c === 0x0d)
        this.#fail(start, 'this text has no closing double quote on its line', 'a closing "');
      else if (c < 0x20)
        this.#fail(i, `a control character in a text is written ${escaped(c)}`, escaped(c));
    }
    if (!isWellFormed(value)) this.#fail(start, SURROGATE_MESSAGE);
    return value;
  }

  #escape(at: number): { value: string; end: number } {
    const letter = this.#text[at + 1] ?? '';
    const value = ESCAPES.get(letter);
    if (value !== undefined) return { value, end: at + 2 };
    const hex = this.#text.slice(at + 2, at + 6);
    if (letter === 'u' && /^[0-9A-Fa-f]{4}$/.test(hex))
      return { value: String.fromCharCode(Number.parseInt(hex, 16)), end: at + 6 };
    const expected = 'one of \\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u and four hex digits';
    return this.#fail(at, `not an escape of JSON; expected ${expected}`, expected);
  }

  #skipBlank(): void {
    for (;;) {
      const c = this.#text.charCodeAt(this.#at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.#at += 1;
    }
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0] ?? '';
  }

  #unexpected(expected: string): never {
    const at = this.#at;
    const two = this.#text.slice(at, at + 2);
    if (two === '') this.#ended(expected);
    if (two === '//' || two === '/*' || two.startsWith('#'))
      this.#fail(at, `a comment is not JSON; remove it, expected ${expected}`, expected);
    if (two.startsWith("'"))
      this.#fail(at, `single quotes are not JSON; expected ${expected}`, expected);
    const word = this.#match(WORD);
    const got = quote(word || String.fromCodePoint(this.#text.codePointAt(at) ?? 0));
    const lower = word.toLowerCase();
    const literal = LITERALS.has(lower) ? `; did you mean ${lower}?` : '';
    this.#fail(at, `expected ${expected}, got ${got}${literal}`, expected);
  }

  /** Points behind the last character that is not blank, where the missing piece would go. */
  #ended(expected: string): never {
    const open = this.#open.at(-1);
    let message = `the text ends here; expected ${expected}`;
    if (open !== undefined) {
      const { line, column } = placeIn(this.#text)(open);
      message += ` for the "${this.#text[open]}" of line ${line}, column ${column}`;
    }
    this.#fail(this.#text.trimEnd().length, message, expected);
  }

  #find(offset: number, message: string): void {
    this.findings.push({ offset, path: [...this.#path], message });
  }

  #fail(offset: number, message: string, expected?: string): never {
    const path = [...this.#path];
    throw new Malformed({
      offset,
      path,
      message: printable(message),
      ...(expected === undefined ? {} : { expected }),
    });
  }
}

const escaped = (code: number): string => `\\u${code.toString(16).padStart(4, '0')}`;

/** Of a key that its object has already: both places. */
export function duplicateMessage(text: string, key: string, firstOffset: number): string {
  const { line, column } = placeIn(text)(firstOffset);
  return `${quote(key)} is here twice; the first is at line ${line}, column ${column}`;
}
