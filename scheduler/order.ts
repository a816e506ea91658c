/** The orders that make every answer of this room independent of the order of its inputs. */
import type { Board, QueuedJob } from './types.ts';

/** Negative when `a` comes first; 0 only for the same thing. */
export type Compare<T> = (a: T, b: T) => number;

/** By UTF-16 code units: the same on every machine, unlike a locale's order. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Health checks first, then highest priority, then first submitted, then lowest id (SEMANTICS 4.1, 4.5). */
export function comparePlaces(a: QueuedJob, b: QueuedJob): number {
  return urgencyOf(b) - urgencyOf(a) || a.submittedAt - b.submittedAt || a.id - b.id;
}

/** Things in the order of their jobs' turns: each urgency has a line of its own, which mostly is in order already. */
export function inTurn<T extends { job: QueuedJob }>(things: readonly T[]): T[] {
  const lines = new Map<number, T[]>();
  for (const thing of things) {
    const urgency = urgencyOf(thing.job);
    const line = lines.get(urgency);
    if (line === undefined) lines.set(urgency, [thing]);
    else line.push(thing);
  }
  for (const line of lines.values()) line.sort((a, b) => comparePlaces(a.job, b.job));
  return [...lines].sort(([a], [b]) => b - a).flatMap(([, line]) => line);
}

/** A priority, or more than any for a health check. */
function urgencyOf({ healthCheckOf, priority }: QueuedJob): number {
  return healthCheckOf === undefined ? priority : Number.POSITIVE_INFINITY;
}

/** Longest idle first, so that wear is spread; ties by name (SEMANTICS 4.3). */
export function compareIdle(
  a: Pick<Board, 'name' | 'idleSince'>,
  b: Pick<Board, 'name' | 'idleSince'>,
): number {
  return a.idleSince - b.idleSince || compareText(a.name, b.name);
}
