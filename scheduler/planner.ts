/**
 * The plan kept up to date: told one change at a time, it answers as `plan` would for the lab as it is then, but
 * looks only at what the changes may have helped. In memory, without a clock.
 */
import type { RoleRequest } from '../machines/definition.ts';
import { admit } from './admission.ts';
import { LabIndex } from './lab-index.ts';
import { PlanInTheMaking } from './plan.ts';
import type { Board, Explanation, Plan, QueuedJob, Shortfall, Waiting, Worker } from './types.ts';
import { Account } from './why.ts';

/** What it is given it keeps: change nothing in it, hand in another one. */
export class Planner {
  readonly #index = new LabIndex();

  /** A board that is new, or stands otherwise than before. */
  setBoard(board: Board): void {
    this.#index.setBoard(board);
  }

  removeBoard(name: string): void {
    this.#index.removeBoard(name);
  }

  /** A worker that is new, or has another limit than before. */
  setWorker(worker: Worker): void {
    this.#index.setWorker(worker);
  }

  /** A job that waits from now on, or has another priority than before. */
  setJob(job: QueuedJob): void {
    this.#index.setJob(job);
  }

  /** It waits no longer: it has its boards, or was given up. */
  removeJob(id: number): void {
    this.#index.removeJob(id);
  }

  /** The same as `plan`. Nothing is given away by it: what is done of it comes back as changes. */
  plan(now: number): Plan {
    return this.#withPlan(now, ({ plan }) => plan);
  }

  /** The same as `admit` with all boards. */
  admit(roles: readonly RoleRequest[]): Shortfall[] {
    const { boards } = this.#index;
    return admit(roles, [...new Set(roles.flatMap((request) => boards.meantBy(request)))]);
  }

  /** How many jobs wait. */
  get queueLength(): number {
    return this.#index.queue.size;
  }

  /** A page of the queue in order: only what is on it is explained. */
  waiting(now: number, after = 0, limit = Number.POSITIVE_INFINITY): Waiting[] {
    return this.#withPlan(now, (making) => new Account(making).waiting(after, limit));
  }

  /** `undefined`: there is no such job in the queue. */
  explain(id: number, now: number): Explanation | undefined {
    return this.#withPlan(now, (making) => new Account(making).explanationOf(id));
  }

  #withPlan<T>(now: number, use: (making: PlanInTheMaking) => T): T {
    const making = new PlanInTheMaking(this.#index, now);
    try {
      return use(making);
    } finally {
      making.undo();
    }
  }
}
