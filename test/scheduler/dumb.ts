/**
 * The scheduling rules once more, in other words and as dumb as can be: every way to give boards to slots is
 * tried. The wrong schedulers in `mutants.ts` are this one with a rule taken away.
 */
import type { RoleRequest } from '../../machines/definition.ts';
import type { Lab } from '../../scheduler/plan.ts';
import type { Assignment, Board, Plan, QueuedJob, Worker } from '../../scheduler/types.ts';

export const registered = ({ state }: Board): boolean => state !== 'retired';

/** Whether a board would be given to a job if it were idle. */
export const openTo = (candidate: Board, job: Pick<QueuedJob, 'healthCheckOf'>): boolean =>
  candidate.open === 'jobs' ||
  (candidate.open === 'checks' && job.healthCheckOf === candidate.name);

export const free = (candidate: Board, job: Pick<QueuedJob, 'healthCheckOf'> = {}): boolean =>
  candidate.state === 'idle' && openTo(candidate, job);

export function fits(candidate: Board, request: RoleRequest): boolean {
  const meant = request.device === candidate.name || request.deviceType === candidate.deviceType;
  return meant && request.tags.every((tag) => candidate.tags.includes(tag));
}

export const slotsOf = (roles: readonly RoleRequest[]): RoleRequest[] =>
  roles.flatMap((request) => Array.from({ length: request.count }, () => request));

/** Every list of boards that fills all the slots, found by trying every board in every slot. */
export function fillings(slots: readonly RoleRequest[], boards: readonly Board[]): Board[][] {
  const [slot, ...rest] = slots;
  if (slot === undefined) return [[]];
  return boards
    .filter((candidate) => fits(candidate, slot))
    .flatMap((chosen) =>
      fillings(
        rest,
        boards.filter((other) => other !== chosen),
      ).map((others) => [chosen, ...others]),
    );
}

export const canStart = (roles: readonly RoleRequest[], boards: readonly Board[]): boolean =>
  fillings(slotsOf(roles), boards).length > 0;

/** The most slots that can be filled at once: each is filled by some board or left open. */
export function mostSlots(
  slots: readonly RoleRequest[],
  boards: readonly Board[],
  room: (set: readonly Board[]) => boolean = () => true,
  taken: readonly Board[] = [],
): number {
  const [slot, ...rest] = slots;
  if (slot === undefined) return 0;
  const filled = boards
    .filter((candidate) => fits(candidate, slot) && room([...taken, candidate]))
    .map(
      (chosen) =>
        1 +
        mostSlots(
          rest,
          boards.filter((other) => other !== chosen),
          room,
          [...taken, chosen],
        ),
    );
  return Math.max(mostSlots(rest, boards, room, taken), ...filled);
}

