/** The start that is reserved for the first blocked job: when it is, and what would delay it (SEMANTICS 4.4). */
import { leftIn } from './board-class.ts';
import { Heap } from './heap.ts';
import {
  canMatch,
  classesOf,
  deal,
  type Matching,
  match,
  matchBeside,
  sparedBy,
  supplyOf,
} from './matching.ts';
import { compareText } from './order.ts';
import type { BoardClass, Demand, Part, Shape, WorkerUse } from './records.ts';
import { countBefore } from './sorted-list.ts';
import { StockBy, stockNow, without } from './stock.ts';
import type { QueuedJob, Reservation } from './types.ts';
import { roomNow } from './worker-use.ts';

export interface ReservedStart {
  job: QueuedJob;
  shape: Shape;
  /** The stock at the reserved time. */
  by: StockBy;
  /** The classes that fit it, and their workers that have limits. */
  classes: ReadonlySet<BoardClass>;
  workers: ReadonlySet<WorkerUse>;
  sparing: Sparing;
  /** How much its demands had grown when the plan was begun. */
  grown: number;
}

export function reserve(job: QueuedJob, shape: Shape, now: number): ReservedStart | undefined {
  const at = earliestStart(shape, now);
  if (at === undefined) return undefined;
  const by = new StockBy(at);
  return {
    job,
    shape,
    by,
    ...usableBy(shape),
    sparing: new Sparing(shape, by),
    grown: grownOf(shape),
  };
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
  const isEnough = (time: number) => canMatch(shape, new StockBy(time));
  const counted = earliestByCount(shape, now);
  if (counted === undefined || isEnough(counted)) return counted;
  const { classes, workers } = usableBy(shape);
  const times = returnTimes(classes, workers, now);
  let from = countBefore(times, (time) => time <= counted);
  // It is seldom far off: in steps that double.
  for (let step = 1; from < times.length; step *= 2) {
    const near = times.slice(from, from + step);
    const last = near.at(-1);
    if (last !== undefined && isEnough(last)) {
      const sure = near.slice(0, -1);
      return near[countBefore(sure, (time) => !isEnough(time))];
    }
    from += near.length;
  }
  return undefined;
}

/**
 * The earliest time by which there are as many boards as each part asks for, and the parts of each type together:
 * never too late, and mostly right.
 */
function earliestByCount({ parts, alike }: Shape, now: number): number | undefined {
  let earliest = now;
  for (const some of [...parts.map((part) => [part]), ...alike]) {
    const back = returnOf(some);
    if (back === undefined) return undefined;
    earliest = Math.max(earliest, back);
  }
  return earliest;
}

const slotsOf = (parts: readonly Part[]): number =>
  parts.reduce((sum, { count }) => sum + count, 0);

/**
 * When there are as many boards as these parts ask for: -Infinity when they are there now; `undefined`: never for sure.
 * A worker with a limit gives no more than it has room for now, and one more with each of its boards that is back.
 */
function returnOf(parts: readonly Part[]): number | undefined {
  let missing = slotsOf(parts);
  const sources: Return[] = [];
  const limited = new Map<WorkerUse, number>();
  for (const boards of classesOf(parts)) {
    const { worker, held, given } = boards;
    if (worker !== undefined) {
      limited.set(worker, (limited.get(worker) ?? 0) + leftIn(boards));
      continue;
    }
    missing -= leftIn(boards);
    sources.push(...given.map(once), { until: (at) => held[at]?.until, at: 0 });
  }
  for (const [worker, count] of limited) {
    missing -= Math.min(count, roomNow(worker));
    const { heldUntil, given } = worker;
    sources.push(...given.map(once), { until: (at) => heldUntil[at], at: 0 });
  }
  return missing <= 0 ? Number.NEGATIVE_INFINITY : nthReturn(missing, sources);
}

/** Times in order, from a place on. */
interface Return {
  until: (at: number) => number | undefined;
  at: number;
}

const once = (until: number): Return => ({ until: (at) => (at === 0 ? until : undefined), at: 0 });

