/**
 * What test scripts say on the console: upstream's `<LAVA_SIGNAL_...>` lines, and the marks of our own shell.
 * Pure. Nothing that a board prints can make it throw, and a line that is not a signal is `undefined`.
 */

/** Longer lines are looked at only up to here; the rest of the line is skipped. */
export const CONSOLE_LINE_BYTES_MAX = 8_192;
/** A case, a set or a reference is a name, not a story. */
const SIGNAL_WORD_CHARS_MAX = 1_024;

type CaseResult = 'pass' | 'fail' | 'skip' | 'unknown';

export type Signal =
  | { is: 'case'; case: string; result: CaseResult; measurement?: string; units?: string }
  | { is: 'reference'; case: string; result: CaseResult; url: string }
  | { is: 'set-start'; set: string }
  | { is: 'set-stop' }
  | { is: 'raise'; message: string }
  /** Start or end of a case or of a run, or an event: for people only. */
  | { is: 'note'; text: string }
  /** The test runner is through with its action. */
  | { is: 'runner-exit' }
  /** Printed by the line that we typed, after the runner ended in whatever way. */
  | { is: 'runner-ended'; action: number; status: number }
  /** Printed by pid 1 of the board, before it starts a new shell. */
  | { is: 'shell-ended'; status: number }
  | { is: 'board-ready'; boot: string }
  /** Looked like a signal and is not one that we can use. */
  | { is: 'garbled'; text: string };

const RESULTS: ReadonlySet<string> = new Set(['pass', 'fail', 'skip', 'unknown']);
const isResult = (word: string): word is CaseResult => RESULTS.has(word);
const SIGNAL = /^<LAVA_SIGNAL_([A-Z]+)(?: (.*))?>$/u;
const OWN = /^<MUSTER_(RUNNER_ENDED|SHELL_ENDED|BOARD_READY) ([0-9A-Za-z]+)(?: (\d{1,9}))?>$/u;

/**
 * Reads one line of a console, without its line end.
 *
 * A signal stands alone on its line: what `set -x` echoes begins with `+ ` and is none.
 * Source: SEMANTICS 3, "Test shell signals".
 */
export function parseSignal(line: string): Signal | undefined {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  if (!text.startsWith('<')) return undefined;
  if (text === '<LAVA_TEST_RUNNER EXIT>') return { is: 'runner-exit' };
  if (text.startsWith('<MUSTER_')) return parseOwn(text);
  if (!text.startsWith('<LAVA_SIGNAL_')) return undefined;
  const match = SIGNAL.exec(text);
  const kind = match?.[1];
  if (kind === undefined) return { is: 'garbled', text: clip(text) };
  return parseKnown(kind, (match?.[2] ?? '').trim()) ?? { is: 'garbled', text: clip(text) };
}

function parseOwn(text: string): Signal | undefined {
  const match = OWN.exec(text);
  const [, kind, first, second] = match ?? [];
  if (kind === undefined || first === undefined) return undefined;
  if (kind === 'BOARD_READY') return { is: 'board-ready', boot: first };
  const number = Number(first);
  if (!Number.isSafeInteger(number)) return undefined;
  if (kind === 'SHELL_ENDED') return { is: 'shell-ended', status: number };
  return second === undefined
    ? undefined
    : { is: 'runner-ended', action: number, status: Number(second) };
}

/** `undefined`: a signal that we know, with words that we cannot use. */
function parseKnown(kind: string, rest: string): Signal | undefined {
  switch (kind) {
    case 'TESTCASE':
      return parseCase(rest);
    case 'TESTREFERENCE':
      return parseReference(rest);
    case 'TESTSET':
      return parseSet(rest);
    case 'TESTRAISE':
      return { is: 'raise', message: clip(rest) };
    case 'STARTRUN':
    case 'ENDRUN':
    case 'STARTTC':
    case 'ENDTC':
    case 'TESTEVENT':
      return { is: 'note', text: clip(`${kind} ${rest}`) };
    default:
      return undefined;
  }
}

