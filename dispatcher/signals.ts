/**
 * What test scripts say on the console: upstream's `<LAVA_SIGNAL_...>`, and the marks of our own runner and shell. A
 * signal counts wherever it stands (SEMANTICS 2.4): behind text, colours, a kernel's time stamp or a prompt, several on
 * one line, and with a line of the kernel printed through its middle. It does not count in what `set -x` echoes, nor in
 * the source of a script that somebody prints. Pure: nothing that a board prints can make it throw.
 */
import type { DataOf } from '../machines/events.ts';
import { CASE_CHARS_MAX, type CaseResult, measured, resultOf } from '../submission/cases.ts';
import { plainText } from '../submission/quoting.ts';
import type { ConsoleLine } from './console-lines.ts';
import { BOARD_MARK } from './transport/frames.ts';
import { readUpstreamCall, type UpstreamCall } from './transport/upstream-lines.ts';

export type Signal =
  | {
      is: 'case';
      case: string;
      result: CaseResult;
      measurement?: string;
      units?: string;
      note?: string;
    }
  | { is: 'reference'; case: string; result: CaseResult; url: string }
  | { is: 'set-start'; set: string }
  | { is: 'set-stop' }
  | { is: 'raise'; message: string }
  /** A suite begins or ends. Only with the nonce of the action that runs is it one of ours. */
  | { is: 'run-start' | 'run-end'; suite: string; nonce: string }
  /** Start or end of a case, or an event: for people only. */
  | { is: 'note'; text: string }
  /** The test runner is through with its action. */
  | { is: 'runner-exit'; nonce: string }
  /** Printed by the line that we typed, after the runner ended in whatever way. */
  | { is: 'runner-ended'; nonce: string; status: number }
  /** Printed by pid 1 of the board before it starts a new shell; by itself no proof, because it has no nonce. */
  /** A script of the suite that runs ended other than well. */
  | { is: 'script-ended'; nonce: string; status: number; script: ScriptName }
  | { is: 'shell-ended'; status: number }
  /** Printed by a shell that was asked: the runner does not run any more. */
  | { is: 'shell-free'; nonce: string }
  | { is: 'board-ready'; boot: string }
  /** A frame of a board that speaks over its console, whole or not: what stands between its marks. */
  | { is: 'frame'; text: string }
  /** One of LAVA's own scripts calls the MultiNode API, and waits for the answer on its input. */
  | { is: 'call'; call: UpstreamCall }
  /** Looked like a signal and is not one that we can use. */
  | { is: 'garbled'; text: string };

type ScriptName = DataOf<'ScriptEnded'>['script'];

export type Fixups = readonly (readonly [string, CaseResult])[];

/** A signal that is broken over more lines than this is none. */
const BROKEN_LINES_MAX = 8;
const BROKEN_CHARS_MAX = 8_192;
/** Of one signal: values may hold a `>`, and then it ends at a later one. */
const ENDS_MAX = 8;

const START =
  /<(?:LAVA_SIGNAL_|LAVA_MULTI_NODE> <LAVA_|MUSTER_(?:(?:RUNNER|SCRIPT|SHELL|BOARD)_|LINE ))/g;
const UPSTREAM = '<LAVA_SIGNAL_';
const MULTI_NODE = '<LAVA_MULTI_NODE>';
/** The beginning of a start, where the rest of it comes behind a line of the kernel. */
const BROKEN_START = /<(?:LAVA_MULTI_NODE>? ?<?)?[A-Z_]{0,19}$/;
const STAMP = /(?:<\d>)?\[ *\d+\.\d{3,9}\](?:\[ *[CT]\d+\])? /;
/** Reads the lines of one console in their order. */
export class SignalReader {
  #broken: { text: string; lines: number } | undefined;
  #isOpen = false;
  /** What a definition's own words for results stand for. */
  fixups: Fixups = [];

  /** Whether the next line is wanted whatever it holds: it may have the rest of a signal. */
  get wantsNext(): boolean {
    return this.#broken !== undefined;
  }

