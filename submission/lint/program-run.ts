/** One member's program as it runs: it asks for what it needs, and goes on with the answer. */
import type { Call, Cases, Exit, FaultKind, Op, Place, Tree } from './call-graph.ts';

/** Which way is taken where nobody knows; `turns`: how often a loop is turned. */
export interface Oracle {
  way(key: string, likely: readonly number[]): number;
  turns(key: string, atLeast: number): number;
}

/** What a run is told of, and asks, beside what it needs to go on. */
export interface Listener {
  /** Something of which not all is known. */
  vague(what: string, at: Place): void;
  /** Something that may go wrong: whether it does now. */
  mayFail(key: string, what: FaultKind, at: Place & { readonly text: string }): boolean;
  /** Its script has ended as failed. */
  failed(): void;
}

const ENDLESS_TURNS = 3;
/** Of a loop that ends by what a call finds. */
const POLLS_MAX = 12;

export class LimitOut extends Error {
  readonly key: string;
  constructor(key: string) {
    super('limit');
    this.key = key;
  }
}

export type Asked =
  | { readonly ask: 'call'; readonly call: Call; readonly isRefused: boolean }
  | { readonly ask: 'read'; readonly read: Extract<Op, { op: 'read' }> }
  | { readonly ask: 'spawn'; readonly body: readonly Op[]; readonly job: string }
  | { readonly ask: 'join'; readonly job: string | null }
  | { readonly ask: 'kill'; readonly job: string | null }
  /** `isPoll`: it asks again and again for what does not come. */
  | { readonly ask: 'park'; readonly isPoll: boolean }
  | { readonly ask: 'raise' };
/** `null`: it may be so or not. */
export type Answered = boolean | null;
export type Running = Generator<Asked, number | null, Answered>;

export interface Limit {
  readonly key: string;
  readonly seconds: number | null;
  /** It runs out as soon as something has to be waited for. */
  readonly isForced: boolean;
}

/** Goes through a program, asking for what it needs. */
export class ProgramRun {
  readonly #oracle: Oracle;
  readonly #member: number;
  readonly #listener: Listener;
  readonly #ways: Map<string, number>;
  readonly limits: Limit[] = [];
  #turns = '';

  /** @param ways that were taken before, by whoever started it in the background */
  constructor(
    oracle: Oracle,
    member: number,
    listener: Listener,
    ways: ReadonlyMap<string, number>,
  ) {
    this.#oracle = oracle;
    this.#member = member;
    this.#listener = listener;
    this.#ways = new Map(ways);
  }

  get ways(): ReadonlyMap<string, number> {
    return this.#ways;
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
      case 'call':
        return yield* this.#call(op.call);
      case 'choice': {
        const way = this.#way(op);
        this.#ways.set(op.key, way);
        const body = op.ways[way]?.body ?? [];
        return body.length === 0 ? null : yield* this.all(body);
      }
      case 'repeat':
        return yield* this.#repeat(op);
      case 'while':
        return yield* this.#while(op);
      case 'limit':
        return yield* this.#limit(op);
      case 'block': {
        const left = yield* this.all(op.body);
        if (left === null) this.#ways.set(`exit ${op.block}`, op.end);
        return left === op.block ? null : left;
      }
      case 'leave':
        return this.#leave(op);
      case 'derive':
        this.#ways.set(op.key, this.#holds(op.tree) ? 0 : 1);
        return null;
      case 'read': {
        const answer = yield { ask: 'read', read: op };
        const way = answer ?? this.#oracle.way(this.#named(op.key), [0, 1]) === 0;
        this.#ways.set(op.key, way ? 0 : 1);
        return null;
      }
      case 'check':
        return this.#fails(op.key, op.what, op.at) ? this.#leave(op.leaves) : null;
      case 'poll':
        if (this.#fails(op.key, 'poll', op.at)) yield { ask: 'park', isPoll: false };
        return null;
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

  *#call(call: Call): Running {
    const isRefused = call.doubt !== undefined && this.#fails(call.key, 'refused', call.doubt);
    const isGood = (yield { ask: 'call', call, isRefused }) === true;
    this.#ways.set(call.key, isGood ? 0 : 1);
    return isGood || call.leaves === null ? null : this.#leave(call.leaves);
  }

  #leave({ block, exit, isFailure }: Exit): number {
    this.#ways.set(`exit ${block}`, exit);
    if (isFailure === true) this.#listener.failed();
    return block;
  }

  #fails(key: string, what: FaultKind, at: Place & { readonly text: string }): boolean {
    return this.#listener.mayFail(this.#named(key), what, at);
  }

  #named(key: string): string {
    return `${this.#member} ${this.#turns}${key}`;
  }

  #way(op: Extract<Op, { op: 'choice' }>): number {
    const taken = op.isDecided ? this.#ways.get(op.key) : undefined;
    if (taken !== undefined) return taken;
    const all = op.ways.map((_, index) => index);
    const likely = all.filter((index) => op.ways[index]?.isFailure !== true);
    if (likely.length === 0 || likely.length === all.length)
      return this.#oracle.way(this.#named(op.key), all);
    if (this.#fails(op.key, 'exit', op.at))
      return all.find((index) => !likely.includes(index)) ?? 0;
    return this.#oracle.way(this.#named(op.key), likely);
  }

  #holds(tree: Tree): boolean {
    let at = tree;
    while (typeof at !== 'boolean') at = at.ways[this.wayOf(at.key, at.ways.length)] ?? true;
    return at;
  }

  /** The way that was taken, or is to be taken, where something depends on it. */
  wayOf(key: string, count: number): number {
    const taken = this.#ways.get(key);
    if (taken !== undefined) return taken;
    return this.#oracle.way(
      this.#named(key),
      Array.from({ length: count }, (_, way) => way),
    );
  }

  wayOfCases = (of: Cases): number => this.wayOf(of.key, of.ways.length);

  *#repeat(op: Extract<Op, { op: 'repeat' }>): Running {
    this.#listener.vague('loop', op.at);
    const key = this.#named(op.key);
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
    if (op.isEndless) yield { ask: 'park', isPoll: false };
    return null;
  }

  *#while(op: Extract<Op, { op: 'while' }>): Running {
    const saved = this.#turns;
    for (let turn = 0; turn < POLLS_MAX; turn++) {
      this.#turns = `${saved}${op.key}#${turn} `;
      const left = yield* this.all(op.condition);
      const isGood = left === null && this.wayOf(op.key, 2) === 0;
      const next = left === null && isGood === op.goesOn ? yield* this.all(op.body) : left;
      this.#turns = saved;
      if (next !== null || isGood !== op.goesOn) return next;
    }
    yield { ask: 'park', isPoll: true };
    return null;
  }

  *#limit(op: Extract<Op, { op: 'limit' }>): Running {
    const isForced = op.isSwallowed && this.#fails(op.key, 'limit', op.at);
    this.limits.push({ key: op.key, seconds: op.seconds, isForced });
    const depth = this.limits.length;
    try {
      const left = yield* this.all(op.body);
      this.#ways.set(op.key, 0);
      return left;
    } catch (error) {
      if (!(error instanceof LimitOut) || error.key !== op.key) throw error;
      this.#ways.set(op.key, 1);
      return op.leaves === null ? null : this.#leave(op.leaves);
    } finally {
      this.limits.length = depth - 1;
    }
  }
}
