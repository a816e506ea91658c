/** The start that is reserved for the first blocked job: when it is, and what would delay it (SEMANTICS 4.4). */
import type { BoardClass } from './board-class.ts';
import { canMatch, deal, type Matching, match, matchBeside } from './matching.ts';
import { compareText } from './order.ts';
import type { Shape } from './shape.ts';
import { countBefore } from './sorted-list.ts';
import { StockBy, without } from './stock.ts';
import type { QueuedJob, Reservation } from './types.ts';
import type { WorkerUse } from './worker-use.ts';

export interface ReservedStart {
  job: QueuedJob;
  shape: Shape;
  /** The stock at the reserved time. */
  by: StockBy;
}

/**
 * The earliest time by which what is idle and what timeouts give back is enough for the job. `undefined`: there
 * is none, because it needs a board that is closed, or held without an end, or not there.
 *
 * A board that is overdue (its job's timeout has passed) is on its way back: it counts as back now.
 */
export function earliestStart(shape: Shape, now: number): number | undefined {
  const classes = new Set(shape.parts.flatMap(({ demand }) => [...demand.classes]));
  const workers = new Set([...classes].flatMap(({ worker }) => worker ?? []));
  const isEnough = (time: number) => canMatch(shape, new StockBy(time));
  const times = returnTimes(classes, workers, now);
  const last = times.at(-1);
  if (last === undefined || !isEnough(last)) return undefined;
  return times[countBefore(times, (time) => !isEnough(time))];
}

/** When boards of these classes, or room for them, come back. */
function returnTimes(
  classes: ReadonlySet<BoardClass>,
  workers: ReadonlySet<WorkerUse>,
  now: number,
): number[] {
  const times = new Set<number>();
  for (const { held, given } of classes) {
    for (const { until } of held) times.add(Math.max(until, now));
    for (const until of given) times.add(until);
  }
  for (const { heldUntil, given } of workers) {
    for (const until of heldUntil) times.add(Math.max(until, now));
    for (const until of given) times.add(until);
  }
  return [...times].sort((a, b) => a - b);
}

/**
 * The best matching of a later job that does not delay the reserved start; `undefined`: all do. None does when the
 * job ends by then, or when the reserved job can still be matched then without its boards: no board is kept back
 * for its own sake.
 *
 * @param matching its best one, were there no reservation.
 */
export function withoutDelay(
  matching: Matching,
  shape: Shape,
  until: number,
  { shape: reserved, by }: ReservedStart,
): Matching | undefined {
  if (until <= by.time || canMatch(reserved, without(by, matching.taken))) return matching;
  return matchBeside(shape, reserved, by);
}

/** For the plan's answer: the boards that the reserved job would get by then. */
export function reservationOf({ job, shape, by }: ReservedStart): Reservation {
  const boards = [...deal(match(shape, by), by).values()].flat().sort(compareText);
  return { job: job.id, at: by.time, boards };
}
