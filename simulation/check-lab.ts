/** Holds the scheduling rules against a lab of the user's, on random runs; a failure comes as a short timeline. */
import fc from 'fast-check';
import { admit } from '../scheduler/admission.ts';
import { type Lab, plan } from '../scheduler/plan.ts';
import type { Board, QueuedJob } from '../scheduler/types.ts';
import { fillingOf, fits } from './filling.ts';
import type { Decision, Policy } from './policy.ts';
import { type Decided, PROPERTIES, type Property, type Scheduler } from './properties.ts';
import { randomOf } from './random.ts';
import { type JobModel, madeUpModels, scenarioOf } from './scenarios.ts';
import type { Trace, TraceBoard } from './trace.ts';
import { type Told, timelineOf } from './trace-story.ts';
import { simulate } from './virtual-lab.ts';

export interface LabToCheck {
  boards: TraceBoard[];
  /** How many boards the lab's worker may have in use at once; absent: all. */
  jobLimit?: number;
  /** Empty: jobs are made up. */
  jobs: JobModel[];
}

export interface LabReport {
  /** Jobs that this lab can never run, and why not. */
  never: { job: string; reasons: string[] }[];
  /** Boards that no job can use; `null` when no jobs were given. */
  unused: string[] | null;
  properties: Verdict[];
}

export interface Verdict {
  name: string;
  says: string;
  /** Random runs that were judged. */
  runs: number;
  /** The shortest run in which it does not hold that was found. */
  failure?: { path: string; wrong: string; timeline: Told[] };
}

export const THE_SCHEDULER: Scheduler = { admit, plan };

/**
 * @param how.runs random runs of each property
 * @param scheduler another one, to see that a broken one is caught
 */
export function checkLab(
  lab: LabToCheck,
  how: { runs: number; seed: number },
  scheduler: Scheduler = THE_SCHEDULER,
): LabReport {
  const never = lab.jobs.flatMap((job) => neverRuns(job, lab, scheduler));
  const unable = new Set(never.map(({ job }) => job));
  const able = lab.jobs.filter(({ name }) => !unable.has(name));
  const models = able.length > 0 ? able : modelsFor(lab, how.seed);
  return {
    never,
    unused: lab.jobs.length === 0 ? null : unusedBy(able, lab.boards),
    properties:
      models.length === 0
        ? []
        : PROPERTIES.map((property) => verdictOn(property, lab, models, how, scheduler)),
  };
}

function modelsFor({ boards, jobLimit = boards.length }: LabToCheck, seed: number): JobModel[] {
  return madeUpModels(boards, randomOf(seed)).filter(({ roles }) => roles.length <= jobLimit);
}

function neverRuns(job: JobModel, lab: LabToCheck, scheduler: Scheduler): LabReport['never'] {
  const { boards, jobLimit } = lab;
  const idle = boards.map(
    (board): Board => ({ ...board, idleSince: 0, state: 'idle', open: 'jobs' }),
  );
  const short = scheduler.admit(job.roles, idle);
  if (short.length > 0)
    return [
      { job: job.name, reasons: short.map(({ role, lacking }) => `role ${role}: ${lacking}`) },
    ];
  if (jobLimit === undefined) return [];
  const spare = new Map(boards.map(({ worker }) => [worker, jobLimit]));
  if (fillingOf(job.roles, idle, spare) !== undefined) return [];
  const reason = `it needs more boards at once than "job_limit: ${jobLimit}" of the worker lets it have`;
  return [{ job: job.name, reasons: [reason] }];
}

/** In a group that can be filled, every board that fits a slot is in some filling. */
function unusedBy(jobs: readonly JobModel[], boards: readonly TraceBoard[]): string[] {
  const roles = jobs.flatMap((job) => job.roles.filter(({ count }) => count > 0));
  return boards
    .filter((board) => !roles.some((request) => fits(board, request)))
    .map(({ name }) => name);
}

function verdictOn(
  property: Property,
  lab: LabToCheck,
  models: readonly JobModel[],
  { runs, seed }: { runs: number; seed: number },
  scheduler: Scheduler,
): Verdict {
  const { name, says } = property;
  const scenarios = scenarioOf(lab.boards, lab.jobLimit, models);
  const holds = fc.property(
    scenarios,
    (trace) => violationIn(trace, property, scheduler) === undefined,
  );
  const { failed, numRuns, counterexample, counterexamplePath } = fc.check(holds, {
    seed,
    numRuns: runs,
  });
  const trace = counterexample?.[0];
  const violation =
    failed && trace !== undefined ? violationIn(trace, property, scheduler) : undefined;
  if (trace === undefined || violation === undefined) return { name, says, runs: numRuns };
  const timeline = timelineOf(trace, violation.history);
  const failure = { path: counterexamplePath ?? '', wrong: violation.wrong, timeline };
  return { name, says, runs: numRuns, failure };
}

interface Violation {
  wrong: string;
  /** All decisions up to the wrong one. */
  history: Decided[];
}

/** Plays a trace under a scheduler, until the property does not hold. */
function violationIn(
  trace: Trace,
  property: Property,
  scheduler: Scheduler,
): Violation | undefined {
  const judge = property.judge(trace, scheduler);
  const history: Decided[] = [];
  const policy = new PlanEachTime(trace, scheduler);
  try {
    simulate(trace, policy, ({ now, decision, disturbedAt }) => {
      const decided = { ...policy.lab(), now, plan: decision.plan ?? NO_PLAN, disturbedAt };
      history.push(decided);
      const wrong = judge(decided);
      if (wrong !== undefined) throw new Violated(wrong);
    });
  } catch (error) {
    if (error instanceof Violated) return { wrong: error.message, history };
    throw error;
  }
  return undefined;
}

const NO_PLAN = { starts: [], reservation: null };

/** Stops a simulation at the first wrong decision. */
class Violated extends Error {
  override readonly name = 'Violated';
}

/** Asks for a whole plan at every decision, and admits everything: what is judged is the plan. */
class PlanEachTime implements Policy {
  readonly name = 'judged';
  readonly #scheduler: Scheduler;
  readonly #trace: Trace;
  readonly #boards = new Map<string, Board>();
  readonly #queue = new Map<number, QueuedJob>();

  constructor(trace: Trace, scheduler: Scheduler) {
    this.#trace = trace;
    this.#scheduler = scheduler;
  }

  admits(): boolean {
    return true;
  }

  setBoard(board: Board): void {
    this.#boards.set(board.name, board);
  }

  removeBoard(name: string): void {
    this.#boards.delete(name);
  }

  setJob(job: QueuedJob): void {
    this.#queue.set(job.id, job);
  }

  removeJob(id: number): void {
    this.#queue.delete(id);
  }

  lab(): Lab {
    return {
      queue: [...this.#queue.values()],
      boards: [...this.#boards.values()],
      workers: this.#trace.workers,
    };
  }

  decide(now: number): Decision {
    const made = this.#scheduler.plan(this.lab(), now);
    return { starts: made.starts, grabs: [], plan: made };
  }
}
