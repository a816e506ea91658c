/**
 * What the console of one action means: which suite runs, which set is open, what is to be reported. Pure, and the same
 * for the same bytes: a server that starts anew hears all of it again, under the same keys.
 */
import type { MemberCommand } from '../machines/commands.ts';
import { plainText } from '../submission/quoting.ts';
import type { ConsoleLine } from './console-lines.ts';
import { isTrace, type Signal, SignalReader } from './signals.ts';
import type { PreparedSuite } from './suites.ts';
import type { UpstreamCall } from './transport/upstream-lines.ts';

/** What of a suite its console is read with. */
export type HeardSuite = Pick<PreparedSuite, 'suite' | 'definition' | 'fixups' | 'rules'>;

/** What stands between the marks of another run is kept back: more than this counts after all. */
const HELD_MAX = 10_000;
const HELD_CHARS_MAX = 4_194_304;
const GARBLED_MAX = 1_000;

export type Heard =
  /** `key` is the place in the console: the same when it is read again. */
  | { is: 'report'; command: MemberCommand; key: string; end: number }
  | { is: 'suite-started'; suite: HeardSuite }
  | { is: 'suite-ended'; suite: HeardSuite }
  /** A script of the suite that runs ended other than well; `from`, `at`: where the suite and the mark begin. */
  | {
      is: 'script-ended';
      suite: string;
      script: Ended['script'];
      status: number;
      from: number;
      at: number;
      key: string;
    }
  /** For the patterns of the suite that runs; `set` is open where the line stands. */
  | { is: 'line'; line: ConsoleLine; set?: string }
  | { is: 'note'; text: string }
  /** A frame of the board, and where its line begins. */
  | { is: 'frame'; text: string; at: number }
  /** A call of LAVA's own scripts; `place` is the same when the console is read again. */
  | { is: 'call'; call: UpstreamCall; place: string }
  | { is: 'exit' }
  | { is: 'runner-ended'; status: number }
  | { is: 'shell-ended'; status: number }
  | { is: 'shell-free' };

type Ended = Extract<MemberCommand, { type: 'EndScript' }>;
export type HeardLine = Extract<Heard, { is: 'line' }>;

interface Place {
  line: ConsoleLine;
  index: number;
}
/** A signal, or a line for the patterns. */
type Held = [Signal | { is: 'line' }, Place];

export class ActionListener {
  readonly #member: string;
  readonly #nonce: string;
  readonly #suites: readonly HeardSuite[];
  readonly #reader = new SignalReader();
  #running: HeardSuite | undefined;
  /** Where it begins on the console. */
  #runningFrom = 0;
  /** Whoever opened it, by verb or by signal: one a suite. */
  #set: string | undefined;
  /** Another run's marks came: somebody prints an old console. What stands between them is not ours. */
  #other: { suite: string; nonce: string; held: Held[]; chars: number } | undefined;
  #garbled = 0;
  #isGivenUp = false;

  constructor(member: string, nonce: string, suites: readonly HeardSuite[]) {
    this.#member = member;
    this.#nonce = nonce;
    this.#suites = suites;
  }

  /** Whether the next line is wanted whatever it holds. */
  get wantsNext(): boolean {
    return this.#reader.wantsNext || this.#hasPatterns;
  }

  /** The patterns of the suite that runs are not asked any more. */
  givePatternsUp(): void {
    this.#isGivenUp = true;
  }

  get #hasPatterns(): boolean {
    return (this.#running?.rules.length ?? 0) > 0 && !this.#isGivenUp;
  }

