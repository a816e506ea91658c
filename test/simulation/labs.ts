/** Small traces for the tests of this room. Times are in seconds since the trace began. */
import type { RoleRequest } from '../../machines/definition.ts';
import { makePolicy, type PolicyName } from '../../simulation/policies.ts';
import type { Trace, TraceBoard, TraceJob } from '../../simulation/trace.ts';
import { type Run, simulate } from '../../simulation/virtual-lab.ts';

export function board(name: string, deviceType: string, ...tags: string[]): TraceBoard {
  return { name, deviceType, tags, worker: 'w1', from: 0, until: null };
}

/** `needs('client', 2, 'panda', 'wifi')`. */
export function needs(
  role: string,
  count: number,
  deviceType: string,
  ...tags: string[]
): RoleRequest {
  return { role, count, deviceType, tags };
}

/** Runs 10 minutes of at most 20, unless told otherwise. */
export function job(id: number, roles: RoleRequest[], more: Partial<TraceJob> = {}): TraceJob {
  return {
    id,
    name: `job ${id}`,
    submittedAt: 0,
    priority: 50,
    roles,
    timeoutSeconds: 1_200,
    runMs: 600_000,
    outcome: 'complete',
    ...more,
  };
}

export function trace(boards: TraceBoard[], jobs: TraceJob[], more: Partial<Trace> = {}): Trace {
  return { boards, workers: [{ name: 'w1' }], jobs, outages: [], guessed: 0, ...more };
}

export function play(of: Trace, policy: PolicyName, seed = 1): Run {
  return simulate(of, makePolicy(policy, of.workers, seed));
}

/** When each job started, in seconds; `null`: never. By id. */
export function startsOf({ jobs }: Run): Record<number, number | null> {
  return Object.fromEntries(
    jobs.map(({ job: { id }, startedAt }) => [id, startedAt === null ? null : startedAt / 1000]),
  );
}

export const endsOf = ({ jobs }: Run): Record<number, string> =>
  Object.fromEntries(jobs.map(({ job: { id }, end }) => [id, end]));
