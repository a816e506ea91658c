/** The start that is reserved for the first blocked job: when it is, and what would delay it (SEMANTICS 4.4). */
import { canMatch, deal, type Matching, match, matchBeside } from './matching.ts';
import { compareText } from './order.ts';
import type { BoardClass, Shape, WorkerUse } from './records.ts';
import { countBefore } from './sorted-list.ts';
import { StockBy, without } from './stock.ts';
import type { QueuedJob, Reservation } from './types.ts';

export interface ReservedStart {
  job: QueuedJob;
  shape: Shape;
  /** The stock at the reserved time. */
  by: StockBy;
  /** The classes that fit it, and their workers that have limits. */
  classes: ReadonlySet<BoardClass>;
  workers: ReadonlySet<WorkerUse>;
}

export function reserve(job: QueuedJob, shape: Shape, now: number): ReservedStart | undefined {
  const at = earliestStart(shape, now);
  return at === undefined ? undefined : { job, shape, by: new StockBy(at), ...usableBy(shape) };
}

function usableBy({ parts }: Shape): Pick<ReservedStart, 'classes' | 'workers'> {
  const classes = new Set(parts.flatMap(({ demand }) => [...demand.classes]));
  return { classes, workers: new Set([...classes].flatMap(({ worker }) => worker ?? [])) };
}

/**
 * The earliest time by which what is idle and what timeouts give back is enough for the job. `undefined`: there
 * is none, because it needs a board that is closed, or held without an end, or not there.
 *
 * A board that is overdue (its job's timeout has passed) is on its way back: it counts as back now.
 */
function earliestStart(shape: Shape, now: number): number | undefined {
  const { classes, workers } = usableBy(shape);
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
 * The best matching of a later job that does not delay the reserved start; `impossible`: all do; `unknown`: none was found. None does when the
 * job ends by then, or when the reserved job can still be matched then without its boards: no board is kept back
 * for its own sake.
 *
 * @param matching its best one, were there no reservation.
 */
export function withoutDelay(
  matching: Matching,
  shape: Shape,
  until: number,
  reserved: ReservedStart,
): Matching | 'impossible' | 'unknown' {
  const { by } = reserved;
  if (until <= by.time || !meets(reserved, matching)) return matching;
  if (canMatch(reserved.shape, without(by, matching.taken))) return matching;
  return matchBeside(shape, reserved.shape, by);
}

/** Whether a matching takes anything that the reserved job might use. */
function meets({ classes, workers }: ReservedStart, { taken }: Matching): boolean {
  for (const boards of taken.keys())
    if (classes.has(boards) || (boards.worker !== undefined && workers.has(boards.worker)))
      return true;
  return false;
}

/** For the plan's answer: the boards that the reserved job would get by then. */
export function reservationOf({ job, shape, by }: ReservedStart): Reservation {
  const boards = [...deal(match(shape, by), by).values()].flat().sort(compareText);
  return { job: job.id, at: by.time, boards };
}

/** A later job of this shape that does not end by the reserved start would delay it, whatever boards it took. */
export function refuse(shape: Shape, reserved: ReservedStart): void {
  const { job, by } = reserved;
  const grown = grownFor(shape, reserved);
  shape.refusal = { job: job.id, reserved: reserved.shape, at: by.time, grown };
}

/** It still would: nothing has come since that either of the two could use. */
export function isRefused(shape: Shape, reserved: ReservedStart): boolean {
  const { refusal } = shape;
  return (
    refusal !== undefined &&
    refusal.job === reserved.job.id &&
    refusal.reserved === reserved.shape &&
    refusal.at === reserved.by.time &&
    refusal.grown === grownFor(shape, reserved)
  );
}

function grownFor(shape: Shape, reserved: ReservedStart): number {
  const of = ({ parts }: Shape) => parts.reduce((sum, { demand }) => sum + demand.grown, 0);
  return of(shape) + of(reserved.shape);
}
