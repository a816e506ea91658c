/** Why a job still waits, as data and as one sentence: derived from the plan, never remembered. */
import type { RoleRequest } from '../machines/definition.ts';
import { admit } from './admission.ts';
import { fitsRequest } from './fit.ts';
import { Fitting } from './fitting.ts';
import { canMatch, deal, holdersOf, type Matching, match } from './matching.ts';
import { compareText } from './order.ts';
import { indexOf, type Lab, PlanInTheMaking } from './plan.ts';
import {
  asked,
  boardCount,
  clauseList,
  keptByLimit,
  NAMED_BOARDS_MAX,
  oneTooMany,
  shortList,
} from './reasons.ts';
import type { Demand, Part, Shape, WorkerUse } from './records.ts';
import { standingOf } from './standing.ts';
import { stockEver, stockNow } from './stock.ts';
import type { Board, Explanation, QueuedJob, Waiting } from './types.ts';
import { inUse } from './worker-use.ts';

/** Why one job of the queue waits; `undefined`: there is no such job in it. */
export function explain(id: number, lab: Lab, now: number): Explanation | undefined {
  return new Account(new PlanInTheMaking(indexOf(lab), now)).explanationOf(id);
}

/** A page of the queue in order, with what each job waits for. */
export function waiting(lab: Lab, now: number, after?: number, limit?: number): Waiting[] {
  return new Account(new PlanInTheMaking(indexOf(lab), now)).waiting(after, limit);
}

type Candidate = Explanation['slots'][number]['candidates'][number];

/**
 * Explains the jobs of one plan: what stands between each and its boards once the plan's starts have theirs.
 * Jobs of one shape share the sentence, and the slots of one demand what is known of its boards.
 */
export class Account {
  readonly #making: PlanInTheMaking;
  readonly #reasons = new Map<Shape, string>();
  readonly #fittings = new Map<Demand, Fitting>();

  constructor(making: PlanInTheMaking) {
    this.#making = making;
  }

  waiting(after = 0, limit = Number.POSITIVE_INFINITY): Waiting[] {
    const page = this.#making.index.queue.items.slice(after, after + limit);
    return page.map(({ job }, at) => this.#waitingOf(job, after + at + 1));
  }

  explanationOf(id: number): Explanation | undefined {
    const { index } = this.#making;
    const queued = index.queuedOf(id);
    if (queued === undefined) return undefined;
    const { job, shape } = queued;
    const starts = this.#making.startOf(id) !== undefined;
    const matching = match(shape, stockNow);
    const waitsForStart = !starts && matching.complete;
    const given = deal(matching, stockNow);
    const holder = holdersOf(given);
    const own = ownOf(matching);
    const slots = job.roles.map((request) => {
      const { role, count: wanted } = request;
      const candidates = index.boards.meantBy(request).map((board) => {
        const { why, until } = standingOf(board, request, job, this.#making);
        let kept: string | undefined;
        if (why === 'free' && waitsForStart) kept = this.#keptBackText(board);
        else if (why === 'free' && !starts && !holder.has(board.name)) {
          const worker = index.workerOf(board);
          kept = oneTooMany(worker, inUse(worker), own.get(worker) ?? 0);
        }
        const candidate: Candidate = { board: board.name, why: kept ?? why };
        if (until !== undefined) candidate.until = until;
        return candidate;
      });
      const free = candidates.reduce((sum, { why }) => sum + Number(why === 'free'), 0);
      const found = matching.complete ? Math.min(free, wanted) : (given.get(role)?.length ?? 0);
      return { role, wanted, free, short: starts ? 0 : wanted - found, candidates };
    });
    return { ...this.#waitingOf(job, index.queue.placeOf(queued) + 1), slots };
  }

  #waitingOf(job: QueuedJob, place: number): Waiting {
    const { plan } = this.#making;
    const guaranteedStart = plan.reservation?.job === job.id ? plan.reservation.at : null;
    return { job: job.id, place, reason: this.#reasonOf(job), guaranteedStart };
  }

  #reasonOf(job: QueuedJob): string {
    const start = this.#making.startOf(job.id);
    if (start !== undefined)
      return `can start now on ${clauseList(start.members.map(({ device }) => device))}`;
    const shape = this.#making.index.shapeOf(job);
    let reason = this.#reasons.get(shape);
    if (reason === undefined) {
      reason = this.#reasonOfShape(job, shape);
      this.#reasons.set(shape, reason);
    }
    return reason;
  }

  #reasonOfShape(job: QueuedJob, shape: Shape): string {
    if (shape.parts.length === 0) return 'asks for no board, so there is no group to allocate';
    const matching = match(shape, stockNow);
    if (matching.complete) return this.#wouldDelay(job, shape);
    return this.#impossible(job, shape) ?? this.#waitsFor(job, shape, matching);
  }

  /** The boards are there, but kept back: rule 4. */
  #wouldDelay(job: QueuedJob, { parts }: Shape): string {
    const first = this.#making.reserved?.job.id;
    const all = parts.map((part) => this.#fittingOf(part, job).keptBack);
    const boards = [...new Set(all.flatMap((kept) => kept.boards))].sort(compareText);
    const workers = [...new Set(all.flatMap((kept) => kept.workers))].sort(compareText);
    const kept = [
      ...(boards.length === 0 ? [] : [clauseList(boards)]),
      ...(workers.length === 0 ? [] : [`room on worker ${clauseList(workers)}`]),
    ];
    const head = `could start now, but job ${first} would start later`;
    return kept.length === 0 ? head : `${head}: ${kept.join(' and ')} reserved for job ${first}`;
  }

  /** Nothing that is registered can satisfy it any more: the last board was retired or changed. */
  #impossible(job: QueuedJob, shape: Shape): string | undefined {
    const { apart, parts } = shape;
    const areEnough = parts.every((part) => this.#fittingOf(part, job).count >= part.count);
    // Mostly counting tells, or that those are enough which can be had at some time.
    if (areEnough && (apart || canMatch(shape, stockEver))) return undefined;
    const { boards } = this.#making.index;
    const meant = new Set(job.roles.flatMap((request) => boards.meantBy(request)));
    const short = admit(job.roles, [...meant]);
    if (short.length === 0) return undefined;
    return `cannot start on any boards that are registered: ${shortList(short)}`;
  }

  /** `waits for 1 board of role server (type panda): panda01 held by job 3, panda02 (offline: power)`. */
  #waitsFor(job: QueuedJob, shape: Shape, matching: Matching): string {
    const given = deal(matching, stockNow);
    const holder = holdersOf(given);
    const parts = job.roles.flatMap((request) => {
      const found = given.get(request.role)?.length ?? 0;
      const part = shape.parts.find(({ roles }) => roles.some(({ role }) => role === request.role));
      const short = request.count - found;
      if (short === 0 || part === undefined) return [];
      const causes = [
        ...this.#limitsOn(part, job, matching, holder),
        ...this.#othersFor(part, job, request, given),
      ];
      const why = causes.length === 0 ? 'no other board is registered' : causes.join(', ');
      return [`${boardCount(short)} of role ${request.role} (${asked(request)}): ${why}`];
    });
    return `waits for ${parts.join('; ')}`;
  }

