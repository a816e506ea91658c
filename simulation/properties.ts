/**
 * The scheduling rules as properties: each judges every decision of a run, with reckoning of its own
 * (`filling.ts`) and not with the scheduler's. docs/scheduling.md states the rules.
 */
import { comparePlaces } from '../scheduler/order.ts';
import type { Lab } from '../scheduler/plan.ts';
import type { Board, Plan, QueuedJob, Shortfall, Worker } from '../scheduler/types.ts';
import { differenceOf } from './difference.ts';
import { fillingOf, fits, type Members } from './filling.ts';
import { randomOf } from './random.ts';
import { latestStart, longestTimeoutMs } from './starvation.ts';
import { sizeOf, type Trace } from './trace.ts';

/** What is judged: the scheduler, or in a test a broken one. */
export interface Scheduler {
  admit(roles: QueuedJob['roles'], boards: readonly Board[]): Shortfall[];
  plan(lab: Lab, now: number): Plan;
}

/** One decision, and the lab that it was made for. */
export interface Decided extends Lab {
  now: number;
  plan: Plan;
  /** When a board last came or went. */
  disturbedAt: number;
}

/** Says what is wrong, or nothing. A judge lives as long as one run. */
export type Judge = (decided: Decided) => string | undefined;

export interface Property {
  name: string;
  /** The rule as a sentence. */
  says: string;
  judge(trace: Trace, scheduler: Scheduler): Judge;
}

export const PROPERTIES: readonly Property[] = [
  {
    name: 'admission',
    says: 'a job is accepted exactly when some boards of the lab can fill its whole group',
    judge: judgeAdmission,
  },
  {
    name: 'all or nothing',
    says: 'a job that starts has every board that it asks for, each of them idle and fit',
    judge: () => judgeWholeGroups,
  },
  {
    name: 'no board twice',
    says: 'no board is given to two jobs, and no worker gives more boards than it may',
    judge: () => judgeSingleUse,
  },
  {
    name: 'order of inputs',
    says: 'the plan is the same in whatever order jobs and boards are listed',
    judge: (_, scheduler) => (decided) => judgeOrder(decided, scheduler),
  },
  {
    name: 'priority',
    says: 'no job is passed over by later ones when its boards are free',
    judge: () => judgePriority,
  },
  {
    name: 'maximality',
    says: 'no job is left waiting that could start without delaying the reserved start',
    judge: () => judgeMaximality,
  },
  {
    name: 'guaranteed start',
    says: 'a start that was promised is kept, unless a board goes or a more urgent job comes',
    judge: judgePromises,
  },
  {
    name: 'nobody starves',
    says: 'a job waits at most the longest timeout for itself and each job before it',
    judge: judgeStarvation,
  },
];

/** On the lab, and on parts of it that may no longer do. */
function judgeAdmission({ jobs, boards }: Trace, { admit }: Scheduler): Judge {
  const lab = boards.map(
    (board): Board => ({ ...board, idleSince: 0, state: 'idle', open: 'jobs' }),
  );
  const random = randomOf(jobs.length * lab.length);
  const parts = Array.from({ length: PARTS_OF_A_LAB }, () =>
    random.shuffled(lab).slice(random.whole(lab.length)),
  );
  const wrong = [lab, ...parts].flatMap((part) =>
    jobs.flatMap(({ id, roles }) => {
      const isAccepted = admit(roles, part).length === 0;
      if (isAccepted === (fillingOf(roles, part) !== undefined)) return [];
      const how = isAccepted ? 'accepted, though no boards fill' : 'rejected, though boards fill';
      return `with ${part.map(({ name }) => name).join(', ')} job ${id} is ${how} its group`;
    }),
  );
  return () => wrong[0];
}
const PARTS_OF_A_LAB = 4;

