/** Which waiting jobs start now, and on which boards: the one place where boards are given out. */
import { Heap } from './heap.ts';
import { changeWants, LabIndex } from './lab-index.ts';
import { deal, type Matching, match, shortDemand } from './matching.ts';
import { comparePlaces } from './order.ts';
import type { BoardClass, Shape } from './records.ts';
import {
  forget,
  isRefused,
  type ReservedStart,
  refuse,
  reservationOf,
  reserve,
  withoutDelay,
} from './reservation.ts';
import type { SortedList } from './sorted-list.ts';
import { stockNow } from './stock.ts';
import type { Assignment, Board, Plan, QueuedJob, Worker } from './types.ts';

export interface Lab {
  queue: readonly QueuedJob[];
  boards: readonly Board[];
  workers: readonly Worker[];
}

/**
 * The jobs that start now, and the start that is reserved for the first one that cannot. Whatever the order of
 * its inputs, the same plan. docs/scheduling.md states the rules; `PlanInTheMaking` goes through them.
 */
export function plan(lab: Lab, now: number): Plan {
  const making = new PlanInTheMaking(indexOf(lab), now);
  return making.plan;
}

export function indexOf({ queue, boards, workers }: Lab): LabIndex {
  const index = new LabIndex();
  for (const worker of workers) index.setWorker(worker);
  index.addJobs(queue);
  for (const board of boards) index.setBoard(board);
  return index;
}

/** A job that starts now. */
interface Start {
  job: QueuedJob;
  shape: Shape;
  members: Assignment['members'];
  /** When its timeout ends it at the latest. */
  until: number;
}

/** A job that has its turn after the reserved one. */
interface Turn {
  job: QueuedJob;
  shape: Shape;
  /** The jobs of its shape and timeout, and its place among them. */
  line: SortedList<QueuedJob>;
  at: number;
}

/**
 * One plan, worked out on the index: while it is in the making, what it gives away is marked there. The marks
 * stay for whoever explains the plan, until `undo`.
 */
export class PlanInTheMaking {
  readonly plan: Plan;
  readonly reserved: ReservedStart | undefined;
  readonly index: LabIndex;
  readonly #now: number;
  /** In the order of the queue. */
  readonly #starts: Start[] = [];
  #byJob: Map<number, Start> | undefined;
  #byBoard: Map<string, Start> | undefined;
  readonly #touched = new Set<BoardClass>();

  constructor(index: LabIndex, now: number) {
    this.index = index;
    this.#now = now;
    this.reserved = this.#startUntilBlocked();
    if (this.reserved !== undefined) this.#backfill(this.reserved);
    this.plan = {
      starts: this.#starts.map(({ job, members }) => ({ job: job.id, members })),
      reservation: this.reserved === undefined ? null : reservationOf(this.reserved),
    };
  }

  startOf(job: number): Start | undefined {
    this.#byJob ??= new Map(this.#starts.map((start) => [start.job.id, start]));
    return this.#byJob.get(job);
  }

  /** The start that takes this board. */
  startWith(board: string): Start | undefined {
    this.#byBoard ??= new Map(
      this.#starts.flatMap((start) => start.members.map(({ device }) => [device, start] as const)),
    );
    return this.#byBoard.get(board);
  }

  /** Takes all marks off the index again. */
  undo(): void {
    for (const { shape } of this.#starts) changeWants(shape, 1);
    for (const boards of this.#touched) {
      const count = boards.given.length;
      boards.given.length = 0;
      if (boards.worker !== undefined) boards.worker.given.length = 0;
      this.index.wake(boards, count);
      if (boards.worker !== undefined) this.index.wakeWorker(boards.worker, count);
    }
  }

  /**
   * In the order of the queue each job gets its whole group or nothing, until one cannot start for which there
   * is a time by which it surely can: that one gets the reservation. One for which there is none holds up nobody.
   */
  #startUntilBlocked(): ReservedStart | undefined {
    for (const { job, shape } of this.index.queue.items) {
      if (shape.parts.length === 0 || this.#startNow(job, shape) || shape.timeless) continue;
      const reserved = reserve(job, shape, this.#now);
      if (reserved !== undefined) return reserved;
      this.index.markTimeless(shape);
    }
    return undefined;
  }

  #startNow(job: QueuedJob, shape: Shape): boolean {
    const matching = this.#matchNow(shape);
    if (matching !== undefined) this.#start(job, shape, matching);
    return matching !== undefined;
  }

  /** With what is left now. Of a shape that failed once it is known what must come before it is worth a try. */
  #matchNow(shape: Shape): Matching | undefined {
    if (shape.waitsFor.length > 0) return undefined;
    const short = shortDemand(shape.parts, stockNow);
    const matching = short === undefined ? match(shape, stockNow) : undefined;
    if (matching?.complete === true) return matching;
    const all = () => shape.parts.map(({ demand }) => demand);
    this.index.markStuck(shape, short === undefined ? all() : [short]);
    return undefined;
  }

  /** Every later job, in the order of the queue, that can start without delaying the reserved start. */
  #backfill(reserved: ReservedStart): void {
    const turns = new Heap<Turn>((a, b) => comparePlaces(a.job, b.job));
    const next = (shape: Shape, line: SortedList<QueuedJob>, at: number) => {
      const job = line.items[at];
      if (job !== undefined) turns.push({ job, shape, line, at });
    };
    // Of these shapes only jobs that end by the reserved start may start now.
    const onlyShort = new Set<Shape>();
    for (const shape of this.index.awake) {
      if (shape.parts.length === 0) continue;
      if (isRefused(shape, reserved)) onlyShort.add(shape);
      for (const [timeoutSeconds, line] of shape.lines)
        if (!onlyShort.has(shape) || this.#endAfter(timeoutSeconds) <= reserved.by.time)
          next(shape, line, line.placeOf(reserved.job));
    }
    for (let turn = turns.pop(); turn !== undefined; turn = turns.pop()) {
      const { job, shape, line, at } = turn;
      const until = this.#endOf(job);
      const isShort = until <= reserved.by.time;
      // What was started since may have taken what it counted on.
      if (!isShort && (onlyShort.has(shape) || isRefused(shape, reserved))) continue;
      const best = this.#matchNow(shape);
      if (best === undefined) continue;
      const matching = withoutDelay(best, shape, until, reserved);
      if (matching === 'impossible') refuse(shape, reserved);
      if (matching === 'impossible' || matching === 'unknown') {
        onlyShort.add(shape);
        continue;
      }
      this.#start(job, shape, matching);
      forget(reserved, matching);
      next(shape, line, at + 1);
    }
  }

  #start(job: QueuedJob, shape: Shape, matching: Matching): void {
    const given = deal(matching, stockNow);
    const members = job.roles.flatMap(({ role }) =>
      (given.get(role) ?? []).map((device) => ({ device, role })),
    );
    const until = this.#endOf(job);
    this.#starts.push({ job, shape, members, until });
    changeWants(shape, -1);
    for (const [boards, count] of matching.taken) {
      this.#touched.add(boards);
      for (let taken = 0; taken < count; taken++) {
        boards.given.push(until);
        boards.worker?.given.push(until);
      }
    }
  }

  /** When its timeout ends it at the latest, if it starts now. */
  #endOf({ timeoutSeconds }: QueuedJob): number {
    return this.#endAfter(timeoutSeconds);
  }

  #endAfter(timeoutSeconds: number): number {
    return this.#now + timeoutSeconds * 1000;
  }
}
