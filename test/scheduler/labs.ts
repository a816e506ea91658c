/** Small labs for the scheduler's tests: builders and generators. `dumb.ts` has the model they are judged by. */
import fc from 'fast-check';
import type { RoleRequest } from '../../machines/definition.ts';
import type { Lab } from '../../scheduler/plan.ts';
import type { Board, QueuedJob, Worker } from '../../scheduler/types.ts';

/** The instant at which the generated labs are planned. */
export const NOW = 10_000;

export function board(name: string, more: Partial<Board> = {}): Board {
  return {
    name,
    deviceType: 'panda',
    tags: [],
    worker: 'w1',
    idleSince: 0,
    state: 'idle',
    open: 'jobs',
    ...more,
  };
}

/** `held('p1', 3, 60_000)`: by job 3, back at that instant at the latest; `null`: nobody knows when. */
export function held(
  name: string,
  by: number,
  until: number | null,
  more: Partial<Board> = {},
): Board {
  const heldBy = { job: by, ...(until !== null && { until }) };
  return board(name, { state: 'reserved', heldBy, ...more });
}

/** `needs('client', 2, 'panda', 'tag')`. */
export function needs(
  role: string,
  count: number,
  deviceType: string,
  ...tags: string[]
): RoleRequest {
  return { role, count, deviceType, tags };
}

/** `named('server', 'panda01')`. */
export function named(role: string, device: string, ...tags: string[]): RoleRequest {
  return { role, count: 1, device, tags };
}

export function job(id: number, roles: RoleRequest[], more: Partial<QueuedJob> = {}): QueuedJob {
  return { id, priority: 50, submittedAt: id, timeoutSeconds: 60, roles, ...more };
}

/** A job that asks for some pandas. */
export const pandas = (id: number, count: number, more: Partial<QueuedJob> = {}): QueuedJob =>
  job(id, [needs('r', count, 'panda')], more);

/** The health check of a board. */
export const check = (id: number, of: string, more: Partial<QueuedJob> = {}): QueuedJob =>
  job(id, [named('check', of)], { healthCheckOf: of, ...more });

export const lab = (
  queue: readonly QueuedJob[],
  boards: readonly Board[],
  ...workers: Worker[]
): Lab => ({ queue, boards, workers });

/** Every order of a few things. */
export function orders<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) =>
    orders(items.filter((_, index) => index !== at)).map((rest) => [item, ...rest]),
  );
}

const tagArb = fc.subarray(['a', 'b']);
const typeArb = fc.constantFrom('panda', 'beagle');
const workerArb = fc.constantFrom('w1', 'w2');
const BOARDS_MAX = 6;

/** Until when a board is held: overdue, soon, later, or nobody knows. */
const untilArb = fc.constantFrom(NOW - 1000, NOW + 1000, NOW + 2000, NOW + 3000, undefined);
const often = <T>(usual: T, ...others: T[]) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, fc.constantFrom(usual, ...others));

export const boardsArb: fc.Arbitrary<Board[]> = fc
  .array(
    fc.record({
      deviceType: typeArb,
      tags: tagArb,
      worker: workerArb,
      idleSince: fc.integer({ min: 0, max: 3 }),
      state: fc.constantFrom('idle', 'idle', 'idle', 'reserved', 'reserved', 'retired'),
      open: often<Board['open']>('jobs', 'checks', 'nothing'),
      until: untilArb,
    }),
    { maxLength: BOARDS_MAX },
  )
  .map((list) =>
    list.map(({ state, until, ...traits }, at) =>
      state === 'reserved'
        ? held(`b${at + 1}`, 90 + at, until ?? null, traits)
        : board(`b${at + 1}`, { ...traits, state: state as 'idle' }),
    ),
  );

