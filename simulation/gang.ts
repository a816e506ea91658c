/** The policies that give a group all its boards or none: `gang+backfill`, Muster's own, and plain `gang`. */
import type { RoleRequest } from '../machines/definition.ts';
import { compareIdle, comparePlaces } from '../scheduler/order.ts';
import { Planner } from '../scheduler/planner.ts';
import { shapeKey } from '../scheduler/shape.ts';
import { SortedList } from '../scheduler/sorted-list.ts';
import type { Assignment, Board, QueuedJob, Worker } from '../scheduler/types.ts';
import { AdmissionCache } from './admission-cache.ts';
import { fillingOf, type Members } from './filling.ts';
import type { Decision, Policy } from './policy.ts';
import { sizeOf } from './trace.ts';

/** The scheduler as the server runs it: the first blocked job has a reservation, and nobody who comes later delays it. */
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

/**
 * Whole groups in the order of the queue, on the boards that are idle longest; a group that cannot start is passed
 * over, and nothing is reserved for it.
 */
export class Gang implements Policy {
  readonly name = 'gang';
  readonly #admission = new AdmissionCache();
  readonly #boards = new Map<string, Board>();
  /** Those that may be given, by type. */
  readonly #idle = new Map<string, SortedList<Board>>();
  readonly #jobs = new Map<number, QueuedJob>();
  /** Jobs that ask for the same stand in one line. */
  readonly #lines = new Map<string, SortedList<QueuedJob>>();
  /** Lines whose boards are not there, until a board of one of their types comes. */
  readonly #blocked = new Set<string>();
  readonly #blockedOn = new Map<string, Set<string>>();
  /** How many more boards each worker with a limit may give. */
  readonly #spare = new Map<string, number>();

  constructor(workers: readonly Worker[]) {
    for (const { name, jobLimit } of workers)
      if (jobLimit !== undefined) this.#spare.set(name, jobLimit);
  }

  admits(roles: readonly RoleRequest[]): boolean {
    return this.#admission.admits(roles);
  }

  setBoard(board: Board): void {
    this.#forget(board.name);
    this.#admission.setBoard(board);
    this.#boards.set(board.name, board);
    if (board.state === 'reserved') this.#changeSpare(board.worker, -1);
    else if (board.open === 'jobs') {
      const idle = this.#idle.get(board.deviceType) ?? new SortedList<Board>(compareIdle);
      idle.add(board);
      this.#idle.set(board.deviceType, idle);
      this.#unblock(board.deviceType);
    }
  }

  removeBoard(name: string): void {
    this.#forget(name);
    this.#admission.removeBoard(name);
  }

  setJob(job: QueuedJob): void {
    const key = shapeKey(job);
    const line = this.#lines.get(key) ?? new SortedList(comparePlaces);
    line.add(job);
    this.#lines.set(key, line);
    this.#jobs.set(job.id, job);
  }

  removeJob(id: number): void {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    this.#jobs.delete(id);
    const key = shapeKey(job);
    const line = this.#lines.get(key);
    line?.remove(job);
    if (line?.size === 0) this.#lines.delete(key);
  }

  decide(): Decision {
    const starts: Assignment[] = [];
    for (let job = this.#first(); job !== undefined; job = this.#first()) {
      const members = this.#membersFor(job);
      if (members === undefined) {
        this.#block(job);
        continue;
      }
      starts.push({ job: job.id, members });
      for (const { device } of members) {
        const board = this.#boards.get(device);
        if (board !== undefined)
          this.setBoard({ ...board, state: 'reserved', heldBy: { job: job.id } });
      }
      this.removeJob(job.id);
    }
    return { starts, grabs: [] };
  }

  /** The first job of the queue that may start, for all that is known. */
  #first(): QueuedJob | undefined {
    let first: QueuedJob | undefined;
    for (const [key, line] of this.#lines) {
      const job = this.#blocked.has(key) ? undefined : line.items[0];
      if (job === undefined || sizeOf(job.roles) === 0) continue;
      if (first === undefined || comparePlaces(job, first) < 0) first = job;
    }
    return first;
  }

  #membersFor({ roles }: QueuedJob): Members | undefined {
    const idle = this.#typesOf(roles).flatMap((type) => this.#idle.get(type)?.items ?? []);
    return idle.length < sizeOf(roles) ? undefined : fillingOf(roles, idle, this.#spare);
  }

  #typesOf(roles: readonly RoleRequest[]): string[] {
    const types = roles.map(({ device, deviceType = '' }) =>
      device === undefined ? deviceType : (this.#boards.get(device)?.deviceType ?? ''),
    );
    return [...new Set(types)];
  }

  #block(job: QueuedJob): void {
    const key = shapeKey(job);
    this.#blocked.add(key);
    for (const type of this.#typesOf(job.roles)) {
      const on = this.#blockedOn.get(type) ?? new Set();
      this.#blockedOn.set(type, on.add(key));
    }
  }

  #unblock(type: string): void {
    for (const key of this.#blockedOn.get(type) ?? []) this.#blocked.delete(key);
    this.#blockedOn.delete(type);
  }

  #forget(name: string): void {
    const board = this.#boards.get(name);
    if (board === undefined) return;
    this.#boards.delete(name);
    if (board.state === 'reserved') {
      this.#changeSpare(board.worker, 1);
      if (this.#spare.has(board.worker)) this.#blocked.clear();
    } else if (board.open === 'jobs') this.#idle.get(board.deviceType)?.remove(board);
  }

  #changeSpare(worker: string, by: number): void {
    const spare = this.#spare.get(worker);
    if (spare !== undefined) this.#spare.set(worker, spare + by);
  }
}
