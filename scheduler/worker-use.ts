/** How many of a worker's boards are in use, and when they will not be: what its job limit is held against. */
import type { WorkerUse } from './records.ts';
import { countBefore } from './sorted-list.ts';

export function makeWorkerUse(name: string): WorkerUse {
  return {
    name,
    limit: undefined,
    boards: new Set(),
    classes: new Set(),
    heldUntil: [],
    heldOpenly: 0,
    given: [],
  };
}

/** Its boards in use now, those counted that the plan in the making has given away. */
export function inUse({ heldUntil, heldOpenly, given }: WorkerUse): number {
  return heldUntil.length + heldOpenly + given.length;
}

/** How many more of its boards may be in use now (SEMANTICS 4.2, "worker job limit"). */
export function roomNow(worker: WorkerUse): number {
  return roomFor(worker, inUse(worker));
}

/** How many more of its boards may be in use by this time, by which some of them are back. */
export function roomBy(worker: WorkerUse, time: number): number {
  const { heldUntil, given } = worker;
  const back = countBefore(heldUntil, (until) => until <= time);
  const early = given.reduce((sum, until) => sum + Number(until <= time), 0);
  return roomFor(worker, inUse(worker) - back - early);
}

function roomFor({ limit }: WorkerUse, used: number): number {
  return limit === undefined ? Number.POSITIVE_INFINITY : Math.max(0, limit - used);
}