  /** The signals that end on this line, from left to right. */
  read(line: ConsoleLine): Signal[] {
    const text = plainText(line.text);
    this.#isOpen = line.isOpen === true;
    // The beginning of a long line tells whether a piece of it is an echo.
    if (line.head !== undefined && isTrace(plainText(line.head))) return [];
    const broken = this.#broken;
    if (broken === undefined) return this.#scan(text, 1);
    const stamped = STAMP.exec(text);
    if (stamped?.index === 0) {
      // Another line of the kernel; it may carry a signal of its own.
      const own = this.#scan(text, 1);
      this.#broken = { ...broken, lines: broken.lines + 1 };
      return [...own, ...this.#giveUp()];
    }
    this.#broken = undefined;
    return [...this.#scan(broken.text + text, broken.lines + 1), ...this.#giveUp()];
  }

  #scan(text: string, lines: number): Signal[] {
    const found: Signal[] = [];
    let from = 0;
    START.lastIndex = 0;
    while (true) {
      START.lastIndex = from;
      const start = START.exec(text)?.index ?? -1;
      if (start === -1) break;
      const next = START.exec(text)?.index ?? text.length;
      const region = text.slice(start, next);
      const isEchoed = isEcho(text.slice(0, start), region);
      const read = readSignal(region, this.fixups);
      if (read !== undefined) {
        if (!isEchoed) found.push(read.signal);
        from = start + read.length;
        continue;
      }
      const rest = next === text.length ? brokenAt(region) : undefined;
      if (rest !== undefined && !isEchoed) {
        this.#broken = { text: rest, lines };
        return found;
      }
      if (!isEchoed && region.startsWith(UPSTREAM)) found.push(garbled(region));
      from = next;
    }
    this.#keepStart(text.slice(from), lines);
    return found;
  }

  /** The beginning of a start, before a line of the kernel or at the end of a piece. */
  #keepStart(tail: string, lines: number): void {
    const stamp = STAMP.exec(tail);
    const before = stamp === null ? (this.#isOpen ? tail : '') : tail.slice(0, stamp.index);
    const start = BROKEN_START.exec(before)?.[0];
    if (start !== undefined) this.#broken = { text: start, lines };
  }

  #giveUp(): Signal[] {
    const broken = this.#broken;
    if (broken === undefined) return [];
    if (broken.lines < BROKEN_LINES_MAX && broken.text.length < BROKEN_CHARS_MAX) return [];
    this.#broken = undefined;
    return broken.text.startsWith(UPSTREAM) ? [garbled(broken.text)] : [];
  }
}

/** The first signal of a line that stands alone. */
export const parseSignal = (text: string): Signal | undefined =>
  new SignalReader().read({ text, at: 0, end: 0 })[0];

/** What of a signal without its end is worth keeping until the next line; `undefined`: it is none. */
function brokenAt(region: string): string | undefined {
  const stamp = STAMP.exec(region);
  if (stamp !== null) return region.slice(0, stamp.index);
  const isOpen = region.indexOf('>', region.startsWith(MULTI_NODE) ? MULTI_NODE.length : 0) === -1;
  return isOpen ? region : undefined;
}

// echoes of a shell

