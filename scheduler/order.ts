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

/** A priority, or more than any for a health check. */
function urgencyOf({ healthCheckOf, priority }: QueuedJob): number {
  return healthCheckOf === undefined ? priority : Number.POSITIVE_INFINITY;
}

/** Longest idle first, so that wear is spread; ties by name (SEMANTICS 4.3). */
export function compareIdle(a: Board, b: Board): number {
  return a.idleSince - b.idleSince || compareText(a.name, b.name);
}
