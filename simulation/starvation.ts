/**
 * How long a job may wait at most under Muster's rules, and which jobs of a run waited longer.
 *
 * While a job is the first blocked one, its start is reserved for the time by which the timeouts of all that runs
 * have passed, and nobody may delay it: so it starts within the longest timeout that any job has. Then the next
 * in order is first. A job that has `ahead` jobs before it therefore waits at most `ahead + 1` longest timeouts,
 * counted anew when a board comes or goes. What waits longer under another policy *starves*.
 */
import type { JobRun, Run } from './virtual-lab.ts';

/** The latest start that the rules allow, in milliseconds since the epoch. */
export function latestStart(
  run: Pick<JobRun, 'job' | 'ahead'>,
  longestTimeoutMs: number,
  disturbedAt: number,
): number {
  return Math.max(run.job.submittedAt, disturbedAt) + (run.ahead + 1) * longestTimeoutMs;
}

export function longestTimeoutMs(jobs: Iterable<JobRun['job']>): number {
  let longest = 0;
  for (const { timeoutSeconds } of jobs) longest = Math.max(longest, timeoutSeconds * 1000);
  return longest;
}

/** The jobs that waited longer than the rules allow, whether they started in the end or not. */
export function starvedOf({ jobs, endedAt, disturbances }: Run): JobRun[] {
  const longestMs = longestTimeoutMs(jobs.map(({ job }) => job));
  return jobs.filter((run) => {
    if (run.end === 'rejected') return false;
    const until = run.startedAt ?? run.endedAt ?? endedAt;
    return until > latestStart(run, longestMs, lastUpTo(disturbances, until));
  });
}

function lastUpTo(times: readonly number[], limit: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return times[low - 1] ?? 0;
}
