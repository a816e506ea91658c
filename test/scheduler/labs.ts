/**
 * Small labs for the scheduler's tests: builders, generators, and a model dumber than the scheduler, which
 * tries every way to give boards to slots.
 */
import fc from 'fast-check';
import type { RoleRequest } from '../../machines/definition.ts';
import type { Assignment, Board, QueuedJob } from '../../scheduler/types.ts';

export function board(name: string, more: Partial<Board> = {}): Board {
  return {
    name,
    deviceType: 'panda',
    tags: [],
    idleSince: 0,
    state: 'idle',
    available: true,
    ...more,
  };
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
  return { id, priority: 50, submittedAt: id, roles, ...more };
}

/** Every order of a few things. */
export function orders<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) =>
    orders(items.filter((_, index) => index !== at)).map((rest) => [item, ...rest]),
  );
}

const tagArb = fc.subarray(['a', 'b']);
const typeArb = fc.constantFrom('panda', 'beagle');
const BOARDS_MAX = 6;

const boardsArb: fc.Arbitrary<Board[]> = fc
  .array(
    fc.record({
      deviceType: typeArb,
      tags: tagArb,
      idleSince: fc.integer({ min: 0, max: 3 }),
      state: fc.constantFrom('idle', 'idle', 'idle', 'idle', 'reserved', 'retired'),
      available: fc.constantFrom(true, true, true, true, false),
    }),
    { maxLength: BOARDS_MAX },
  )
  .map((list) =>
    list.map((traits, at) => board(`b${at + 1}`, { ...traits, state: traits.state as 'idle' })),
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
  .array(fc.subarray(['a', 'b', 'c'], { maxLength: 2 }), { minLength: 2, maxLength: 4 })
  .map((list) => list.map((tags, at) => needs(`r${at + 1}`, 1, 'panda', ...tags)));
const tangledBoardsArb: fc.Arbitrary<Board[]> = fc
  .array(
    fc.record({
      tags: fc.subarray(['a', 'b', 'c'], { minLength: 1 }),
      idleSince: fc.integer({ min: 0, max: 3 }),
    }),
    { minLength: 2, maxLength: BOARDS_MAX - 1 },
  )
  .map((list) => list.map((traits, at) => board(`b${at + 1}`, traits)));

export const groupArb = fc.oneof(
  fc.record({ roles: rolesArb, boards: boardsArb }),
  fc.record({ roles: tangledRolesArb, boards: tangledBoardsArb }),
);

function queueArb(roles: fc.Arbitrary<RoleRequest[]>, jobsMax: number): fc.Arbitrary<QueuedJob[]> {
  const traits = fc.record({
    priority: fc.constantFrom(0, 50, 100),
    submittedAt: fc.integer({ min: 0, max: 2 }),
    roles,
  });
  return fc
    .array(traits, { maxLength: jobsMax })
    .map((list) => list.map((drawn, at) => ({ id: at + 1, ...drawn })));
}

export const labArb = fc.oneof(
  fc.record({ boards: boardsArb, queue: queueArb(rolesArb, 4) }),
  fc.record({ boards: tangledBoardsArb, queue: queueArb(tangledRolesArb, 3) }),
);

export const registered = ({ state }: Board): boolean => state !== 'retired';
export const free = ({ state, available }: Board): boolean => state === 'idle' && available;

export function fits(candidate: Board, request: RoleRequest): boolean {
  const meant = request.device === candidate.name || request.deviceType === candidate.deviceType;
  return meant && request.tags.every((tag) => candidate.tags.includes(tag));
}

export const slotsOf = (roles: readonly RoleRequest[]): RoleRequest[] =>
  roles.flatMap((request) => Array.from({ length: request.count }, () => request));

/** Every set of boards that fills all the slots, found by trying every board in every slot. */
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
export function mostSlots(slots: readonly RoleRequest[], boards: readonly Board[]): number {
  const [slot, ...rest] = slots;
  if (slot === undefined) return 0;
  const filled = boards
    .filter((candidate) => fits(candidate, slot))
    .map(
      (chosen) =>
        1 +
        mostSlots(
          rest,
          boards.filter((other) => other !== chosen),
        ),
    );
  return Math.max(mostSlots(rest, boards), ...filled);
}

/** SEMANTICS 4.1 once more, in other words than the scheduler's. */
export function inTurn(queue: readonly QueuedJob[]): QueuedJob[] {
  const rank = ({ priority, submittedAt, id }: QueuedJob) =>
    [100 - priority, submittedAt, id].map((n) => String(n).padStart(9, '0')).join();
  return [...queue].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/**
 * The whole plan by brute force: in turn, every way to fill a group, and of these the one with the least
 * total want, then the least total of idle instants, then the first names. Only the boards of each job.
 */
export function dumbPlan(
  queue: readonly QueuedJob[],
  boards: readonly Board[],
): { job: number; devices: string[] }[] {
  let left = boards.filter(free);
  let waiting = inTurn(queue);
  const started: { job: number; devices: string[] }[] = [];
  for (const { id, roles } of inTurn(queue)) {
    const others = waiting.filter((other) => other.id !== id).flatMap((other) => other.roles);
    const want = (of: Board) => slotsOf(others).filter((slot) => fits(of, slot)).length;
    const cost = (set: Board[]) => [
      set.reduce((sum, one) => sum + want(one), 0),
      set.reduce((sum, one) => sum + one.idleSince, 0),
    ];
    const ranked = fillings(slotsOf(roles), left)
      .map((set) => ({ names: set.map(({ name }) => name).sort(), cost: cost(set) }))
      .sort(
        (a, b) =>
          (a.cost[0] ?? 0) - (b.cost[0] ?? 0) ||
          (a.cost[1] ?? 0) - (b.cost[1] ?? 0) ||
          (a.names.join() < b.names.join() ? -1 : 1),
      );
    const best = ranked[0]?.names ?? [];
    if (best.length === 0) continue;
    left = left.filter(({ name }) => !best.includes(name));
    waiting = waiting.filter((other) => other.id !== id);
    started.push({ job: id, devices: best });
  }
  return started;
}

export const devicesOf = ({ members }: Assignment): string[] =>
  members.map(({ device }) => device).sort();

/** `lava-group` order: by the place of the role in the job, then by device name. */
export function compareMembers(roles: readonly RoleRequest[]) {
  const placeOf = (role: string) => roles.findIndex((request) => request.role === role);
  return (a: { device: string; role: string }, b: { device: string; role: string }): number =>
    placeOf(a.role) - placeOf(b.role) || (a.device < b.device ? -1 : 1);
}
