/** The sums of a shell, `$((...))`, over whole numbers; `undefined`: something in it is not known, or is no sum. */

type Look = (name: string) => string | undefined;
type Assign = (name: string, value: string | undefined) => void;

const TOKEN =
  /\s*(?:(0[xX][0-9a-fA-F]+|\d+#[0-9a-zA-Z]+|\d+)|\$?\{?([A-Za-z_]\w*)\}?|(\+\+|--|<<=|>>=|\*\*|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&^|]=|[-+*/%<>&|^!~?:=(),]))/y;
const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const DEPTH_MAX = 100;

export function sum(source: string, look: Look, assign: Assign): number | undefined {
  const tokens = tokensOf(source);
  if (tokens === undefined) return undefined;
  if (tokens.length === 0) return 0;
  const reader = new Sum(tokens, look, assign);
  const value = reader.comma(0);
  return reader.isDone ? value : undefined;
}

interface Token {
  readonly kind: 'number' | 'name' | 'sign';
  readonly text: string;
}

function tokensOf(source: string): Token[] | undefined {
  const out: Token[] = [];
  const text = source.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const found = TOKEN.exec(text);
    if (found === null) return undefined;
    const [, number, name, sign] = found;
    if (number !== undefined) out.push({ kind: 'number', text: number });
    else if (name !== undefined) out.push({ kind: 'name', text: name });
    else out.push({ kind: 'sign', text: sign ?? '' });
  }
  return out;
}

/** `0x1f`, `017`, `10#08`; `undefined`: it is none. */
function numberOf(text: string): number | undefined {
  const [, base, digits = ''] = /^(\d+)#(\w+)$/.exec(text) ?? [];
  const value =
    base === undefined
      ? Number(/^0\d/.test(text) ? `0o${text.slice(1)}` : text)
      : Number.parseInt(digits, Number(base));
  const isWhole =
    base === undefined ||
    value.toString(Number(base)) === digits.toLowerCase().replace(/^0+(?=.)/, '');
  return Number.isNaN(value) || !isWhole ? undefined : value;
}

class Sum {
  readonly #tokens: readonly Token[];
  readonly #look: Look;
  readonly #assign: Assign;
  #at = 0;

  constructor(tokens: readonly Token[], look: Look, assign: Assign) {
    this.#tokens = tokens;
    this.#look = look;
    this.#assign = assign;
  }

  get isDone(): boolean {
    return this.#at >= this.#tokens.length;
  }

  #next(...signs: readonly string[]): string | undefined {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'sign' || !signs.includes(token.text)) return undefined;
    this.#at += 1;
    return token.text;
  }

  comma(depth: number): number | undefined {
    let value = this.#assignment(depth);
    while (this.#next(',') !== undefined) value = this.#assignment(depth);
    return value;
  }

  #assignment(depth: number): number | undefined {
    if (depth > DEPTH_MAX) return undefined;
    const [name, sign] = [this.#tokens[this.#at], this.#tokens[this.#at + 1]];
    const isAssigned =
      name?.kind === 'name' && sign?.kind === 'sign' && /^(?:[-+*/%]|<<|>>)?=$/.test(sign.text);
    if (!isAssigned) return this.#ternary(depth);
    this.#at += 2;
    const right = this.#assignment(depth + 1);
    const operator = sign.text.slice(0, -1);
    const value = operator === '' ? right : apply(operator, this.#value(name.text), right);
    this.#assign(name.text, value === undefined ? undefined : String(value));
    return value;
  }

  #ternary(depth: number): number | undefined {
    const condition = this.#binary(0, depth);
    if (this.#next('?') === undefined) return condition;
    const yes = this.#assignment(depth + 1);
    this.#next(':');
    const no = this.#assignment(depth + 1);
    return condition === undefined ? undefined : condition !== 0 ? yes : no;
  }

  #binary(level: number, depth: number): number | undefined {
    const signs = LEVELS[level];
    if (signs === undefined) return this.#unary(depth);
    let left = this.#binary(level + 1, depth);
    for (let sign = this.#next(...signs); sign !== undefined; sign = this.#next(...signs))
      left = apply(sign, left, this.#binary(level + 1, depth));
    return left;
  }

  #unary(depth: number): number | undefined {
    if (depth > DEPTH_MAX) return undefined;
    const step = this.#next('++', '--');
    if (step !== undefined) return this.#stepped(step, true);
    const sign = this.#next('-', '+', '!', '~');
    if (sign !== undefined) {
      const value = this.#unary(depth + 1);
      if (value === undefined) return undefined;
      return sign === '-'
        ? -value
        : sign === '!'
          ? Number(value === 0)
          : sign === '~'
            ? ~value
            : value;
    }
    if (this.#next('(') !== undefined) {
      const value = this.comma(depth + 1);
      if (this.#next(')') === undefined) this.#at = Number.POSITIVE_INFINITY;
      return value;
    }
    const token = this.#tokens[this.#at];
    this.#at += 1;
    if (token?.kind === 'number') return numberOf(token.text);
    if (token?.kind !== 'name') return undefined;
    const after = this.#next('++', '--');
    if (after === undefined) return this.#value(token.text);
    this.#at -= 2;
    return this.#stepped(after, false);
  }

  #stepped(step: string, isBefore: boolean): number | undefined {
    const token = this.#tokens[this.#at];
    this.#at += isBefore ? 1 : 2;
    if (token?.kind !== 'name') return undefined;
    const old = this.#value(token.text);
    const value = old === undefined ? undefined : old + (step === '++' ? 1 : -1);
    this.#assign(token.text, value === undefined ? undefined : String(value));
    return isBefore ? value : old;
  }

  #value(name: string): number | undefined {
    const text = this.#look(name)?.trim();
    if (text === undefined) return undefined;
    if (text === '') return 0;
    return /^[-+]?\d+$/.test(text) ? Number(text) : undefined;
  }
}

function apply(sign: string, a: number | undefined, b: number | undefined): number | undefined {
  if (sign === '&&' && (a === 0 || b === 0)) return 0;
  if (a === undefined || b === undefined) return undefined;
  switch (sign) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return b === 0 ? undefined : Math.trunc(a / b);
    case '%':
      return b === 0 ? undefined : a % b;
    case '<<':
      return a << b;
    case '>>':
      return a >> b;
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    default:
      return Number(compare(sign, a, b));
  }
}

function compare(sign: string, a: number, b: number): boolean {
  switch (sign) {
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    case '>=':
      return a >= b;
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '&&':
      return a !== 0 && b !== 0;
    default:
      return a !== 0 || b !== 0;
  }
}