  /** Boards that are ready, but of whose workers the group may have no more: the matching leaves no other ones. */
  #limitsOn(
    part: Part,
    job: QueuedJob,
    matching: Matching,
    holder: ReadonlyMap<string, string>,
  ): string[] {
    const own = ownOf(matching);
    const ready = [...this.#fittingOf(part, job).ready];
    ready.sort(([a], [b]) => compareText(a.name, b.name));
    return ready.flatMap(([worker, boards]) => {
      const kept = boards.filter((name) => !holder.has(name));
      if (kept.length === 0) return [];
      const count = { used: inUse(worker), own: own.get(worker) ?? 0 };
      return [keptByLimit(clauseList(kept), worker, count)];
    });
  }

  /** What keeps the other boards that fit; where too few fit at all, also what is wrong with the rest. */
  #othersFor(
    part: Part,
    job: QueuedJob,
    request: RoleRequest,
    given: ReadonlyMap<string, readonly string[]>,
  ): string[] {
    const { boards } = this.#making.index;
    const { kept, keptCount, count } = this.#fittingOf(part, job);
    const needed = [...given].flatMap(([role, names]) =>
      role === request.role ? [] : names.map((name) => ({ name, role })),
    );
    const clauses = needed
      .filter(({ name }) => fitsRequest(boards.get(name), request))
      .sort((a, b) => compareText(a.name, b.name))
      .map(({ name, role }) => `${name} is also needed by role ${role}`);
    const unfit =
      count < request.count
        ? boards.meantBy(request).filter((board) => !fitsRequest(board, request))
        : [];
    const total = clauses.length + keptCount + unfit.length;
    if (total === 0) return [];
    for (const board of [...kept, ...unfit].slice(0, NAMED_BOARDS_MAX)) {
      const { why, aside } = standingOf(board, request, job, this.#making);
      clauses.push(aside === true ? `${board.name} (${why})` : `${board.name} ${why}`);
    }
    return [clauseList(clauses, total)];
  }

  #fittingOf({ demand }: Part, job: QueuedJob): Fitting {
    let fitting = this.#fittings.get(demand);
    if (fitting === undefined) {
      fitting = new Fitting(demand, job, this.#making);
      this.#fittings.set(demand, fitting);
    }
    return fitting;
  }

  /** Whether the reserved job counts on boards like this one. */
  #countsOn(board: Board): boolean {
    const { index, reserved } = this.#making;
    const boards = index.classOf(board);
    return boards !== undefined && reserved?.classes.has(boards) === true;
  }

  /** What keeps a board that is free from a job that must not delay the reserved one. */
  #keptBackText(board: Board): string | undefined {
    const { index, reserved } = this.#making;
    if (reserved === undefined) return undefined;
    const reservedFor = `reserved for job ${reserved.job.id}`;
    if (this.#countsOn(board)) return reservedFor;
    const worker = index.workerOf(board);
    return reserved.workers.has(worker)
      ? `room on worker ${worker.name} ${reservedFor}`
      : undefined;
  }
}

/** How many boards of each worker with a limit the group itself would have. */
function ownOf({ taken }: Matching): ReadonlyMap<WorkerUse, number> {
  const own = new Map<WorkerUse, number>();
  for (const [{ worker }, count] of taken)
    if (worker !== undefined) own.set(worker, (own.get(worker) ?? 0) + count);
  return own;
}