function judgeWholeGroups({ plan, queue, boards }: Decided): string | undefined {
  const byName = new Map(boards.map((board) => [board.name, board]));
  const byId = new Map(queue.map((job) => [job.id, job]));
  for (const { job: id, members } of plan.starts) {
    const job = byId.get(id);
    if (job === undefined) return `job ${id} starts, though it does not wait`;
    const wanted = sizeOf(job.roles);
    if (members.length !== wanted)
      return `job ${id} starts with ${members.length} of ${wanted} boards`;
    for (const request of job.roles) {
      const given = members.filter(({ role }) => role === request.role);
      if (given.length !== request.count)
        return `role ${request.role} of job ${id} has ${given.length} of ${request.count} boards`;
      for (const { device } of given) {
        const board = byName.get(device);
        if (board === undefined || !isFree(board)) return `job ${id} is given ${device}, not free`;
        if (!fits(board, request))
          return `${device} does not fit role ${request.role} of job ${id}`;
      }
    }
  }
  return undefined;
}

function judgeSingleUse({ plan, boards, workers }: Decided): string | undefined {
  const givenTo = new Map<string, number>();
  for (const { job, members } of plan.starts)
    for (const { device } of members) {
      const other = givenTo.get(device) ?? boards.find(({ name }) => name === device)?.heldBy?.job;
      if (other !== undefined) return `${device} is given to job ${job} and to job ${other}`;
      givenTo.set(device, job);
    }
  for (const [worker, spare] of spareAfter(boards, workers, new Set(givenTo.keys())))
    if (spare < 0) return `worker ${worker} gives ${-spare} more boards than it may`;
  return undefined;
}

function judgeOrder(
  { plan, queue, boards, workers, now }: Decided,
  scheduler: Scheduler,
): string | undefined {
  const random = randomOf(now);
  const other = scheduler.plan(
    { queue: random.shuffled(queue), boards: random.shuffled(boards), workers },
    now,
  );
  const difference = differenceOf(plan, other);
  return difference && `with jobs and boards listed otherwise ${difference}`;
}

function judgePriority({ plan, queue, boards, workers }: Decided): string | undefined {
  const startOf = new Map(plan.starts.map(({ job, members }) => [job, members]));
  const given = new Set<string>();
  let isTaken = false;
  for (const job of [...queue].sort(comparePlaces)) {
    const members = startOf.get(job.id);
    if (members !== undefined) for (const { device } of members) given.add(device);
    else if (fillingLeft(job, boards, workers, given) === undefined) isTaken = true;
    else if (!isTaken) return `job ${job.id} is first in order and its boards are free; it waits`;
    // What comes after the first blocked job starts only as far as it does not delay it.
    if (isTaken) return undefined;
  }
  return undefined;
}

/** Two ways in which a job surely delays nobody; the scheduler knows more, so this finds only what is certain. */
function judgeMaximality({ plan, queue, boards, workers, now }: Decided): string | undefined {
  const { reservation } = plan;
  const given = new Set(plan.starts.flatMap(({ members }) => members.map(({ device }) => device)));
  const started = new Set(plan.starts.map(({ job }) => job));
  const kept = new Set([...given, ...(reservation?.boards ?? [])]);
  const byTimeoutOf = new Map(queue.map((job) => [job.id, now + job.timeoutSeconds * 1000]));
  const at = reservation?.at ?? 0;
  /** Boards that are not back at the reserved time, or are its own. */
  const usedThen = new Set([
    ...(reservation?.boards ?? []),
    ...boards.filter(({ heldBy }) => (heldBy?.until ?? 0) > at).map(({ name }) => name),
    ...plan.starts
      .filter(({ job }) => (byTimeoutOf.get(job) ?? 0) > at)
      .flatMap(({ members }) => members.map(({ device }) => device)),
  ]);
  const spareThen = spareBeside(boards, workers, usedThen);
  for (const job of queue) {
    if (started.has(job.id) || job.id === reservation?.job) continue;
    const isOver = reservation === null || (byTimeoutOf.get(job.id) ?? 0) <= at;
    if (isOver && fillingLeft(job, boards, workers, given) !== undefined)
      return `job ${job.id} could start and delay nobody; it waits`;
    if (!isOver && fillingLeft(job, boards, workers, kept, spareThen) !== undefined)
      return `job ${job.id} could start on boards that job ${reservation?.job} does not need; it waits`;
  }
  return undefined;
}

