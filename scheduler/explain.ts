/** Why a job still waits, as data and as one sentence: derived from the plan, never remembered. */
import type { RoleRequest } from '../machines/definition.ts';
import { admit } from './admission.ts';
import { isOpenTo, missingTags } from './fit.ts';
import { canMatch, deal, holdersOf, match } from './matching.ts';
import { compareText } from './order.ts';
import { indexOf, type Lab, PlanInTheMaking } from './plan.ts';
import type { Demand, Shape } from './records.ts';
import { stockEver, stockNow } from './stock.ts';
import type { Board, Explanation, QueuedJob, Waiting } from './types.ts';
import { asked, boardCount, clauseList, lacks, NAMED_BOARDS_MAX, shortList } from './wording.ts';
import { inUse, roomNow } from './worker-use.ts';

/** What keeps a board from a role of the job; `why` is `free` when nothing does. */
interface Standing {
  board: string;
  /** Whether its type or name and its tags are right and it is not retired. */
  fits: boolean;
  why: string;
  /** `why` has a subject of its own: a sentence about the board puts it in brackets. */
  aside?: boolean;
  /** When it is back at the latest. */
  until?: number;
}

/** Why one job of the queue waits; `undefined`: there is no such job in it. */
export function explain(id: number, lab: Lab, now: number): Explanation | undefined {
  return new Account(new PlanInTheMaking(indexOf(lab), now)).explanationOf(id);
}

/** The whole queue in order, with what each job waits for. */
export function waiting(lab: Lab, now: number): Waiting[] {
  return new Account(new PlanInTheMaking(indexOf(lab), now)).waiting();
}

/**
 * Explains the jobs of one plan: what stands between each and its boards once the plan's starts have theirs.
 * Jobs of one shape share the sentence.
 */
export class Account {
  readonly #making: PlanInTheMaking;
  readonly #reasons = new Map<Shape, string>();
  readonly #byName = new Map<string, readonly Board[]>();
  /** How the boards stand to what waiting jobs ask for: the same for all that ask for the same. */
  readonly #standingsOf = new Map<Demand, readonly Standing[]>();

  constructor(making: PlanInTheMaking) {
    this.#making = making;
  }

  waiting(): Waiting[] {
    return this.#making.index.queue.items.map(({ job }, at) => this.#waitingOf(job, at + 1));
  }

  explanationOf(id: number): Explanation | undefined {
    const { index } = this.#making;
    const queued = index.queuedOf(id);
    if (queued === undefined) return undefined;
    const { job } = queued;
    const standings = this.#standings(job);
    return {
      ...this.#waitingOf(job, index.queue.placeOf(queued) + 1),
      slots: job.roles.map(({ role, count: wanted }, at) => {
        const ofRole = standings[at] ?? [];
        return {
          role,
          wanted,
          free: ofRole.filter(({ why }) => why === 'free').length,
          candidates: ofRole.map(({ board, why, until }) => ({
            board,
            why,
            ...(until !== undefined && { until }),
          })),
        };
      }),
    };
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
    if (matching.complete) return this.#wouldDelay(job);
    return this.#impossible(job, shape) ?? this.#waitsFor(job, deal(matching, stockNow));
  }

  /** The boards are there, but kept back: rule 4. */
  #wouldDelay(job: QueuedJob): string {
    const standings = this.#standings(job).flat();
    const kept = standings.filter(({ why }) => why === this.#reservedFor()).map((one) => one.board);
    const names = [...new Set(kept)].sort(compareText);
    const head = `could start now, but job ${this.#making.reserved?.job.id} would start later`;
    return names.length === 0 ? head : `${head}: ${clauseList(names)} ${this.#reservedFor()}`;
  }

  /** Nothing that is registered can satisfy it any more: the last board was retired or changed. */
  #impossible({ roles }: QueuedJob, shape: Shape): string | undefined {
    // Mostly the boards that can be had at some time are enough, and counting them is cheap.
    if (canMatch(shape, stockEver)) return undefined;
    const boards = new Set(roles.flatMap((request) => this.#boardsMeantBy(request)));
    const short = admit(roles, [...boards]);
    if (short.length === 0) return undefined;
    return `cannot start on any boards that are registered: ${shortList(short)}`;
  }

  /** `waits for 1 board of role server (type panda): panda01 held by job 3, panda02 (offline: power)`. */
  #waitsFor(job: QueuedJob, given: ReadonlyMap<string, readonly string[]>): string {
    const holder = holdersOf(given);
    const standings = this.#standings(job);
    const parts = job.roles.flatMap((request, at) => {
      const short = request.count - (given.get(request.role)?.length ?? 0);
      if (short === 0) return [];
      const others = standings[at]?.filter(({ board }) => holder.get(board) !== request.role);
      const causes = this.#causesOf(others ?? [], short, holder);
      return [`${boardCount(short)} of role ${request.role} (${asked(request)}): ${causes}`];
    });
    return `waits for ${parts.join('; ')}`;
  }

