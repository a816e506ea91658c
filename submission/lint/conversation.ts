/**
 * One run of a group's programs on the machines: each member goes on until it waits. Counts of sends only grow, so whatever the
 * order, the same choices end in the same place: one order is enough.
 */
import type { JobDefinition } from '../../machines/definition.ts';
import type { OpenWait } from '../../machines/job/wait-list.ts';
import type { Call, CallGraph, Op, Place } from './call-graph.ts';
import { type Answer, GroupMachine } from './group-machine.ts';
import { couldBe, type Pattern } from './patterns.ts';

export interface MemberProgram {
  readonly role: string;
  readonly graph: CallGraph;
  /** The same as if no command failed, where a script ends before its end. */
  readonly undying?: CallGraph;
}

/** Which way is taken where nobody knows; `turns`: how often a loop is turned. */
export interface Oracle {
  way(key: string, likely: readonly number[]): number;
  turns(key: string, atLeast: number): number;
}

export interface StuckWait {
  readonly wait: OpenWait;
  readonly order: number;
  readonly lacking: readonly number[];
  /** Whether nobody that it lacks may do what nobody knows. */
  readonly isCertain: boolean;
  readonly isBackground: boolean;
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
const ENDLESS_TURNS = 3;

class LimitOut extends Error {
  readonly key: string;
  constructor(key: string) {
    super('limit');
    this.key = key;
  }
}

type Asked =
  | { readonly ask: 'call'; readonly call: Call }
  | { readonly ask: 'spawn'; readonly body: readonly Op[]; readonly job: string }
  | { readonly ask: 'join'; readonly job: string | null }
  | { readonly ask: 'kill'; readonly job: string | null }
  | { readonly ask: 'park' }
  | { readonly ask: 'raise' };
type Running = Generator<Asked, number | null, boolean>;

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
    const walker = new Walker(this.#oracle, member, limits, (what, at) =>
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

/** What may call a verb that nobody saw. */
const HIDES = new Set(['file', 'command', 'syntax', 'shell', 'limit']);

/**
 * The greatest set of waits that hold each other: one that a member outside of it may still release is not certain, nor is one
 * that needs such a member.
 */
function withCertainty(
  waits: readonly StuckWait[],
  mayCome: (member: number, message: string) => boolean,
  group: { readonly roles: readonly string[] },
): StuckWait[] {
  const uncertain = new Set<number>();
  const isHopeless = ({ wait, lacking }: StuckWait) => {
    const never = (m: number) =>
      !mayCome(m, wait.message) &&
      !waits.some((other) => other.wait.member === m && uncertain.has(other.wait.wait));
    if (group.roles.length === 0) return false;
    return wait.verb === 'wait' ? lacking.every(never) : lacking.some(never);
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const one of waits)
      if (!uncertain.has(one.wait.wait) && !isHopeless(one)) {
        uncertain.add(one.wait.wait);
        changed = true;
      }
  }
  return waits.map((one) => ({ ...one, isCertain: !uncertain.has(one.wait.wait) }));
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

/** Goes through a program, asking for what it needs. */
class Walker {
  readonly #oracle: Oracle;
  readonly #member: number;
  readonly #limits: { key: string; seconds: number | null }[];
  readonly #vague: (what: string, at: Place) => void;
  readonly #results = new Map<string, boolean>();
  #turns = '';

  constructor(
    oracle: Oracle,
    member: number,
    limits: { key: string; seconds: number | null }[],
    vague: (what: string, at: Place) => void,
  ) {
    this.#oracle = oracle;
    this.#member = member;
    this.#limits = limits;
    this.#vague = vague;
  }

  /** @returns the block that is left, or null */
  *all(ops: readonly Op[]): Running {
    for (const op of ops) {
      const left = yield* this.#one(op);
      if (left !== null) return left;
    }
    return null;
  }

  *#one(op: Op): Running {
    switch (op.op) {
      case 'call': {
        const isGood = yield { ask: 'call', call: op.call };
        this.#results.set(op.call.key, isGood);
        return isGood ? null : op.call.leaves;
      }
      case 'choice':
        return yield* this.all(op.ways[this.#way(op)]?.body ?? []);
      case 'repeat':
        return yield* this.#repeat(op);
      case 'limit':
        return yield* this.#limit(op);
      case 'block': {
        const left = yield* this.all(op.body);
        return left === op.block ? null : left;
      }
      case 'leave':
        return op.block;
      case 'spawn':
        yield { ask: 'spawn', body: op.body, job: op.job };
        return null;
      case 'raise':
        yield { ask: 'raise' };
        return null;
      default:
        yield { ask: op.op, job: op.job };
        return null;
    }
  }

  #way(op: Extract<Op, { op: 'choice' }>): number {
    const result = op.isDecided ? this.#results.get(op.key) : undefined;
    if (result !== undefined) return result ? 0 : 1;
    const all = op.ways.map((_, index) => index);
    const likely = all.filter((index) => op.ways[index]?.isFailure !== true);
    const ways = likely.length === 0 ? all : likely;
    return this.#oracle.way(`${this.#member} ${this.#turns}${op.key}`, ways);
  }

  *#repeat(op: Extract<Op, { op: 'repeat' }>): Running {
    this.#vague('loop', op.at);
    const key = `${this.#member} ${this.#turns}${op.key}`;
    const turns = op.isEndless ? ENDLESS_TURNS : this.#oracle.turns(key, op.atLeast);
    const saved = this.#turns;
    for (let turn = 0; turn < turns; turn++) {
      this.#turns = `${saved}${op.key}#${turn} `;
      const left = yield* this.all(op.body);
      if (left === null) continue;
      this.#turns = saved;
      return left;
    }
    this.#turns = saved;
    if (op.isEndless) yield { ask: 'park' };
    return null;
  }

  *#limit(op: Extract<Op, { op: 'limit' }>): Running {
    this.#limits.push(op);
    const depth = this.#limits.length;
    try {
      const left = yield* this.all(op.body);
      this.#results.set(op.key, true);
      return left;
    } catch (error) {
      if (!(error instanceof LimitOut) || error.key !== op.key) throw error;
      this.#results.set(op.key, false);
      return op.leaves;
    } finally {
      this.#limits.length = depth - 1;
    }
  }
}
