/** One member's program as it runs: it asks for what it needs, and goes on with the answer. */
import type { Call, Op, Place } from './call-graph.ts';

/** Which way is taken where nobody knows; `turns`: how often a loop is turned. */
export interface Oracle {
  way(key: string, likely: readonly number[]): number;
  turns(key: string, atLeast: number): number;
}

const ENDLESS_TURNS = 3;

export class LimitOut extends Error {
  readonly key: string;
  constructor(key: string) {
    super('limit');
    this.key = key;
  }
}

export type Asked =
  | { readonly ask: 'call'; readonly call: Call }
  | { readonly ask: 'spawn'; readonly body: readonly Op[]; readonly job: string }
  | { readonly ask: 'join'; readonly job: string | null }
  | { readonly ask: 'kill'; readonly job: string | null }
  | { readonly ask: 'park' }
  | { readonly ask: 'raise' };
export type Running = Generator<Asked, number | null, boolean>;

/** Goes through a program, asking for what it needs. */
export class ProgramRun {
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