/** Groups of at most four slots, so that the model stays quick. A name may be of no board (`b7`). */
const rolesArb: fc.Arbitrary<RoleRequest[]> = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.tuple(fc.integer({ min: 0, max: 2 }), typeArb, tagArb) },
      { weight: 1, arbitrary: fc.tuple(fc.integer({ min: 1, max: BOARDS_MAX + 1 }), tagArb) },
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((list) =>
    list.map((drawn, at) =>
      drawn.length === 3
        ? needs(`r${at + 1}`, drawn[0], drawn[1], ...drawn[2])
        : named(`r${at + 1}`, `b${drawn[0]}`, ...drawn[1]),
    ),
  )
  .filter((roles) => roles.reduce((sum, { count }) => sum + count, 0) <= 4);

/**
 * One type, and roles whose wants cross: `a` and `b`, `b` and `c`, `c` and `a`. In labs where every want is
 * a part of the next a board never has to move to another role once it is given; here it has to, often.
 */
const tangledRolesArb: fc.Arbitrary<RoleRequest[]> = fc
  .array(fc.subarray(['a', 'b', 'c'], { maxLength: 2 }), { minLength: 1, maxLength: 4 })
  .map((list) => list.map((tags, at) => needs(`r${at + 1}`, 1, 'panda', ...tags)));
const tangledBoardsArb: fc.Arbitrary<Board[]> = fc
  .array(
    fc.record({
      tags: fc.subarray(['a', 'b', 'c'], { minLength: 1 }),
      worker: workerArb,
      idleSince: fc.integer({ min: 0, max: 3 }),
      until: often<number | null>(null, NOW + 1000, NOW + 2000),
    }),
    { minLength: 2, maxLength: BOARDS_MAX - 1 },
  )
  .map((list) =>
    list.map(({ until, ...traits }, at) =>
      until === null ? board(`b${at + 1}`, traits) : held(`b${at + 1}`, 90 + at, until, traits),
    ),
  );

export const groupArb = fc.oneof(
  fc.record({ roles: rolesArb, boards: boardsArb }),
  fc.record({ roles: tangledRolesArb, boards: tangledBoardsArb }),
);

const jobTraits = {
  priority: fc.constantFrom(0, 50, 100),
  submittedAt: fc.integer({ min: 0, max: 2 }),
  timeoutSeconds: fc.integer({ min: 1, max: 4 }),
};

/** A job, or now and then the health check of a board. */
export const jobArb = (roles: fc.Arbitrary<RoleRequest[]> = rolesArb): fc.Arbitrary<QueuedJob> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ ...jobTraits, roles }).map((one) => ({ id: 1, ...one })) },
    fc
      .record({ ...jobTraits, of: fc.integer({ min: 1, max: BOARDS_MAX }) })
      .map(({ of, ...one }) => check(1, `b${of}`, one)),
  );

function queueArb(roles: fc.Arbitrary<RoleRequest[]>, jobsMax: number): fc.Arbitrary<QueuedJob[]> {
  return fc
    .array(jobArb(roles), { maxLength: jobsMax })
    .map((list) => list.map((drawn, at) => ({ ...drawn, id: at + 1 })));
}

const unlimited = fc.constant<Worker[]>([{ name: 'w1' }]);
export const limitsArb: fc.Arbitrary<Worker[]> = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.option(fc.integer({ min: 1, max: 3 })))
  .map(([one, two]) => [
    { name: 'w1', jobLimit: one },
    two === null ? { name: 'w2' } : { name: 'w2', jobLimit: two },
  ]);

const labsWith = (workers: fc.Arbitrary<Worker[]>): fc.Arbitrary<Lab> =>
  fc.oneof(
    fc.record({ boards: boardsArb, queue: queueArb(rolesArb, 4), workers }),
    fc.record({ boards: tangledBoardsArb, queue: queueArb(tangledRolesArb, 4), workers }),
  );

/** Labs whose workers have no limits. */
export const freeLabArb = labsWith(unlimited);
/** Labs whose workers have limits. */
export const limitedLabArb = labsWith(limitsArb);
export const labArb = fc.oneof(freeLabArb, limitedLabArb);
