/**
 * One run of a group's programs on the machines: each member goes on until it waits. Counts of sends only grow, so whatever the
 * order, the same choices end in the same place: one order is enough.
 */
import type { JobDefinition } from '../../machines/definition.ts';
import type { Call, CallGraph, Op, Place } from './call-graph.ts';
import { HIDES, type StuckWait, withCertainty } from './certainty.ts';
import { type Answer, GroupMachine } from './group-machine.ts';
import { couldBe, type Pattern } from './patterns.ts';
import { LimitOut, type Oracle, ProgramRun, type Running } from './program-run.ts';

export interface MemberProgram {
  readonly role: string;
  readonly graph: CallGraph;
  /** The same as if no command failed, where a script ends before its end. */
  readonly undying?: CallGraph;
}

export interface Refusal {
  readonly member: number;
  readonly order: number;
  readonly code: string;
  readonly reason: string;
}

export interface Outcome {
  readonly stuck: readonly StuckWait[];
  readonly refused: readonly Refusal[];
  /** Members that did something of which not all is known, and what. */
  readonly vague: readonly { readonly member: number; readonly what: string; readonly at: Place }[];
  /** Members whose scripts went into a loop that nobody saw the end of. */
  readonly parked: readonly number[];
  /** Limits (`timeout 5 ...`) that ran out. */
  readonly ranOut: readonly { readonly member: number; readonly order: number }[];
  readonly calls: number;
  /** Sites that were reached, by member. */
  readonly reached: readonly ReadonlySet<number>[];
}

const CALLS_MAX = 50_000;

interface Thread {
  readonly member: number;
  readonly job: string | null;
  readonly run: Running;
  readonly limits: { readonly key: string; readonly seconds: number | null }[];
  state: 'ready' | 'waits' | 'joins' | 'parked' | 'done';
  wait: number | null;
  order: number;
  joins: string | null;
  answer: boolean;
  out: LimitOut | null;
}

export function converse(
  definition: Pick<JobDefinition, 'countsSelf' | 'roles'>,
  members: readonly MemberProgram[],
  oracle: Oracle,
): Outcome {
  return new Talk(definition, members, oracle).outcome();
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
  readonly #ranOut: Outcome['ranOut'][number][] = [];
  readonly #vagueSends: { member: number; id: Pattern }[] = [];
  readonly #reached: Set<number>[];
  #calls = 0;

  constructor(
    definition: Pick<JobDefinition, 'countsSelf' | 'roles'>,
    members: readonly MemberProgram[],
    oracle: Oracle,
  ) {
    this.#members = members;
    this.#oracle = oracle;
    this.#machine = new GroupMachine(
      definition,
      members.map(({ role }) => role),
    );
    this.#ended = members.map(() => false);
    this.#reached = members.map(() => new Set<number>());
    for (const [member, { graph }] of members.entries()) this.#start(member, graph.program, null);
  }

  outcome(): Outcome {
    do while (this.#turn());
    while (this.#timePasses());
    return {
      stuck: this.#stuck(),
      refused: this.#refused,
      vague: this.#vague,
      parked: this.#threads
        .filter(({ state, job }) => job === null && (state === 'parked' || state === 'joins'))
        .map((t) => t.member),
      ranOut: this.#ranOut,
      calls: this.#calls,
      reached: this.#reached,
    };
  }

  #start(member: number, body: readonly Op[], job: string | null): void {
    const limits: Thread['limits'] = [];
    const walker = new ProgramRun(this.#oracle, member, limits, (what, at) =>
      this.#vague.push({ member, what, at }),
    );
    const run = walker.all(body);
    const idle = { wait: null, order: -1, joins: null, answer: true, out: null };
    this.#threads.push({ member, job, run, limits, state: 'ready', ...idle });
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
        this.#call(thread, asked.call);
        break;
      case 'spawn':
        this.#start(thread.member, asked.body, asked.job);
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
    const words = exactWords(call, verb === 'send');
    if (words === undefined) {
      const [id] = call.words;
      if (id !== undefined && (verb === 'send' || verb === 'sync'))
        this.#vagueSends.push({ member, id });
      this.#vague.push({ member, what: 'word', at: this.#siteOf(member, call.order) });
      return;
    }
    const answer = this.#machine.call(member, verb, words);
    this.#answered(thread, call, answer);
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
        for (const { key, seconds } of thread.limits) {
          const after = seconds ?? Number.MAX_SAFE_INTEGER;
          if (first === undefined || after < first.seconds) first = { thread, key, seconds: after };
        }
    if (first === undefined || this.#calls > CALLS_MAX) return false;
    const { thread, key } = first;
    if (thread.wait !== null) {
      this.#byWait.delete(thread.wait);
      this.#machine.abandon(thread.member, thread.wait);
    }
    this.#ranOut.push({ member: thread.member, order: thread.order });
    thread.wait = null;
    thread.state = 'ready';
    thread.out = new LimitOut(key);
    return true;
  }

  // what is stuck

  #stuck(): StuckWait[] {
    const open = this.#machine.open();
    const isDone = (member: number) =>
      this.#threads.every((t) => t.member !== member || t.job !== null || t.state === 'done');
    const waits = open.map((wait) => {
      const thread = this.#byWait.get(wait.wait);
      const isBackground = thread?.job !== null && isDone(wait.member);
      const lacking = this.#machine.lacking(wait);
      return { wait, order: thread?.order ?? 0, lacking, isBackground, isCertain: true };
    });
    return withCertainty(
      waits,
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
    return this.#threads.some((t) => t.member === member && t.state === 'parked');
  }
}

/** The words as they are, where all that matters of them is known. */
function exactWords(call: Call, isSend: boolean): string[] | undefined {
  const out: string[] = [];
  for (const [index, word] of call.words.entries()) {
    if (word.kind === 'exact') out.push(word.text);
    else if (isSend && index > 0) continue;
    else return undefined;
  }
  return out;
}