/** `TEST_CASE_ID=id RESULT=pass [MEASUREMENT=1.5] [UNITS=s]`, in any order. */
function parseCase(rest: string): Signal | undefined {
  const words = new Map<string, string>();
  for (const word of rest.split(/\s+/u)) {
    const at = word.indexOf('=');
    if (at > 0) words.set(word.slice(0, at), word.slice(at + 1));
  }
  const name = words.get('TEST_CASE_ID');
  const result = words.get('RESULT');
  if (name === undefined || !isName(name) || result === undefined || !isResult(result))
    return undefined;
  const measurement = words.get('MEASUREMENT');
  const units = words.get('UNITS');
  return {
    is: 'case',
    case: name,
    result,
    ...(measurement ? { measurement: clip(measurement) } : {}),
    ...(units ? { units: clip(units) } : {}),
  };
}

/** `id result url` */
function parseReference(rest: string): Signal | undefined {
  const [name, result, url] = rest.split(/\s+/u);
  if (name === undefined || !isName(name) || result === undefined || !isResult(result))
    return undefined;
  return url === undefined ? undefined : { is: 'reference', case: name, result, url: clip(url) };
}

/** `START name` or `STOP` */
function parseSet(rest: string): Signal | undefined {
  const [word, name] = rest.split(/\s+/u);
  if (word === 'STOP') return { is: 'set-stop' };
  if (word === 'START' && name !== undefined && isName(name)) return { is: 'set-start', set: name };
  return undefined;
}

const isName = (word: string): boolean => word !== '' && word.length <= SIGNAL_WORD_CHARS_MAX;
const clip = (text: string): string => text.slice(0, SIGNAL_WORD_CHARS_MAX);

/** One line of a console, and the byte offset in the console at which the line after it begins. */
export interface ConsoleLine {
  /** The line without its end; cut after `CONSOLE_LINE_BYTES_MAX` bytes. */
  text: string;
  /** Byte offset of the line's first byte. */
  at: number;
  /** Byte offset after the line's LF. */
  end: number;
}

/**
 * Cuts a stream of bytes into lines and gives those that begin with `<`: only they can be signals, and the
 * rest of a console is skipped at the speed of a byte search. Memory does not grow with what is printed.
 * However the bytes are split into chunks, the lines are the same. A last line without LF is not yet a line.
 */
export class LineCutter {
  #where: 'line-start' | 'in-signal' | 'in-text' = 'line-start';
  #held: Buffer = Buffer.alloc(0);
  #lineAt: number;
  #next: number;

  /** @param from byte offset in the console of the first byte that will be pushed; a line begins there */
  constructor(from: number) {
    this.#lineAt = from;
    this.#next = from;
  }

  /** Byte offset of the next byte that is wanted. */
  get position(): number {
    return this.#next;
  }

  *push(chunk: Buffer): Generator<ConsoleLine> {
    const base = this.#next;
    let from = 0;
    while (from < chunk.length) {
      if (this.#where === 'line-start') this.#begin(chunk, from, base);
      if (this.#where === 'in-text') {
        from = this.#skip(chunk, from);
        continue;
      }
      const lf = chunk.indexOf(10, from);
      const to = lf === -1 ? chunk.length : lf;
      this.#hold(chunk.subarray(from, to));
      from = to;
      if (lf === -1) break;
      from += 1;
      this.#next = base + from;
      yield { text: this.#held.toString('utf8'), at: this.#lineAt, end: this.#next };
      this.#held = Buffer.alloc(0);
      this.#where = 'line-start';
    }
    this.#next = base + chunk.length;
  }

  #begin(chunk: Buffer, from: number, base: number): void {
    this.#where = chunk[from] === LESS_THAN ? 'in-signal' : 'in-text';
    this.#lineAt = base + from;
  }

  /** Skips to the next line that begins with `<`, or over the whole chunk. */
  #skip(chunk: Buffer, from: number): number {
    const next = chunk.indexOf(SIGNAL_START, from);
    if (next !== -1) {
      this.#where = 'line-start';
      return next + 1;
    }
    if (chunk[chunk.length - 1] === LF) this.#where = 'line-start';
    return chunk.length;
  }

  #hold(part: Buffer): void {
    const room = CONSOLE_LINE_BYTES_MAX - this.#held.length;
    if (room > 0 && part.length > 0)
      this.#held = Buffer.concat([this.#held, part.subarray(0, room)]);
  }
}

const LF = 10;
const LESS_THAN = 60;
const SIGNAL_START = Buffer.from('\n<');
