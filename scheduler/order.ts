/** The orders that make every answer of this room independent of the order of its inputs. */
import type { QueuedJob } from './types.ts';

/** By UTF-16 code units: the same on every machine, unlike a locale's order. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Negative when `a` comes first: highest priority, then first submitted, then lowest id (SEMANTICS 4.1). */
export function comparePlaces(a: QueuedJob, b: QueuedJob): number {
  return b.priority - a.priority || a.submittedAt - b.submittedAt || a.id - b.id;
}
