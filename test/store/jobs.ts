/** Whole jobs for the tests of retention and transfer. */
import { PastLab } from '../../bench/past-jobs.ts';
import type { NewEvent } from '../../machines/events.ts';

/** The job's own stream, from its submission to its end. */
export function finishedJob(id: number, at: number): NewEvent[] {
  const appends = new PastLab(['panda01', 'panda02']).finished(id, at);
  return appends.find(({ stream }) => stream === `job-${id}`)?.events ?? [];
}

/** The same job while its boards still work on it. */
export const runningJob = (id: number, at: number): NewEvent[] => finishedJob(id, at).slice(0, -4);