function judgePromises(): Judge {
  const promised = new Map<number, number>();
  const known = new Set<number>();
  return ({ plan, queue, now, disturbedAt }) => {
    if (disturbedAt === now) promised.clear();
    const starting = new Set(plan.starts.map(({ job }) => job));
    const isNew = queue.filter(({ id }) => !known.has(id));
    for (const { id } of isNew) known.add(id);
    for (const [id, at] of promised) {
      const job = queue.find((each) => each.id === id);
      const isPushedBack = job !== undefined && isNew.some((each) => comparePlaces(each, job) < 0);
      if (job === undefined || isPushedBack) promised.delete(id);
      else if (now > at || (now === at && !starting.has(id)))
        return `job ${id} was promised a start by now at the latest`;
    }
    if (plan.reservation === null) return undefined;
    const { job, at } = plan.reservation;
    const before = promised.get(job);
    promised.set(job, Math.min(at, before ?? at));
    const laterMs = before === undefined ? 0 : at - before;
    return laterMs > 0
      ? `the promised start of job ${job} moved ${laterMs / 1000} s away`
      : undefined;
  };
}

function judgeStarvation({ jobs }: Trace): Judge {
  const longestMs = longestTimeoutMs(jobs);
  const jobOf = new Map(jobs.map((job) => [job.id, job]));
  const aheadOf = new Map<number, Set<number>>();
  return ({ plan, queue, boards, workers, now, disturbedAt }) => {
    const starting = new Set(plan.starts.map(({ job }) => job));
    const here = boards.filter(({ open }) => open === 'jobs');
    for (const waiting of queue) {
      const ahead = aheadOf.get(waiting.id) ?? new Set();
      aheadOf.set(waiting.id, ahead);
      for (const other of queue) if (comparePlaces(other, waiting) < 0) ahead.add(other.id);
      const job = jobOf.get(waiting.id);
      if (job === undefined || starting.has(job.id)) continue;
      if (now <= latestStart({ job, ahead: ahead.size }, longestMs, disturbedAt)) continue;
      if (fillingOf(job.roles, here, spareBeside([], workers, new Set())) === undefined) continue;
      return `job ${job.id} had ${ahead.size} jobs before it and still waits`;
    }
    return undefined;
  };
}

const isFree = ({ state, open }: Board): boolean => state === 'idle' && open === 'jobs';

/** How many more boards each worker with a limit may give when these are given, beside those it has given. */
function spareAfter(
  boards: readonly Board[],
  workers: readonly Worker[],
  given: ReadonlySet<string>,
): Map<string, number> {
  const used = boards.filter(({ name, state }) => state === 'reserved' || given.has(name));
  return spareBeside(boards, workers, new Set(used.map(({ name }) => name)));
}

/** How many boards each worker with a limit may give beside these. */
function spareBeside(
  boards: readonly Board[],
  workers: readonly Worker[],
  used: ReadonlySet<string>,
): Map<string, number> {
  const spare = new Map<string, number>();
  for (const { name, jobLimit } of workers) if (jobLimit !== undefined) spare.set(name, jobLimit);
  for (const { name, worker } of boards) {
    const left = spare.get(worker);
    if (left !== undefined && used.has(name)) spare.set(worker, left - 1);
  }
  return spare;
}

/** Boards for a whole group among the free ones, these left out. */
function fillingLeft(
  { roles }: QueuedJob,
  boards: readonly Board[],
  workers: readonly Worker[],
  leftOut: ReadonlySet<string>,
  alsoSpare?: ReadonlyMap<string, number>,
): Members | undefined {
  if (sizeOf(roles) === 0) return undefined;
  const spare = spareAfter(boards, workers, leftOut);
  for (const [worker, count] of alsoSpare ?? [])
    spare.set(worker, Math.min(count, spare.get(worker) ?? count));
  const left = boards.filter((board) => isFree(board) && !leftOut.has(board.name));
  return fillingOf(roles, left, spare);
}
