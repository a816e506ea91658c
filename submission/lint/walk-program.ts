/** The program that a walk makes: what is emitted, and the words and ends that the ways taken decide. */
import type { Around, Cases, Op, Tree } from './call-graph.ts';
import { lifted, statusOf, treeOf } from './decisions.ts';
import { type Pattern, unknown } from './patterns.ts';
import type { Status } from './scope.ts';
import type { Span } from './shell-tree.ts';
import { FilesWalk } from './walk-files.ts';

const OPS_MAX = 60_000;
const STEPS_MAX = 200_000;

export abstract class ProgramWalk extends FilesWalk {
  isDead = false;
  /** Words that the ways taken decide, by the ids of their holes. */
  readonly cases = new Map<string, Cases>();
  ops: Op[] = [];
  #opCount = 0;
  #steps = 0;
  #isFull = false;

  /** Whether it is worth to go on: scripts may loop for ever. */
  step(at: Span): boolean {
    this.#steps += 1;
    if (this.#steps <= STEPS_MAX && this.#opCount <= OPS_MAX) return true;
    if (!this.#isFull) this.open('limit', at, 'more than is followed');
    this.#isFull = true;
    return false;
  }

  emit(op: Op): void {
    if (this.isDead) return;
    this.#opCount += 1;
    this.ops.push(op);
  }

  /** What was collected is emitted after all: it was counted. */
  again(op: Op): void {
    this.ops.push(op);
  }

  /** What `run` emits, and not here. */
  collected(run: () => void): Op[] {
    const saved = this.ops;
    this.ops = [];
    run();
    const ops = this.ops;
    this.ops = saved;
    return ops;
  }

  inside(what: Around, run: () => void): void {
    this.around.push(what);
    run();
    this.around.pop();
  }

  /** Runs it for what it changes alone: nothing is emitted, and nothing counted. */
  trial(run: () => void): void {
    const count = this.#opCount;
    run();
    this.#opCount = count;
  }

  /** How something ends that the ways taken decide. */
  decision(tree: Tree, text: string): Status {
    const known = statusOf(tree, text);
    if (known !== undefined) return known;
    const key = `derived ${this.id()}`;
    this.emit({ op: 'derive', key, tree });
    return { is: 'either', key, isFlipped: false, text, isCall: true };
  }

  /** What `tell` says of words, each as it is on the ways that may have been taken. */
  decided(
    patterns: readonly Pattern[],
    text: string,
    tell: (patterns: readonly Pattern[]) => Status,
  ): Status {
    const tree = treeOf(this.cases, patterns, tell);
    return tree === undefined ? tell(patterns) : this.decision(tree, text);
  }

  /** A word that `make` makes of others, whichever ways were taken. */
  lifted(
    patterns: readonly Pattern[],
    hole: string,
    make: (patterns: readonly Pattern[]) => Pattern,
  ): Pattern {
    const add = (of: Cases) => this.addCases(hole, of);
    return lifted(this.cases, patterns, make, add) ?? make(patterns);
  }

  addCases(hole: string, of: Cases): Pattern {
    const id = `cases ${this.id()}`;
    this.cases.set(id, of);
    return unknown(hole, id);
  }

  protected holes(key: string): (name: string, ways: readonly Pattern[]) => Pattern {
    return (name, ways) => this.addCases(`$${name}`, { key, ways });
  }
}
