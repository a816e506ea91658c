/** What a run of a trace comes to: waits by group size, use by device type, who starved, who deadlocked. */
import { compareText } from '../scheduler/order.ts';
import { starvedOf } from './starvation.ts';
import type { BoardUse, Deadlock, End, JobRun, Run } from './virtual-lab.ts';

export interface Report {
  policy: string;
  /** From the first submission to the last end, in seconds. */
  spanSeconds: number;
  jobs: number;
  /** How many jobs ended how; `waiting`: never started. */
  ends: Record<End, number>;
  /** Smallest groups first. */
  waits: WaitsOfSize[];
  /** By name of the device type. */
  use: UseOfType[];
  starved: { jobs: number; first: StarvedJob[] };
  deadlock: Deadlock | null;
}

export interface WaitsOfSize {
  /** Sizes of the groups: `1`, `2`, `3-4`, `5-8`, ... */
  boards: string;
  started: number;
  /** Admitted, and not started before they were given up or the trace ended. */
  never: number;
  /** Of those that started, from submission to start; `null`: none did. */
  medianSeconds: number | null;
  p90Seconds: number | null;
  maxSeconds: number | null;
}

export interface UseOfType {
  deviceType: string;
  boards: number;
  /** Part of the time in which its boards could be used in which jobs ran on them, 0 to 1. */
  busy: number;
  /** The same of boards that a job held that had not started. */
  grabbed: number;
}

export interface StarvedJob {
  job: number;
  boards: number;
  waitedSeconds: number;
  started: boolean;
}

const STARVED_SHOWN_MAX = 5;

export function reportOf(run: Run): Report {
  const starved = starvedOf(run).sort((a, b) => waitedMs(b, run) - waitedMs(a, run));
  return {
    policy: run.policy,
    spanSeconds: (run.endedAt - run.beganAt) / 1000,
    jobs: run.jobs.length,
    ends: endsOf(run.jobs),
    waits: waitsOf(run.jobs),
    use: useOf(run.use),
    starved: {
      jobs: starved.length,
      first: starved.slice(0, STARVED_SHOWN_MAX).map((each) => ({
        job: each.job.id,
        boards: each.size,
        waitedSeconds: waitedMs(each, run) / 1000,
        started: each.startedAt !== null,
      })),
    },
    deadlock: run.deadlock,
  };
}

function endsOf(jobs: readonly JobRun[]): Record<End, number> {
  const ends: Record<End, number> = {
    complete: 0,
    failed: 0,
    timedOut: 0,
    lost: 0,
    rejected: 0,
    withdrawn: 0,
    queueTimedOut: 0,
    waiting: 0,
  };
  for (const { end } of jobs) ends[end] += 1;
  return ends;
}

const waitedMs = ({ job, startedAt, endedAt }: JobRun, run: Run): number =>
  (startedAt ?? endedAt ?? run.endedAt) - job.submittedAt;

function waitsOf(jobs: readonly JobRun[]): WaitsOfSize[] {
  const bySize = new Map<number, { waits: number[]; never: number }>();
  for (const { size, end, startedAt, job } of jobs) {
    if (end === 'rejected') continue;
    const top = topOf(size);
    const group = bySize.get(top) ?? { waits: [], never: 0 };
    bySize.set(top, group);
    if (startedAt === null) group.never += 1;
    else group.waits.push((startedAt - job.submittedAt) / 1000);
  }
  return [...bySize]
    .sort(([a], [b]) => a - b)
    .map(([top, { waits, never }]) => {
      waits.sort((a, b) => a - b);
      return {
        boards: rangeUpTo(top),
        started: waits.length,
        never,
        medianSeconds: quantile(waits, 0.5),
        p90Seconds: quantile(waits, 0.9),
        maxSeconds: waits.at(-1) ?? null,
      };
    });
}

/** Sizes are put together between powers of two: the largest size of the range that this one is in. */
const topOf = (size: number): number => (size < 2 ? size : 2 ** Math.ceil(Math.log2(size)));
const rangeUpTo = (top: number): string => (top < 3 ? String(top) : `${top / 2 + 1}-${top}`);

/** The least value that at least this part of the sorted values does not exceed. */
function quantile(sorted: readonly number[], part: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? null;
}

function useOf(boards: readonly BoardUse[]): UseOfType[] {
  const types = new Map<
    string,
    { boards: number; available: number; busy: number; grabbed: number }
  >();
  for (const { deviceType, availableMs, busyMs, grabbedMs } of boards) {
    const use = types.get(deviceType) ?? { boards: 0, available: 0, busy: 0, grabbed: 0 };
    types.set(deviceType, use);
    use.boards += 1;
    use.available += availableMs;
    use.busy += busyMs;
    use.grabbed += grabbedMs;
  }
  return [...types]
    .sort(([a], [b]) => compareText(a, b))
    .map(([deviceType, { boards: count, available, busy, grabbed }]) => ({
      deviceType,
      boards: count,
      busy: available === 0 ? 0 : busy / available,
      grabbed: available === 0 ? 0 : grabbed / available,
    }));
}
