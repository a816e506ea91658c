/**
 * A trace: what was asked of a lab and what befell it, without who got which board when. That is what a policy
 * decides, so a trace can be played under any.
 *
 * Every time is in milliseconds since the epoch; a job's boards are those of its roles, its *size* their number.
 */
import type { RoleRequest } from '../machines/definition.ts';
import type { Worker } from '../scheduler/types.ts';

export interface Trace {
  boards: TraceBoard[];
  workers: Worker[];
  /** In the order of their submission. */
  jobs: TraceJob[];
  outages: Outage[];
  /** Jobs whose run time the log does not know: they never ran in it, or run still. It was guessed. */
  guessed: number;
}

export interface TraceBoard {
  name: string;
  deviceType: string;
  tags: readonly string[];
  worker: string;
  /** From when on it was registered. */
  from: number;
  /** When it was retired; `null`: it is there for good. */
  until: number | null;
}

export interface TraceJob {
  id: number;
  name: string;
  submittedAt: number;
  priority: number;
  roles: readonly RoleRequest[];
  timeoutSeconds: number;
  queueTimeoutSeconds?: number;
  /** How long it holds its boards once it has them, unless its timeout or a lost board ends it. */
  runMs: number;
  /** How it ends when nothing but itself ends it. */
  outcome: 'complete' | 'failed';
  /** When somebody cancelled it while it waited. Where it runs by then, it runs on. */
  withdrawnAt?: number;
}

/** A time in which a board is given to nobody. */
export interface Outage {
  board: string;
  from: number;
  /** `null`: to the end. */
  until: number | null;
  /** `lost`: it ends the job that it is in. `drained`: that job runs on, and no other comes. */
  kind: 'lost' | 'drained';
}

/** How many boards a group has. */
export function sizeOf(roles: readonly RoleRequest[]): number {
  return roles.reduce((sum, { count }) => sum + count, 0);
}

/** The trace as it would have been without some boards. Names that are of no board change nothing. */
export function without(trace: Trace, names: ReadonlySet<string>): Trace {
  return {
    ...trace,
    boards: trace.boards.filter(({ name }) => !names.has(name)),
    outages: trace.outages.filter(({ board }) => !names.has(board)),
  };
}

/** Boards that a lab does not have: so many of one type, each with all the tags. */
export interface MoreBoards {
  deviceType: string;
  count: number;
  tags: readonly string[];
}

/** The trace as it would have been with more boards, each of a worker of its own: `extra-panda-1`. */
export function withMore(trace: Trace, more: readonly MoreBoards[]): Trace {
  const taken = new Set(trace.boards.map(({ name }) => name));
  const from = startOf(trace);
  const boards = more.flatMap(({ deviceType, count, tags }) =>
    Array.from({ length: count }, (): TraceBoard => {
      const name = freeName(`extra-${deviceType}`, taken);
      taken.add(name);
      return { name, deviceType, tags, worker: name, from, until: null };
    }),
  );
  return { ...trace, boards: [...trace.boards, ...boards] };
}

function freeName(stem: string, taken: ReadonlySet<string>): string {
  let number = 1;
  while (taken.has(`${stem}-${number}`)) number += 1;
  return `${stem}-${number}`;
}

/** The first instant that the trace tells of; 0 when it tells of nothing. */
export function startOf(trace: Trace): number {
  let first = Number.POSITIVE_INFINITY;
  for (const { from } of trace.boards) first = Math.min(first, from);
  for (const { submittedAt } of trace.jobs) first = Math.min(first, submittedAt);
  return Number.isFinite(first) ? first : 0;
}
