/** A run's events and times in words. */
import { lasting } from '../ui/time.ts';
import type { JobFold } from './fold.ts';
import type { Run } from './run.ts';
import { sentence } from './telling.ts';

export function eventText({ fold }: Pick<Run, 'fold'>, at: number): string {
  const event = fold.events[at];
  return event === undefined ? '' : sentence(event, (n) => fold.waits.get(n));
}

/** How long after the job had its boards. */
export function sinceBoards(fold: JobFold, at: number): string {
  const since = (fold.times[at] ?? 0) - (fold.times[fold.start] ?? 0);
  return since < 0 ? `−${lasting(-since)}` : `+${lasting(since)}`;
}
