/**
 * One run of a group's programs on the machines: each member goes on until it waits. Counts of sends only grow, so whatever the
 * order, the same choices end in the same place: one order is enough.
 */
import type { JobDefinition } from '../../machines/definition.ts';
import type { Call, CallGraph, Op, Place } from './call-graph.ts';
import { HIDES, type StuckWait, withCertainty } from './certainty.ts';
import { resolved } from './decisions.ts';
import { type Answer, GroupMachine } from './group-machine.ts';
import { pairOf } from './mailbox.ts';
import { Messages } from './messages.ts';
import type { FaultPoint, MemberProgram, Outcome, Refusal } from './outcome.ts';
import { couldBe, type Pattern } from './patterns.ts';
import { type Answered, LimitOut, type Oracle, ProgramRun, type Running } from './program-run.ts';

const CALLS_MAX = 50_000;

interface Thread {
  readonly member: number;
  readonly job: string | null;
  readonly program: ProgramRun;
  readonly run: Running;
  state: 'ready' | 'waits' | 'joins' | 'parked' | 'done';
  wait: number | null;
  order: number;
  joins: string | null;
  answer: Answered;
  out: LimitOut | null;
  /** It asked as often as is followed for what does not come. */
  isPolling: boolean;
}

export function converse(
  definition: Pick<JobDefinition, 'countsSelf' | 'roles'>,
  members: readonly MemberProgram[],
  oracle: Oracle,
  /** By its key: what goes wrong. */
  fault?: FaultPoint,
): Outcome {
  return new Talk(definition, members, oracle, fault).outcome();
}

class Talk {
  readonly #machine: GroupMachine;
  readonly #members: readonly MemberProgram[];
  readonly #oracle: Oracle;
  readonly #threads: Thread[] = [];
  readonly #byWait = new Map<number, Thread>();
  readonly #ended: boolean[];
  readonly #vague: Outcome['vague'][number][] = [];
  readonly #refused: Refusal[] = [];
  readonly #ranOut: { thread: Thread; stuck: StuckWait; isFatal: boolean }[] = [];
  readonly #faults = new Map<string, FaultPoint>();
  readonly #fault: FaultPoint | undefined;
  readonly #messages: Messages;
  readonly #vagueSends: { member: number; id: Pattern }[] = [];
  readonly #reached: Set<number>[];
  #calls = 0;