function nthReturn(count: number, sources: readonly Return[]): number | undefined {
  const returns = new Heap<Return & { first: number }>((a, b) => a.first - b.first);
  const offer = ({ until, at }: Return) => {
    const first = until(at);
    if (first !== undefined) returns.push({ until, at, first });
  };
  for (const source of sources) offer(source);
  let left = count;
  for (let next = returns.pop(); next !== undefined; next = returns.pop()) {
    left -= 1;
    if (left === 0) return next.first;
    offer({ until: next.until, at: next.at + 1 });
  }
  return undefined;
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

/** What the reserved job can spare at its time, worked out when it is first asked for. */
class Sparing {
  readonly #shape: Shape;
  readonly #by: StockBy;
  readonly #spared = new Map<Demand, number>();
  #canSpare: ((boards: BoardClass) => boolean) | undefined;

  constructor(shape: Shape, by: StockBy) {
    this.#shape = shape;
    this.#by = by;
  }

  /**
   * How many boards more than there are a group needs, of those that can be had now and that the reserved job can
   * spare: of a class of which it needs every board it can spare none. At least so many; 0: perhaps none.
   */
  lackingFor({ parts, alike }: Shape): number {
    let lacking = 0;
    for (const { demand, count } of parts)
      lacking = Math.max(lacking, count - this.#sparedFor(demand));
    if (lacking > 0 || parts.length === 1) return lacking;
    for (const some of alike) lacking = Math.max(lacking, slotsOf(some) - this.#sparedForAll(some));
    return lacking;
  }

  /** The plan in the making has given boards away. */
  forget(): void {
    this.#spared.clear();
  }

  #sparedForAll(parts: readonly Part[]): number {
    const any = parts.find(({ demand }) => demand.device === undefined && demand.tags.length === 0);
    return any === undefined ? this.#spareIn(classesOf(parts)) : this.#sparedFor(any.demand);
  }

  #sparedFor(demand: Demand): number {
    let spared = this.#spared.get(demand);
    if (spared === undefined) {
      spared = this.#spareIn(demand.classes);
      this.#spared.set(demand, spared);
    }
    return spared;
  }

  #spareIn(classes: ReadonlySet<BoardClass>): number {
    this.#canSpare ??= sparedBy(this.#shape, this.#by);
    let spare = 0;
    for (const boards of classes) if (this.#canSpare(boards)) spare += supplyOf(boards, stockNow);
    return spare;
  }
}

/** The plan in the making has given the boards of this matching away. */
export function forget({ by, sparing }: ReservedStart, { taken }: Matching): void {
  for (const boards of taken.keys()) by.forget(boards);
  sparing.forget();
}

/** For the plan's answer: the boards that the reserved job would get by then. */
export function reservationOf({ job, shape, by }: ReservedStart): Reservation {
  const boards = [...deal(match(shape, by), by).values()].flat().sort(compareText);
  return { job: job.id, at: by.time, boards };
}

/**
 * A later job of this shape that does not end by the reserved start would delay it, whatever boards it took: the
 * two together lack at least so many boards.
 */
export function refuse(shape: Shape, reserved: ReservedStart, lacking = 1): void {
  const grown = grownOf(shape) + reserved.grown;
  shape.refusal = { reserved: reserved.shape, at: reserved.by.time, grown, lacking };
}

/**
 * It would still, because fewer boards have come since than were lacking, or would for all that can be counted. By an
 * earlier time there are no more boards.
 */
export function isRefused(shape: Shape, reserved: ReservedStart): boolean {
  const { refusal } = shape;
  if (
    refusal?.reserved === reserved.shape &&
    reserved.by.time <= refusal.at &&
    grownOf(shape) + reserved.grown - refusal.grown < refusal.lacking
  )
    return true;
  const lacking = reserved.sparing.lackingFor(shape);
  if (lacking > 0) refuse(shape, reserved, lacking);
  return lacking > 0;
}

function grownOf({ parts }: Shape): number {
  let grown = 0;
  for (const { demand } of parts) grown += demand.grown;
  return grown;
}
