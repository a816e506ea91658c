/**
 * Wrong schedulers, each wrong in one way that somebody has shipped or might: what the properties must
 * catch. Most are the dumb plan with one rule taken away.
 */
import type { RoleRequest } from '../../machines/definition.ts';
import type { Assignment, Board, QueuedJob } from '../../scheduler/types.ts';
import {
  atTime,
  dumbPlanWith,
  fillings,
  fits,
  free,
  inTurn,
  keepsStart,
  slotsOf,
  sureStart,
  take,
  ways,
} from './dumb.ts';

/** Slot by slot in the job's order, each takes the first free board it fits: labgrid's choice, upstream's grab. */
export function greedily(
  roles: readonly RoleRequest[],
  left: readonly Board[],
): Assignment['members'] {
  const rest = [...left];
  return slotsOf(roles).flatMap((slot) => {
    const at = rest.findIndex((candidate) => fits(candidate, slot));
    return at < 0 ? [] : rest.splice(at, 1).map(({ name }) => ({ device: name, role: slot.role }));
  });
}

const greedyWay = (job: QueuedJob, boards: readonly Board[]): Board[] =>
  greedily(job.roles, boards).flatMap(({ device }) => boards.find(({ name }) => name === device)!);

const freeFor = (job: QueuedJob, boards: readonly Board[]) =>
  boards.filter((one) => free(one, job));

/** Any first complete filling, its boards in the order of the input. */
export const planInAnyOrder = dumbPlanWith({ choose: (all) => all[0] });

/** Right but for the choice among matchings: the first names, whoever else wants them. */
export const planByName = dumbPlanWith({
  choose: (all) => {
    const names = (way: readonly Board[]) =>
      way
        .map(({ name }) => name)
        .sort()
        .join();
    return [...all].sort((a, b) => (names(a) < names(b) ? -1 : 1))[0];
  },
});

export const planGreedily = dumbPlanWith({
  ways: (job, { boards }) => {
    const way = greedyWay(job, freeFor(job, boards));
    return way.length === slotsOf(job.roles).length ? [way] : [];
  },
  choose: (all) => all[0],
});

/** Holds boards one by one, as upstream does. */
export const planInPieces = dumbPlanWith({
  ways: (job, { boards }) => [greedyWay(job, freeFor(job, boards))].filter((way) => way.length > 0),
  choose: (all) => all[0],
});

export const planTwice = dumbPlanWith({ keepsBoards: true });
export const planBusyBoards = dumbPlanWith({
  ways: (job, { boards }) =>
    fillings(
      slotsOf(job.roles),
      boards.filter(({ state }) => state !== 'retired'),
    ),
});
/** A due health check does not close the board. */
export const planUncheckedBoards = dumbPlanWith({
  ways: (job, { boards }) =>
    fillings(
      slotsOf(job.roles),
      boards.filter(({ state, open }) => state === 'idle' && open !== 'nothing'),
    ),
});
export const planWithoutLimits = dumbPlanWith({
  ways: (job, moment) => ways(job, { ...moment, workers: [] }),
});

export const planAsSubmitted = dumbPlanWith({
  order: (queue) => inTurn(queue.map((one) => ({ ...one, priority: 0 }))),
});
export const planLastFirst = dumbPlanWith({
  order: (queue) => inTurn(queue.map((one) => ({ ...one, submittedAt: 9 - one.submittedAt }))),
});
export const planChecksInLine = dumbPlanWith({
  order: (queue) => {
    const line = inTurn(queue.map(({ healthCheckOf: _, ...one }) => one));
    return line.map(({ id }) => queue.find((one) => one.id === id)!);
  },
});
export const planAsListed = dumbPlanWith({ order: (queue) => [...queue] });

/** Gang scheduling without backfill. */
export const planUntilBlocked = dumbPlanWith({ stopsAtBlocked: true });
/** Backfill without a reservation: wide jobs starve. */
export const planWithoutReservation = dumbPlanWith({ reserves: () => undefined });
/** Only what ends in time is filled in. */
export const planShortOnly = dumbPlanWith({
  mayStart: (moment, _way, { timeoutSeconds }, { at }) => moment.now + timeoutSeconds * 1000 <= at,
});
/** The boards that the reserved job would get are pinned: no other job has them, though others would do. */
export const planPinned = dumbPlanWith({
  mayStart: (moment, way, job, reserved) => {
    const pinned = ways(reserved.job, atTime(moment, reserved.at))[0] ?? [];
    const ends = moment.now + job.timeoutSeconds * 1000 <= reserved.at;
    return ends || !way.some(({ name }) => pinned.some((one) => one.name === name));
  },
});
/** Takes every later job for a short one. */
export const planUntimed = dumbPlanWith({ mayStart: () => true });
/** Counts a board that is held without an end, or closed, as back some time. */
export const planHopeful = dumbPlanWith({
  reserves: (job, moment) =>
    sureStart(job, {
      ...moment,
      boards: moment.boards.map((one) => ({
        ...one,
        open: 'jobs',
        ...(one.state === 'reserved' && {
          heldBy: { job: 99, until: one.heldBy?.until ?? moment.now + 9000 },
        }),
      })),
    }),
});
/** Forgets that what it filled in before holds boards at the reserved time too. */
export const planForgetful = dumbPlanWith({
  mayStart: (moment, way, job, reserved) => {
    const given = moment.boards.map(
      (one): Board => ((one.heldBy?.until ?? 0) > reserved.at ? { ...one, state: 'idle' } : one),
    );
    return keepsStart({ ...moment, boards: given }, way, job, reserved);
  },
});
/** Forgets the limits of workers at the reserved time. */
export const planLimitlessLater = dumbPlanWith({
  mayStart: (moment, way, job, reserved) => {
    const later = atTime(take(moment, way, job), reserved.at);
    return ways(reserved.job, { ...later, workers: [] }).length > 0;
  },
});

/** Role by role, as upstream admits: it never sees that two roles need the same board. */
export function admitsPerRole(roles: readonly RoleRequest[], boards: readonly Board[]): boolean {
  return roles.every(
    (request) =>
      boards.filter((one) => one.state !== 'retired' && fits(one, request)).length >= request.count,
  );
}

/** One greedy pass over the whole group. */
export function admitsGreedily(roles: readonly RoleRequest[], boards: readonly Board[]): boolean {
  const registered = boards.filter(({ state }) => state !== 'retired');
  return greedily(roles, registered).length === slotsOf(roles).length;
}