  hear(line: ConsoleLine): Heard[] {
    const signals = this.#reader.read(line);
    if (signals.length > 0)
      return signals.flatMap((signal, index) => this.#take(signal, { line, index }));
    const isMatched =
      this.#hasPatterns &&
      !/<(?:LAVA_SIGNAL_|MUSTER_LINE )/.test(line.text) &&
      !line.text.startsWith('muster: ') &&
      !isTrace(plainText(line.text));
    return isMatched ? this.#count({ is: 'line' }, { line, index: 0 }) : [];
  }

  #take(signal: Signal, place: Place): Heard[] {
    switch (signal.is) {
      case 'run-start':
        return signal.nonce === this.#nonce ? this.#start(signal.suite, place) : this.#open(signal);
      case 'run-end':
        return signal.nonce === this.#nonce ? this.#end(signal.suite, place) : this.#shut(signal);
      case 'script-ended':
        return signal.nonce === this.#nonce ? this.#scriptEnded(signal, place) : [];
      case 'runner-exit':
        return signal.nonce === this.#nonce ? [...this.#release(), { is: 'exit' }] : [];
      case 'runner-ended':
        if (signal.nonce !== this.#nonce) return [];
        return [...this.#release(), { is: 'runner-ended', status: signal.status }];
      case 'shell-ended':
        return [{ is: 'shell-ended', status: signal.status }];
      case 'shell-free':
        return signal.nonce === this.#nonce ? [...this.#release(), { is: 'shell-free' }] : [];
      case 'board-ready':
      case 'note':
        return [];
      case 'frame':
        // Its sum tells whose it is.
        return [{ is: 'frame', text: signal.text, at: place.line.at }];
      default:
        return this.#count(signal, place);
    }
  }

  // suites

  #start(name: string, place: Place): Heard[] {
    const suite = this.#suites.find((one) => one.suite === name);
    if (suite === undefined) return [];
    const released = this.#release();
    this.#running = suite;
    this.#runningFrom = place.line.at;
    this.#isGivenUp = false;
    this.#set = undefined;
    this.#reader.fixups = suite.fixups;
    const { definition } = suite;
    const command = { type: 'StartSuite', member: this.#member, suite: name, definition } as const;
    return [...released, this.#report(command, place), { is: 'suite-started', suite }];
  }

  #end(name: string, place: Place): Heard[] {
    const suite = this.#running;
    if (suite?.suite !== name) return [];
    const released = this.#release();
    this.#running = undefined;
    this.#set = undefined;
    this.#reader.fixups = [];
    const command = { type: 'EndSuite', member: this.#member, suite: name } as const;
    // What its patterns found comes before its end.
    return [...released, { is: 'suite-ended', suite }, this.#report(command, place)];
  }

  #scriptEnded({ script, status }: Extract<Signal, { is: 'script-ended' }>, place: Place): Heard[] {
    const suite = this.#running?.suite;
    if (suite === undefined) return [];
    const { line, index } = place;
    const key = `script.${line.at}.${index}`;
    const ended = { suite, script, status, from: this.#runningFrom, at: line.at, key };
    return [...this.#release(), { is: 'script-ended', ...ended }];
  }

  // the marks of another run

  #open({ suite, nonce }: { suite: string; nonce: string }): Heard[] {
    this.#other ??= { suite, nonce, held: [], chars: 0 };
    return [];
  }

  #shut({ suite, nonce }: { suite: string; nonce: string }): Heard[] {
    const other = this.#other;
    if (other === undefined || other.suite !== suite || other.nonce !== nonce) return [];
    this.#other = undefined;
    const { length } = other.held.filter(([{ is }]) => is !== 'line');
    if (length === 0) return [];
    const what = length === 1 ? 'a signal' : `${length} signals`;
    const text = `${what} between the marks of another run (${suite}): an old console, not counted`;
    return [{ is: 'note', text }];
  }

  /** Nothing more is printed. A script that asked waits for its answer: what is open there is no old console. */
  hearNothing(): Heard[] {
    return this.#other?.held.at(-1)?.[0].is === 'call' ? this.#release() : [];
  }

  /** No end of the other run came: what was kept back was the suite's own. */
  #release(): Heard[] {
    const held = this.#other?.held ?? [];
    this.#other = undefined;
    return held.flatMap(([signal, place]) => this.#count(signal, place));
  }

  // what is counted

  #count(signal: Held[0], place: Place): Heard[] {
    const other = this.#other;
    if (other !== undefined) {
      other.held.push([signal, place]);
      other.chars += place.line.text.length;
      const isFull = other.held.length > HELD_MAX || other.chars > HELD_CHARS_MAX;
      return isFull ? this.#release() : [];
    }
    switch (signal.is) {
      case 'line':
        return [{ is: 'line', line: place.line, ...this.#inSet() }];
      case 'set-start':
        this.#set = signal.set;
        return [];
      case 'set-stop':
        this.#set = undefined;
        return [];
      case 'case': {
        const { is: _, ...result } = signal;
        return [this.#report({ type: 'RecordResult', ...this.#where(), ...result }, place)];
      }
      case 'reference': {
        const { case: name, result, url } = signal;
        const command = { type: 'RecordResult', ...this.#where(), case: name, result } as const;
        return [this.#report({ ...command, note: url }, place)];
      }
      case 'raise': {
        const reason = signal.message === '' ? 'raised by a test' : signal.message;
        return [this.#report({ type: 'RaiseMember', member: this.#member, reason }, place)];
      }
      case 'call':
        return [{ is: 'call', call: signal.call, place: `${place.line.at}.${place.index}` }];
      case 'garbled':
        return this.#unreadable(signal.text, place);
      default:
        return [];
    }
  }

  #unreadable(text: string, place: Place): Heard[] {
    this.#garbled += 1;
    if (this.#garbled > GARBLED_MAX) return [];
    const suite = this.#running === undefined ? {} : { suite: this.#running.suite };
    const command = { type: 'NoteGarbledSignal', member: this.#member, ...suite, text } as const;
    return [this.#report(command, place)];
  }

  /** Where a result belongs; without a suite that runs: where the server has the member. */
  #where(): { member: string; suite?: string; set?: string } {
    return {
      member: this.#member,
      ...(this.#running === undefined ? {} : { suite: this.#running.suite }),
      ...this.#inSet(),
    };
  }

  #inSet = (): { set?: string } => (this.#set === undefined ? {} : { set: this.#set });

  #report(command: MemberCommand, { line, index }: Place): Heard {
    return { is: 'report', command, key: `signal.${line.at}.${index}`, end: line.end };
  }

  /** The report of a case that a pattern found on a line; the line may be matched long after it was heard. */
  matched(
    suite: HeardSuite,
    { line, set }: HeardLine,
    index: number,
    found: Omit<Extract<Signal, { is: 'case' }>, 'is'>,
  ): Extract<Heard, { is: 'report' }> {
    const where = {
      member: this.#member,
      suite: suite.suite,
      ...(set === undefined ? {} : { set }),
    };
    return {
      is: 'report',
      command: { type: 'RecordResult', ...where, ...found },
      key: `match.${line.at}.${index}`,
      end: line.end,
    };
  }
}