  constructor(
    definition: Pick<JobDefinition, 'countsSelf' | 'roles'>,
    members: readonly MemberProgram[],
    oracle: Oracle,
    fault: FaultPoint | undefined,
  ) {
    this.#members = members;
    this.#oracle = oracle;
    this.#fault = fault;
    this.#messages = new Messages(members, definition.countsSelf);
    this.#machine = new GroupMachine(
      definition,
      members.map(({ role }) => role),
    );
    this.#ended = members.map(() => false);
    this.#reached = members.map(() => new Set<number>());
    // Who is late goes last: whoever something goes wrong for waits as long as may be.
    const first = [...members.keys()].sort(
      (x, y) => Number(y === fault?.member) - Number(x === fault?.member),
    );
    for (const member of first) this.#start(member, members[member]?.graph.program ?? [], null);
  }

  outcome(): Outcome {
    do while (this.#turn());
    while (this.#timePasses());
    const fatal = this.#ranOut.filter(({ isFatal, thread }) => isFatal || thread.isPolling);
    const stuck = this.#stuck(fatal.map((one) => one.stuck));
    return {
      stuck,
      refused: this.#refused,
      vague: this.#vague,
      parked: this.#threads
        .filter(
          ({ state, job, isPolling }) =>
            job === null && !isPolling && (state === 'parked' || state === 'joins'),
        )
        .map((t) => t.member),
      unread: this.#messages.unread,
      found: this.#messages.found,
      missed: this.#ranOut.filter((one) => !fatal.includes(one)).map((one) => one.stuck),
      faults: [...this.#faults.values()],
      calls: this.#calls,
      reached: this.#reached,
    };
  }

  #start(member: number, body: readonly Op[], job: string | null, by?: Thread): void {
    const program = new ProgramRun(
      this.#oracle,
      member,
      {
        vague: (what, at) => this.#vague.push({ member, what, at }),
        mayFail: (key, what, at) => {
          if (key === this.#fault?.key) return true;
          if (!this.#faults.has(key)) this.#faults.set(key, { member, key, what, at });
          return false;
        },
        failed: () => this.#failed(member),
      },
      by?.program.ways ?? new Map(),
    );
    const idle = { wait: null, order: -1, joins: null, answer: true, out: null, isPolling: false };
    this.#threads.push({ member, job, program, run: program.all(body), state: 'ready', ...idle });
  }

  /** What it missed before is why its script has ended. */
  #failed(member: number): void {
    for (const one of this.#ranOut) if (one.thread.member === member) one.isFatal = true;
    for (const one of this.#messages.unread) if (one.member === member) one.isFatal = true;
  }

  /** Everybody goes on for as long as they can. */
  #turn(): boolean {
    let isMoved = false;
    for (const thread of this.#threads)
      while (thread.state === 'ready' && this.#calls <= CALLS_MAX) {
        isMoved = true;
        this.#step(thread);
      }
    return isMoved;
  }

  #step(thread: Thread): void {
    const { out } = thread;
    thread.out = null;
    const next = out === null ? thread.run.next(thread.answer) : thread.run.throw(out);
    if (next.done) {
      thread.state = 'done';
      this.#joined(thread);
      return;
    }
    thread.answer = true;
    const asked = next.value;
    switch (asked.ask) {
      case 'call':
        if (asked.isRefused) thread.answer = false;
        else this.#call(thread, asked.call);
        break;
      case 'read':
        thread.answer = this.#messages.read(thread.member, asked.read);
        break;
      case 'spawn':
        this.#start(thread.member, asked.body, asked.job, thread);
        break;
      case 'join':
        if (!this.#isOver(thread, asked.job)) {
          thread.state = 'joins';
          thread.joins = asked.job;
        }
        break;
      case 'kill':
        for (const other of this.#threads)
          if (other.member === thread.member && other.job !== null && other.job === asked.job)
            this.#drop(other);
        break;
      case 'park':
        thread.state = 'parked';
        thread.isPolling = asked.isPoll;
        break;
      case 'raise':
        for (const other of this.#threads) if (other.member === thread.member) this.#drop(other);
        this.#ended[thread.member] = true;
        this.#machine.raise(thread.member);
        break;
    }
  }

  #isOver(of: Thread, job: string | null): boolean {
    return this.#threads.every(
      (t) =>
        t.member !== of.member ||
        t.job === null ||
        t === of ||
        (job !== null && t.job !== job) ||
        t.state === 'done',
    );
  }

  #joined(done: Thread): void {
    for (const other of this.#threads)
      if (
        other.member === done.member &&
        other.state === 'joins' &&
        this.#isOver(other, other.joins)
      )
        other.state = 'ready';
  }

  #drop(thread: Thread): void {
    if (thread.wait !== null) {
      this.#byWait.delete(thread.wait);
      this.#machine.abandon(thread.member, thread.wait);
    }
    thread.wait = null;
    thread.state = 'done';
    this.#joined(thread);
  }

  #call(thread: Thread, call: Call): void {
    this.#calls += 1;
    const { member } = thread;
    this.#reached[member]?.add(call.order);
    if (this.#ended[member] === true) return;
    const verb =
      call.verb === 'broadcast' ? 'send' : call.verb === 'collect' ? 'wait-all' : call.verb;
    if (verb === 'test-case' || verb === 'test-raise') return;
    const { cases } = this.#graphOf(member);
    const words = call.words.map((word) => resolved(cases, word, thread.program.wayOfCases));
    const texts = exactWords(words, verb === 'send');
    if (texts === undefined) {
      const [id] = words;
      if (id !== undefined && (verb === 'send' || verb === 'sync'))
        this.#vagueSends.push({ member, id });
      this.#vague.push({ member, what: 'word', at: this.#siteOf(member, call.order) });
      return;
    }
    const [message = ''] = texts;
    if (verb === 'send') this.#messages.keep(member, message, words.slice(1).map(pairOf));
    const answer = this.#machine.call(member, verb, texts);
    if ((verb === 'wait' || verb === 'wait-all') && answer.refused === null)
      this.#messages.hears(member, verb, message, texts[1]);
    this.#answered(thread, call, answer);
  }

  #graphOf(member: number): CallGraph {
    const of = this.#members[member];
    if (of === undefined) throw new Error(`there is no member ${member}`);
    return of.graph;
  }

  #siteOf(member: number, order: number): Place {
    return this.#members[member]?.graph.sites[order] ?? { file: '', line: 1, column: 1 };
  }

  #answered(thread: Thread, { order }: Call, { refused, blockedOn, released }: Answer): void {
    if (refused !== null) {
      const { code, reason } = refused;
      this.#refused.push({ member: thread.member, order, code, reason });
      thread.answer = false;
    }
    if (blockedOn !== null) {
      thread.state = 'waits';
      thread.wait = blockedOn;
      thread.order = order;
      this.#byWait.set(blockedOn, thread);
      const forced = thread.program.limits.find(({ isForced }) => isForced);
      if (forced !== undefined) this.#runOut(thread, forced.key, true);
    }
    for (const wait of released) {
      const other = this.#byWait.get(wait);
      this.#byWait.delete(wait);
      if (other === undefined) continue;
      other.state = 'ready';
      other.wait = null;
    }
  }

  /** Nobody can go on: the shortest limit runs out. */
  #timePasses(): boolean {
    let first: { thread: Thread; key: string; seconds: number } | undefined;
    for (const thread of this.#threads)
      if (thread.state === 'waits')
        for (const { key, seconds } of thread.program.limits) {
          const after = seconds ?? Number.MAX_SAFE_INTEGER;
          if (first === undefined || after < first.seconds) first = { thread, key, seconds: after };
        }
    if (first === undefined || this.#calls > CALLS_MAX) return false;
    this.#runOut(first.thread, first.key, false);
    return true;
  }

  #runOut(thread: Thread, key: string, isForced: boolean): void {
    const wait = this.#machine.open().find((one) => one.wait === thread.wait);
    if (wait !== undefined) {
      const lacking = this.#machine.lacking(wait);
      const { order } = thread;
      const stuck = { wait, order, lacking, isBackground: false, isCertain: true };
      if (!isForced) this.#ranOut.push({ thread, stuck, isFatal: false });
      this.#byWait.delete(wait.wait);
      this.#machine.abandon(thread.member, wait.wait);
      this.#messages.empty(thread.member);
    }
    thread.wait = null;
    thread.state = 'ready';
    thread.out = new LimitOut(key);
  }

  // what is stuck

  #stuck(missed: readonly StuckWait[]): StuckWait[] {
    const open = this.#machine.open();
    const isDone = (member: number) =>
      this.#threads.every((t) => t.member !== member || t.job !== null || t.state === 'done');
    const waits = open.map((wait) => {
      const thread = this.#byWait.get(wait.wait);
      const isBackground = thread?.job !== null && isDone(wait.member);
      const lacking = this.#machine.lacking(wait);
      return { wait, order: thread?.order ?? 0, lacking, isBackground, isCertain: true };
    });
    // What came later after all is a question of time.
    const never = missed.filter(({ wait }) => !this.#machine.isHeard(wait));
    return withCertainty(
      [...waits, ...never],
      (member, message) => this.#mayCome(member, message),
      this.#machine.group,
    );
  }

  /** Whether a member may send that id in a way that this run does not show. */
  #mayCome(member: number, message: string): boolean {
    if (this.#calls > CALLS_MAX) return true;
    if (this.#vagueSends.some((sent) => sent.member === member && couldBe(sent.id, message)))
      return true;
    if (this.#members[member]?.graph.unresolved.some(({ what }) => HIDES.has(what))) return true;
    return this.#threads.some((t) => t.member === member && t.state === 'parked' && !t.isPolling);
  }
}

/** The words as they are, where all that matters of them is known. */
function exactWords(words: readonly Pattern[], isSend: boolean): string[] | undefined {
  const out: string[] = [];
  for (const [index, word] of words.entries()) {
    if (word.kind === 'exact') out.push(word.text);
    else if (isSend && index > 0) continue;
    else return undefined;
  }
  return out;
}
