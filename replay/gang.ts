/**
 * The policies that give a group all its boards or none. Both match with the scheduler's own matching;
 * `gang+backfill` is the scheduler as the server runs it.
 */
import type { RoleRequest } from '../machines/definition.ts';
import { LabIndex } from '../scheduler/lab-index.ts';
import { deal, match } from '../scheduler/matching.ts';
import { comparePlaces } from '../scheduler/order.ts';
import { Planner } from '../scheduler/planner.ts';
import type { Shape } from '../scheduler/shape.ts';
import { stockNow } from '../scheduler/stock.ts';
import type { Assignment, Board, QueuedJob, Worker } from '../scheduler/types.ts';
import { AdmissionCache } from './admission-cache.ts';
import type { Decision, Policy } from './policy.ts';

/** Muster's own: the first blocked job has a reservation, and nobody who comes later delays it. */
export class GangWithBackfill implements Policy {
  readonly name = 'gang+backfill';
  readonly #planner = new Planner();
  readonly #admission = new AdmissionCache();

  constructor(workers: readonly Worker[]) {
    for (const worker of workers) this.#planner.setWorker(worker);
  }

  admits(roles: readonly RoleRequest[]): boolean {
    return this.#admission.admits(roles);
  }

  setBoard(board: Board): void {
    this.#planner.setBoard(board);
    this.#admission.setBoard(board);
  }

  removeBoard(name: string): void {
    this.#planner.removeBoard(name);
    this.#admission.removeBoard(name);
  }

  setJob(job: QueuedJob): void {
    this.#planner.setJob(job);
  }

  removeJob(id: number): void {
    this.#planner.removeJob(id);
  }

  decide(now: number): Decision {
    const plan = this.#planner.plan(now);
    return { starts: plan.starts, grabs: [], plan };
  }
}

/** Whole groups in the order of the queue; one that cannot start is passed over, and nothing is reserved for it. */
export class Gang implements Policy {
  readonly name = 'gang';
  readonly #index = new LabIndex();
  readonly #admission = new AdmissionCache();

  constructor(workers: readonly Worker[]) {
    for (const worker of workers) this.#index.setWorker(worker);
  }

  admits(roles: readonly RoleRequest[]): boolean {
    return this.#admission.admits(roles);
  }

  setBoard(board: Board): void {
    this.#index.setBoard(board);
    this.#admission.setBoard(board);
  }

  removeBoard(name: string): void {
    this.#index.removeBoard(name);
    this.#admission.removeBoard(name);
  }

  setJob(job: QueuedJob): void {
    this.#index.setJob(job);
  }

  removeJob(id: number): void {
    this.#index.removeJob(id);
  }

  decide(): Decision {
    const starts: Assignment[] = [];
    for (let next = this.#first(); next !== undefined; next = this.#first()) {
      const matching = match(next.shape, stockNow);
      if (!matching.complete) {
        this.#index.markStuck(next.shape);
        continue;
      }
      const given = deal(matching, stockNow);
      const { id, roles } = next.job;
      const members = roles.flatMap(({ role }) =>
        (given.get(role) ?? []).map((device) => ({ device, role })),
      );
      starts.push({ job: id, members });
      this.#take(id, members);
    }
    return { starts, grabs: [] };
  }

  /** The first job of the queue that may be matched, for all that is known. */
  #first(): { job: QueuedJob; shape: Shape } | undefined {
    let first: { job: QueuedJob; shape: Shape } | undefined;
    for (const shape of this.#index.awake) {
      const job = shape.jobs.items[0];
      if (job === undefined || shape.parts.length === 0) continue;
      if (first === undefined || comparePlaces(job, first.job) < 0) first = { job, shape };
    }
    return first;
  }

  #take(job: number, members: Assignment['members']): void {
    for (const { device } of members) {
      const board = this.#index.boards.get(device);
      if (board !== undefined)
        this.#index.setBoard({ ...board, state: 'reserved', heldBy: { job } });
    }
    this.#index.removeJob(job);
  }
}
