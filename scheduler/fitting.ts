/** The boards that fit what a slot asks for, as far as a sentence speaks of them: counted, and only a few named. */
import { leftIn } from './board-class.ts';
import { fitsRequest } from './fit.ts';
import { compareText } from './order.ts';
import type { PlanInTheMaking } from './plan.ts';
import { NAMED_BOARDS_MAX } from './reasons.ts';
import type { BoardClass, Demand, WorkerUse } from './records.ts';
import { isReady } from './standing.ts';
import type { Board, QueuedJob } from './types.ts';
import { roomNow } from './worker-use.ts';

export class Fitting {
  /** Boards that fit, whatever keeps them; none is retired. */
  readonly count: number;
  readonly #demand: Demand;
  readonly #job: QueuedJob;
  readonly #making: PlanInTheMaking;
  #ready: Map<WorkerUse, string[]> | undefined;
  #kept: Board[] | undefined;
  #keptBack: { boards: string[]; workers: string[] } | undefined;

  /** @param job any that asks for this: what keeps a board from it keeps it from them all. */
  constructor(demand: Demand, job: QueuedJob, making: PlanInTheMaking) {
    this.#demand = demand;
    this.#job = job;
    this.#making = making;
    this.count = making.index.boards.countFitting(demand);
  }

  /** By worker, those that nothing but its limit may keep from a group, by name. */
  get ready(): ReadonlyMap<WorkerUse, readonly string[]> {
    if (this.#ready !== undefined) return this.#ready;
    this.#ready = new Map<WorkerUse, string[]>();
    for (const boards of this.#demand.classes) {
      const { worker } = boards;
      if (worker === undefined || leftIn(boards) === 0) continue;
      this.#ready.set(worker, (this.#ready.get(worker) ?? []).concat(namesLeftIn(boards)));
    }
    for (const names of this.#ready.values()) names.sort(compareText);
    return this.#ready;
  }

  /** How many something else keeps: a job, an operator, their health. */
  get keptCount(): number {
    let left = this.count;
    for (const boards of this.#demand.classes) left -= leftIn(boards);
    return left;
  }

  /** The first of these by name. */
  get kept(): readonly Board[] {
    if (this.#kept !== undefined) return this.#kept;
    this.#kept = [];
    const wanted = Math.min(this.keptCount, NAMED_BOARDS_MAX);
    for (const board of this.#making.index.boards.meantBy(this.#demand)) {
      if (this.#kept.length === wanted) break;
      if (fitsRequest(board, this.#demand) && !isReady(board, this.#job, this.#making))
        this.#kept.push(board);
    }
    return this.#kept;
  }

  /** What the reserved job keeps back of those that are free: boards, or the room of workers. By name. */
  get keptBack(): { boards: readonly string[]; workers: readonly string[] } {
    if (this.#keptBack !== undefined) return this.#keptBack;
    const { reserved } = this.#making;
    this.#keptBack = { boards: [], workers: [] };
    for (const boards of this.#demand.classes) {
      const { worker } = boards;
      if (leftIn(boards) === 0 || (worker !== undefined && roomNow(worker) === 0)) continue;
      if (reserved?.classes.has(boards)) this.#keptBack.boards.push(...namesLeftIn(boards));
      else if (worker !== undefined && reserved?.workers.has(worker))
        this.#keptBack.workers.push(worker.name);
    }
    return this.#keptBack;
  }
}

function namesLeftIn({ idle, given }: BoardClass): string[] {
  return idle.slice(given.length).map(({ name }) => name);
}