const TRACE = /^(?:\[[^\]]*\] *|\d{1,4}[-:][\d:.TZ-]* +)*\++(?=[\s(:]|[\w./-]*:\d+)/;
const TRACE_INSIDE =
  /(?:^|[^+])\++ +((?:\S*\/)?(?:echo|printf|print|cat|tee|logger|signal|eval|sh|bash|env|sudo|su|lava-[\w-]+)\b|\w+=)?[^+]*$/;

/**
 * Whether a line may be what `set -x` prints of a command: it begins with `+ `, `+(` or `+file:12`, behind a time stamp perhaps. More
 * than are such lines (`submission/traces.ts`): a signal that is not meant must not count.
 */
export const isTrace = (line: string): boolean => TRACE.test(line);

/** Whether what stands behind `before` was printed by `set -x`, or is the source of a script. */
function isEcho(before: string, region: string): boolean {
  if (isTrace(before)) return true;
  const isQuoted = /['"]$/.test(before);
  if (isQuoted && /^<(?:MUSTER_|[^>]*\$)/.test(region)) return true;
  // The line was open when the shell wrote: the echo stands behind a script's own text.
  const inside = TRACE_INSIDE.exec(before);
  return inside !== null && (isQuoted || inside[1] !== undefined);
}

// one signal

function readSignal(
  region: string,
  fixups: Fixups,
): { signal: Signal; length: number } | undefined {
  let end = region.indexOf('>');
  if (region.startsWith(MULTI_NODE)) {
    const read = readUpstreamCall(region);
    return read && { signal: { is: 'call', call: read.call }, length: read.length };
  }
  if (region.startsWith(BOARD_MARK)) {
    const text = region.slice(BOARD_MARK.length, end);
    return end === -1 ? undefined : { signal: { is: 'frame', text }, length: end + 1 };
  }
  for (let tried = 0; end !== -1 && tried < ENDS_MAX; tried += 1) {
    const signal = parseOne(region.slice(1, end), fixups);
    if (signal !== undefined) return { signal, length: end + 1 };
    end = region.indexOf('>', end + 1);
  }
  return undefined;
}

function parseOne(text: string, fixups: Fixups): Signal | undefined {
  const at = text.indexOf(' ');
  const head = at === -1 ? text : text.slice(0, at);
  const rest = at === -1 ? '' : text.slice(at + 1).trim();
  if (head.startsWith('MUSTER_')) return parseOwn(head, rest);
  return parseKnown(head.slice(UPSTREAM.length - 1), rest, fixups);
}

function parseOwn(head: string, rest: string): Signal | undefined {
  const match = /^([0-9A-Za-z]{1,64})(?: (\d{1,9}))?(?: (install|run)\.sh)?$/.exec(rest);
  const [, word, number, script] = match ?? [];
  if (word === undefined) return undefined;
  switch (head) {
    case 'MUSTER_RUNNER_EXIT':
      return { is: 'runner-exit', nonce: word };
    case 'MUSTER_RUNNER_ENDED':
      return number === undefined
        ? undefined
        : { is: 'runner-ended', nonce: word, status: Number(number) };
    case 'MUSTER_SCRIPT_ENDED':
      if (number === undefined || script === undefined) return undefined;
      return {
        is: 'script-ended',
        nonce: word,
        status: Number(number),
        script: script === 'run' ? 'run.sh' : 'install.sh',
      };
    case 'MUSTER_SHELL_ENDED':
      return /^\d{1,9}$/.test(word) ? { is: 'shell-ended', status: Number(word) } : undefined;
    case 'MUSTER_SHELL_FREE':
      return { is: 'shell-free', nonce: word };
    case 'MUSTER_BOARD_READY':
      return { is: 'board-ready', boot: word };
    default:
      return undefined;
  }
}

/** `undefined`: no signal that we know, or one with words that we cannot use. */
function parseKnown(kind: string, rest: string, fixups: Fixups): Signal | undefined {
  switch (kind) {
    case 'TESTCASE':
      return parseCase(rest, fixups);
    case 'TESTREFERENCE':
      return parseReference(rest, fixups);
    case 'TESTSET':
      return parseSet(rest);
    case 'TESTRAISE':
      return { is: 'raise', message: clip(rest) };
    case 'STARTRUN':
    case 'ENDRUN': {
      const [suite = '', nonce = ''] = rest.split(/\s+/u);
      if (!isName(suite)) return undefined;
      return { is: kind === 'STARTRUN' ? 'run-start' : 'run-end', suite, nonce: clip(nonce) };
    }
    case 'STARTTC':
    case 'ENDTC':
    case 'TESTEVENT':
    case 'TESTFEEDBACK':
      return { is: 'note', text: clip(`${kind} ${rest}`) };
    default:
      return undefined;
  }
}

/** `TEST_CASE_ID=id RESULT=pass [MEASUREMENT=1.5] [UNITS=s]`, in any order; units may hold blanks, and what is no measurement may. */
function parseCase(rest: string, fixups: Fixups): Signal | undefined {
  const words = new Map<string, string>();
  let last = '';
  for (const word of rest.split(/\s+/u)) {
    const at = word.indexOf('=');
    if (at > 0 && /^\w+$/.test(word.slice(0, at))) {
      last = word.slice(0, at).toUpperCase();
      words.set(last, word.slice(at + 1));
    } else if (last === 'UNITS' || last === 'MEASUREMENT')
      words.set(last, `${words.get(last)} ${word}`);
    else return undefined;
  }
  const name = words.get('TEST_CASE_ID');
  const result = resultOf(words.get('RESULT') ?? '', fixups);
  if (name === undefined || !isName(name) || result === undefined) return undefined;
  return {
    is: 'case',
    case: name,
    result,
    ...measured(words.get('MEASUREMENT'), words.get('UNITS')),
  };
}

/** `id result url` */
function parseReference(rest: string, fixups: Fixups): Signal | undefined {
  const [name = '', word = '', url, ...more] = rest.split(/\s+/u);
  const result = resultOf(word, fixups);
  if (!isName(name) || result === undefined || url === undefined || more.length > 0)
    return undefined;
  return { is: 'reference', case: name, result, url: clip(url) };
}

/** `START name` or `STOP`, whatever follows it; a name may hold blanks. */
function parseSet(rest: string): Signal | undefined {
  const [, word, name = ''] = /^(\S+)\s*(.*)$/s.exec(rest) ?? [];
  if (word === 'STOP') return { is: 'set-stop' };
  if (word === 'START' && isName(name)) return { is: 'set-start', set: name };
  return undefined;
}

const isName = (word: string): boolean => word !== '' && word.length <= CASE_CHARS_MAX;
const clip = (text: string): string => text.slice(0, CASE_CHARS_MAX);

function garbled(region: string): Signal {
  const end = region.indexOf('>');
  return { is: 'garbled', text: clip(end === -1 ? region : region.slice(0, end + 1)).trimEnd() };
}
