/** `test`, `[` and `[[`: what they find, where what they look at is known. */
import { globParts, textValue } from './expansions.ts';
import { fieldsOf } from './fields.ts';
import { fitsGlob, sameWord } from './globs.ts';
import { holdsSign } from './names.ts';
import { exact, NOT_ZERO, type Pattern, partsOf, patternKey, patternText } from './patterns.ts';
import { takenOf, told } from './reads.ts';
import { failed, flipped, ok, type Status } from './scope.ts';
import type { Word } from './shell-tree.ts';
import { expressionOf } from './text-tools.ts';
import { lookedUp } from './variables.ts';
import type { Walk } from './walk.ts';

interface Operand {
  readonly value: Pattern;
  readonly word: Word;
}

/** Of the script that was asked about last. */
let asked: { readonly text: string; readonly names: ReadonlySet<string> } | undefined;

function namesSetIn(text: string): ReadonlySet<string> {
  if (asked?.text !== text) {
    const found = text.matchAll(/(?<![^\s;&|({])([A-Za-z_]\w*)=/g);
    asked = { text, names: new Set(Array.from(found, ([, name = '']) => name)) };
  }
  return asked.names;
}

const known = (is: boolean): Status => (is ? ok : failed);

/** @param isDouble `[[`: words are not split, and what stands right of `==` is a pattern */
export function testStatus(walk: Walk, words: readonly Word[], isDouble: boolean): Status {
  const operands: readonly Operand[] = isDouble
    ? words.map((word) => ({ value: textValue(walk, word), word }))
    : fieldsOf(walk, words);
  const values = operands.map(({ value }) => value);
  const text = words.map(({ source }) => source).join(' ');
  // What fitted is asked for later: where it depends on a way, nobody keeps which.
  if (isDouble && text.includes('=~')) walk.scope.arrays.delete('BASH_REMATCH');
  return walk.decided(values, text, (known) =>
    new Test(
      walk,
      operands.map(({ word, value }, index) => ({ word, value: known[index] ?? value })),
      isDouble,
      values.every(({ kind }) => kind === 'exact'),
    ).whole(),
  );
}

const BINARY = [
  '=',
  '==',
  '!=',
  '-eq',
  '-ne',
  '-lt',
  '-le',
  '-gt',
  '-ge',
  '=~',
  '<',
  '>',
  '-nt',
  '-ot',
  '-ef',
];
const SIGNS = /^(?:!|\(|\)|&&|\|\||-a|-o|-[a-zA-Z])$/;

class Test {
  readonly #walk: Walk;
  readonly #operands: readonly Operand[];
  readonly #isDouble: boolean;
  readonly #isKnown: boolean;
  #at = 0;

  constructor(walk: Walk, operands: readonly Operand[], isDouble: boolean, isKnown: boolean) {
    this.#walk = walk;
    this.#operands = operands;
    this.#isDouble = isDouble;
    this.#isKnown = isKnown;
  }

  whole(): Status {
    if (this.#operands.length === 0) return failed;
    const status = this.#or();
    return this.#at >= this.#operands.length ? status : this.#open('all');
  }

  #or(): Status {
    let left = this.#and();
    while (this.#takes(this.#isDouble ? '||' : '-o')) left = this.#joined(left, this.#and(), 'or');
    return left;
  }

  #and(): Status {
    let left = this.#one();
    while (this.#takes(this.#isDouble ? '&&' : '-a')) left = this.#joined(left, this.#one(), 'and');
    return left;
  }

  #joined(a: Status, b: Status, by: 'and' | 'or'): Status {
    const decides = by === 'and' ? 'failed' : 'ok';
    if (a.is === decides || b.is === decides) return known(by === 'or');
    if (a.is !== 'either') return b;
    if (b.is !== 'either') return a;
    return this.#open(`${a.key} ${a.isFlipped} ${by} ${b.key} ${b.isFlipped}`);
  }

  #one(): Status {
    const first = this.#text(0);
    const second = this.#text(1);
    const left = this.#operands.length - this.#at;
    if (left >= 3 && second !== undefined && BINARY.includes(second)) return this.#binary(second);
    if (first === '!' && left > 1) {
      this.#at += 1;
      return flipped(this.#one());
    }
    if (first === '(' && left > 1) {
      this.#at += 1;
      const inner = this.#or();
      this.#takes(')');
      return inner;
    }
    if (first !== undefined && /^-[a-zA-Z]$/.test(first) && left > 1) return this.#unary(first);
    const operand = this.#operands[this.#at];
    this.#at += 1;
    return operand === undefined ? failed : this.#isLong(operand);
  }

  #binary(sign: string): Status {
    const [left, , right] = this.#operands.slice(this.#at, this.#at + 3);
    this.#at += 3;
    if (left === undefined || right === undefined) return failed;
    const key = `${patternKey(left.value)} ${sign} ${patternKey(right.value)}`;
    if (sign === '=' || sign === '==' || sign === '!=') {
      const zero = this.#againstZero(sign, left.value, right.value);
      if (zero !== undefined) return known(zero);
      const same =
        this.#isDouble && right.word.parts.length > 0
          ? fitsGlob(left.value, globParts(this.#walk, right.word))
          : sameWord(left.value, right.value);
      const equal = `${patternKey(left.value)} = ${patternKey(right.value)}`;
      const status = same === undefined ? this.#open(equal, left, right, '=') : known(same);
      return sign === '!=' ? flipped(status) : status;
    }
    const fits = sign === '=~' ? this.#fits(left.value, right.word) : undefined;
    if (fits !== undefined) return known(fits);
    const zero = this.#againstZero(sign, left.value, right.value);
    if (zero !== undefined) return known(zero);
    const [a, b] = [this.#number(left.value), this.#number(right.value)];
    if (a === undefined || b === undefined) return this.#open(key, left, right, sign);
    switch (sign) {
      case '-eq':
        return known(a === b);
      case '-ne':
        return known(a !== b);
      case '-lt':
        return known(a < b);
      case '-le':
        return known(a <= b);
      case '-gt':
        return known(a > b);
      case '-ge':
        return known(a >= b);
      default:
        return this.#open(key, left, right, sign);
    }
  }

  /** `[[ text =~ expression ]]`, with what fits each of its parentheses; `undefined`: not known. */
  #fits(left: Pattern, word: Word): boolean | undefined {
    const parts = globParts(this.#walk, word);
    if (left.kind !== 'exact' || holdsSign(left.text) || parts === undefined) return undefined;
    const source = parts
      .map(({ text, isPlain }) => (isPlain ? text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : text))
      .join('');
    const expression = parts.some(({ isPlain }) => isPlain)
      ? undefined
      : expressionOf(source, true);
    const found = expression?.exec(left.text);
    if (expression === undefined || found === undefined) return undefined;
    // Of several that fit a shell takes the longest: which one that is, is not asked here.
    if (found !== null && this.#isKnown && !source.includes('|'))
      this.#walk.scope.arrays.set(
        'BASH_REMATCH',
        Array.from(found, (text) => exact(text ?? '')),
      );
    return found !== null;
  }

  /** `[ $? -ne 0 ]`, where how it ended is not known but that it failed. */
  #againstZero(sign: string, left: Pattern, right: Pattern): boolean | undefined {
    const isOther = left.kind === 'unknown' && left.id?.startsWith(NOT_ZERO);
    if (!isOther || right.kind !== 'exact' || right.text !== '0') return undefined;
    if (['=', '==', '-eq', '-lt', '-le'].includes(sign)) return false;
    return ['!=', '-ne', '-gt', '-ge'].includes(sign) ? true : undefined;
  }

  #number(value: Pattern): number | undefined {
    if (value.kind !== 'exact') return undefined;
    const text = value.text.trim();
    return /^[-+]?\d+$/.test(text) ? Number(text) : undefined;
  }

  #unary(sign: string): Status {
    const operand = this.#operands[this.#at + 1];
    this.#at += 2;
    if (operand === undefined) return failed;
    const { value } = operand;
    switch (sign) {
      case '-n':
        return this.#isLong(operand);
      case '-z':
        return flipped(this.#isLong(operand));
      case '-v':
        return value.kind === 'exact' && lookedUp(this.#walk, value.text) !== undefined
          ? ok
          : this.#open(`set ${patternKey(value)}`);
      case '-d':
        return this.#walk.hasFolder(value) ? ok : this.#open(`${sign} ${patternKey(value)}`);
      case '-e':
      case '-f':
      case '-x':
      case '-r':
      case '-s':
        return this.#walk.hasFile(value) ? ok : this.#open(`${sign} ${patternKey(value)}`);
      default:
        return this.#open(`${sign} ${patternKey(value)}`);
    }
  }

  /** Whether a word has any characters. */
  #isLong({ value }: Operand): Status {
    if (value.kind === 'exact') return known(value.text !== '');
    const parts = partsOf(value);
    if (parts.some((part) => typeof part === 'string' && part !== '')) return ok;
    if (value.kind === 'unknown' && this.#isOwn(value.id)) return failed;
    const taken = takenOf(this.#walk, value);
    if (taken !== undefined) return told(taken.key, patternText(value));
    return this.#open(`long ${patternKey(value)}`);
  }

  /** A variable that nothing has set, and that the script sets itself: it is not in the environment. */
  #isOwn(id: string | undefined): boolean {
    const [, name] = /^env (\w+)$/.exec(id ?? '') ?? [];
    if (name === undefined) return false;
    return namesSetIn(this.#walk.source.text).has(name);
  }

  #text(ahead: number): string | undefined {
    const operand = this.#operands[this.#at + ahead];
    if (operand?.value.kind !== 'exact' || holdsSign(operand.value.text)) return undefined;
    // A sign in quotes is a word, but where test(1) takes it as a sign all the same.
    return this.#isDouble && SIGNS.test(operand.value.text) && /['"]/.test(operand.word.source)
      ? undefined
      : operand.value.text;
  }

  #takes(sign: string): boolean {
    if (this.#text(0) !== sign) return false;
    this.#at += 1;
    return true;
  }

  #open(key: string, left?: Operand, right?: Operand, sign = ''): Status {
    const isNamed = left !== undefined && right !== undefined;
    const text = isNamed ? `${patternText(left.value)} ${sign} ${patternText(right.value)}` : '';
    const holes =
      left === undefined
        ? false
        : hasUnnamedHole(left.value) || hasUnnamedHole(right?.value ?? exact(''));
    return {
      is: 'either',
      key: holes ? `test ${this.#walk.id()}` : `test ${key}`,
      isFlipped: false,
      text: holdsSign(text) ? '' : text,
      isCall: false,
    };
  }
}

const hasUnnamedHole = (pattern: Pattern): boolean =>
  partsOf(pattern).some((part) => typeof part !== 'string' && part.id === undefined);