  /** What keeps the boards that fit; where too few fit at all, also what is wrong with the others. */
  #causesOf(
    others: readonly Standing[],
    short: number,
    holder: ReadonlyMap<string, string>,
  ): string {
    const fitting = others.filter(({ fits }) => fits);
    const named =
      fitting.length >= short ? fitting : [...fitting, ...others.filter((one) => !one.fits)];
    if (named.length === 0) return 'no other board is registered';
    const clauses = named.slice(0, NAMED_BOARDS_MAX).map(({ board, why, aside }) => {
      if (why !== 'free') return aside === true ? `${board} (${why})` : `${board} ${why}`;
      const role = holder.get(board);
      return role === undefined
        ? `${board} ${this.#oneTooMany(board)}`
        : `${board} is also needed by role ${role}`;
    });
    return clauseList(clauses, named.length);
  }

  /** A board that nothing keeps from the role alone, but its worker's limit from the group. */
  #oneTooMany(name: string): string {
    const { index } = this.#making;
    const board = index.boards.get(name);
    const worker = board && index.workerOf(board);
    return `is one too many for worker ${worker?.name} (${worker?.limit} at once)`;
  }

  /** For each role, how every board of its type or name stands. */
  #standings(job: QueuedJob): (readonly Standing[])[] {
    const { index, reserved } = this.#making;
    const shape = index.shapeOf(job);
    const started = this.#making.startOf(job.id) !== undefined;
    const delays =
      !started && reserved !== undefined && reserved.job !== job && match(shape, stockNow).complete;
    return job.roles.map((request) => {
      const part = shape.parts.find(({ roles }) => roles.some(({ role }) => role === request.role));
      const standings = this.#standingsTo(request, job, started ? undefined : part?.demand);
      if (!delays) return standings;
      return standings.map((standing) => {
        const board = index.boards.get(standing.board);
        if (standing.why !== 'free' || board === undefined || !this.#isReserved(board))
          return standing;
        return { ...standing, why: this.#reservedFor() };
      });
    });
  }

  /** @param demand of a role of a job that waits. */
  #standingsTo(
    request: RoleRequest,
    job: QueuedJob,
    demand: Demand | undefined,
  ): readonly Standing[] {
    const known = demand && this.#standingsOf.get(demand);
    if (known !== undefined) return known;
    const made = this.#boardsMeantBy(request).map((board) => this.#standing(board, request, job));
    if (demand !== undefined) this.#standingsOf.set(demand, made);
    return made;
  }

  /** The first rule that keeps a board away: a reason that stays (retired, tags) before one that passes. */
  #standing(board: Board, request: RoleRequest, { id, healthCheckOf }: QueuedJob): Standing {
    const { name, state, heldBy } = board;
    const missing = missingTags(board, request);
    const standing = { board: name, fits: state !== 'retired' && missing.length === 0 };
    if (state === 'retired') return { ...standing, why: 'retired' };
    if (missing.length > 0) return { ...standing, why: lacks(missing) };
    if (state === 'reserved') {
      const why = heldBy === undefined ? 'held' : `held by job ${heldBy.job}`;
      return { ...standing, why, ...(heldBy?.until !== undefined && { until: heldBy.until }) };
    }
    if (!isOpenTo(board, healthCheckOf))
      return { ...standing, why: closedText(board), aside: true };
    const start = this.#making.startWith(name);
    if (start !== undefined && start.job.id !== id)
      return { ...standing, why: `goes to job ${start.job.id}`, until: start.until };
    const worker = this.#making.index.workerOf(board);
    if (start === undefined && roomNow(worker) === 0)
      return {
        ...standing,
        why: `worker ${worker.name} has ${inUse(worker)} of its ${worker.limit} boards in use`,
        aside: true,
      };
    return { ...standing, why: 'free' };
  }

  /** Whether the reserved job counts on boards like this one, or on room on its worker. */
  #isReserved(board: Board): boolean {
    const { index, reserved } = this.#making;
    const boards = index.classOf(board);
    if (boards === undefined || reserved === undefined) return false;
    const { classes, workers } = reserved;
    return classes.has(boards) || (boards.worker !== undefined && workers.has(boards.worker));
  }

  #reservedFor(): string {
    return `reserved for job ${this.#making.reserved?.job.id}`;
  }

  /** By name. */
  #boardsMeantBy(request: RoleRequest): readonly Board[] {
    const { boards, boardsOfType } = this.#making.index;
    const { device, deviceType = '' } = request;
    if (device !== undefined) {
      const board = boards.get(device);
      return board === undefined ? [] : [board];
    }
    let list = this.#byName.get(deviceType);
    if (list === undefined) {
      list = [...(boardsOfType.get(deviceType) ?? [])].sort((a, b) => compareText(a.name, b.name));
      this.#byName.set(deviceType, list);
    }
    return list;
  }
}

function closedText({ open, closed }: Board): string {
  return closed ?? (open === 'checks' ? 'its health check comes first' : 'closed');
}
