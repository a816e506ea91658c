/** What Python prints of its plain values (`repr`): dictionaries, lists, texts, numbers, None. */

export type Literal = string | number | boolean | null | Literal[] | { [key: string]: Literal };

/** `undefined`: the text is none, or is cut off. */
export function pythonLiteral(text: string): Literal | undefined {
  const reader = new Reader(text);
  try {
    const value = reader.value();
    return reader.isAtEnd ? value : undefined;
  } catch (error) {
    if (error instanceof NoLiteral) return undefined;
    throw error;
  }
}

class NoLiteral extends Error {}

const DEPTH_MAX = 32;
const WORDS: Readonly<Record<string, Literal>> = { None: null, True: true, False: false };
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    this.#skip();
    return this.#at === this.#text.length;
  }

  value(): Literal {
    this.#skip();
    const first = this.#text[this.#at] ?? '';
    if (first === '{') return this.#nested(() => this.#dictionary());
    if (first === '[' || first === '(') return this.#nested(() => this.#list());
    if (first === "'" || first === '"') return this.#string(first);
    const [word = ''] = /^-?[\w.+-]+/.exec(this.#text.slice(this.#at, this.#at + 40)) ?? [];
    this.#at += word.length;
    if (Object.hasOwn(WORDS, word)) return WORDS[word] ?? null;
    if (/^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/.test(word)) return Number(word);
    throw new NoLiteral();
  }

  #nested<T>(read: () => T): T {
    this.#depth++;
    if (this.#depth > DEPTH_MAX) throw new NoLiteral();
    this.#at++;
    const value = read();
    this.#depth--;
    return value;
  }

  #dictionary(): Literal {
    const out: [string, Literal][] = [];
    while (!this.#takes('}')) {
      const key = this.value();
      if (!this.#takes(':')) throw new NoLiteral();
      out.push([String(key), this.value()]);
      if (!this.#takes(',') && this.#peek() !== '}') throw new NoLiteral();
    }
    return Object.fromEntries(out);
  }

  #list(): Literal {
    const out: Literal[] = [];
    while (!this.#takes(']') && !this.#takes(')')) {
      out.push(this.value());
      if (!this.#takes(',') && !'])'.includes(this.#peek() || ' ')) throw new NoLiteral();
    }
    return out;
  }

  #string(quote: string): string {
    let out = '';
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      const char = this.#text[at] ?? '';
      if (char === quote) {
        this.#at = at + 1;
        return out;
      }
      if (char !== '\\') {
        out += char;
        continue;
      }
      at++;
      const escaped = this.#text[at] ?? '';
      const digits = { x: 2, u: 4, U: 8 }[escaped];
      if (digits === undefined) out += ESCAPES[escaped] ?? escaped;
      else {
        const code = Number.parseInt(this.#text.slice(at + 1, at + 1 + digits), 16);
        if (Number.isNaN(code) || code > 0x10ffff) throw new NoLiteral();
        out += String.fromCodePoint(code);
        at += digits;
      }
    }
    throw new NoLiteral();
  }

  #peek(): string {
    this.#skip();
    return this.#text[this.#at] ?? '';
  }

  #takes(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }

  #skip(): void {
    while (this.#text[this.#at] === ' ') this.#at++;
  }
}