/** SEMANTICS 4.1 and 4.5 once more, in other words than the scheduler's. */
export function inTurn(queue: readonly QueuedJob[]): QueuedJob[] {
  const rank = ({ healthCheckOf, priority, submittedAt, id }: QueuedJob) =>
    [healthCheckOf === undefined ? 1 : 0, healthCheckOf === undefined ? 100 - priority : 0]
      .concat(submittedAt, id)
      .map((n) => String(n).padStart(9, '0'))
      .join();
  return [...queue].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/** The lab while boards are given out: `until` is set for those that are held and come back. */
export interface Moment {
  now: number;
  boards: readonly Board[];
  workers: readonly Worker[];
}

/** The boards as they are at a later time, when all timeouts until then have given theirs back. */
export function atTime({ boards, workers }: Moment, time: number): Moment {
  const later = boards.map((one): Board => {
    const until = one.state === 'reserved' ? one.heldBy?.until : undefined;
    if (until === undefined || until > time) return one;
    const { heldBy: _, ...rest } = one;
    return { ...rest, state: 'idle', idleSince: until };
  });
  return { now: time, boards: later, workers };
}

/** Whether the limits allow that these boards are taken on top of what is in use. */
export const roomFor =
  ({ boards, workers }: Moment) =>
  (set: readonly Board[]): boolean =>
    workers.every(({ name, jobLimit = 99 }) => {
      const own = set.filter(({ worker }) => worker === name).length;
      const used = boards.filter(({ worker, state }) => worker === name && state === 'reserved');
      return own === 0 || used.length + own <= jobLimit;
    });

export const take = (moment: Moment, set: readonly Board[], by: QueuedJob): Moment => ({
  ...moment,
  boards: moment.boards.map((one) =>
    set.some(({ name }) => name === one.name)
      ? {
          ...one,
          state: 'reserved',
          heldBy: { job: by.id, until: moment.now + by.timeoutSeconds * 1000 },
        }
      : one,
  ),
});

/** Every list of boards on which a job could start at this moment. */
export function ways(job: QueuedJob, moment: Moment): Board[][] {
  if (slotsOf(job.roles).length === 0) return [];
  const usable = moment.boards.filter((one) => free(one, job));
  return fillings(slotsOf(job.roles), usable).filter(roomFor(moment));
}

/** The earliest time by which a job surely can start; `undefined`: there is none. */
export function sureStart(job: QueuedJob, moment: Moment): number | undefined {
  const ends = moment.boards.flatMap(({ heldBy }) => heldBy?.until ?? []);
  const times = [...new Set(ends.map((until) => Math.max(until, moment.now)))];
  return times.sort((a, b) => a - b).find((time) => ways(job, atTime(moment, time)).length > 0);
}

/** Whether a job that starts on these boards leaves the reserved one its start. */
export const keepsStart = (
  moment: Moment,
  set: readonly Board[],
  by: QueuedJob,
  reserved: { job: QueuedJob; at: number },
): boolean => ways(reserved.job, atTime(take(moment, set, by), reserved.at)).length > 0;

/** The way whose boards come first by want, idle time and name, the best of each compared first. */
export function preferredWay(
  all: readonly Board[][],
  job: QueuedJob,
  waiting: readonly QueuedJob[],
): Board[] | undefined {
  const others = waiting.filter((other) => other.id !== job.id);
  const want = (of: Board) =>
    others
      .filter((other) => of.open === 'jobs' || other.healthCheckOf === of.name)
      .flatMap((other) => slotsOf(other.roles))
      .filter((slot) => fits(of, slot)).length;
  const rank = (one: Board) =>
    [want(one), one.idleSince].map((n) => String(n).padStart(9, '0')).join() + one.name;
  const ranked = all.map((set) => ({ set, key: set.map(rank).sort().join(' ') }));
  ranked.sort((a, b) => (a.key < b.key ? -1 : 1));
  return ranked[0]?.set;
}

type Way = readonly Board[];

/** Where a wrong scheduler differs from the rules. */
export interface Rules {
  order?: (queue: readonly QueuedJob[]) => QueuedJob[];
  /** The lists of boards on which a job could start, out of which one is chosen. */
  ways?: (job: QueuedJob, moment: Moment) => Board[][];
  choose?: (
    all: readonly Board[][],
    job: QueuedJob,
    waiting: readonly QueuedJob[],
  ) => Way | undefined;
  /** Boards stay on offer after they were given. */
  keepsBoards?: boolean;
  /** The first job that cannot start ends the plan. */
  stopsAtBlocked?: boolean;
  /** When the start of a blocked job is reserved; `undefined`: it gets no reservation. */
  reserves?: (job: QueuedJob, moment: Moment) => number | undefined;
  /** Whether a later job may start on these boards. */
  mayStart?: typeof keepsStart;
}

/** The whole plan by brute force; with `rules`, one that is wrong in their way. */
export const dumbPlanWith =
  (rules: Rules) =>
  ({ queue, boards, workers }: Lab, now: number): Plan => {
    const { order = inTurn, choose = preferredWay, reserves = sureStart } = rules;
    const { mayStart = keepsStart } = rules;
    let moment: Moment = { now, boards, workers };
    let waiting = order(queue);
    let reserved: { job: QueuedJob; at: number } | undefined;
    const starts: Assignment[] = [];
    for (const job of order(queue)) {
      if (slotsOf(job.roles).length === 0) continue;
      const possible = (rules.ways ?? ways)(job, moment).filter(
        (way) => reserved === undefined || mayStart(moment, way, job, reserved),
      );
      const best = choose(possible, job, waiting);
      if (best !== undefined) {
        if (rules.keepsBoards !== true) moment = take(moment, best, job);
        waiting = waiting.filter((other) => other.id !== job.id);
        starts.push({ job: job.id, members: membersOn(best, job) });
        continue;
      }
      if (rules.stopsAtBlocked === true) break;
      const at = reserved === undefined ? reserves(job, moment) : undefined;
      if (at !== undefined) reserved = { job, at };
    }
    const reservation = reserved && { job: reserved.job.id, at: reserved.at, boards: [] };
    return { starts, reservation: reservation ?? null };
  };

export const dumbPlan = dumbPlanWith({});

/** A way names a board for each slot. */
function membersOn(way: Way, { roles }: QueuedJob): Assignment['members'] {
  const slots = slotsOf(roles);
  const members = way.map(({ name }, at) => ({ device: name, role: slots[at]?.role ?? '' }));
  return roles.flatMap(({ role }) =>
    members.filter((one) => one.role === role).sort((a, b) => (a.device < b.device ? -1 : 1)),
  );
}

/** What two right schedulers agree on: the boards of each job, not which role has which of them. */
export const gist = ({ starts, reservation }: Plan) => ({
  starts: starts.map((start) => ({ job: start.job, devices: devicesOf(start) })),
  reserved: reservation && { job: reservation.job, at: reservation.at },
});

export const devicesOf = ({ members }: Pick<Assignment, 'members'>): string[] =>
  members.map(({ device }) => device).sort();

/** `lava-group` order: by the place of the role in the job, then by device name. */
export function compareMembers(roles: readonly RoleRequest[]) {
  const placeOf = (role: string) => roles.findIndex((request) => request.role === role);
  return (a: { device: string; role: string }, b: { device: string; role: string }): number =>
    placeOf(a.role) - placeOf(b.role) || (a.device < b.device ? -1 : 1);
}
