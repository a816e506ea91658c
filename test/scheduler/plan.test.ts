import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plan } from '../../scheduler/plan.ts';
import type { Assignment, Board, QueuedJob } from '../../scheduler/types.ts';
import {
  board,
  canStart,
  compareMembers,
  devicesOf,
  dumbPlan,
  fits,
  free,
  inTurn,
  job,
  labArb,
  named,
  needs,
  orders,
} from './labs.ts';
import { greedily, planByName, planWith } from './mutants.ts';
import { holds, isCaught } from './properties.ts';

type Planner = typeof plan;
interface Lab {
  queue: QueuedJob[];
  boards: Board[];
}

/** `{ 3: ['p1', 'p2'] }`: which job starts on which boards. */
const starts = (queue: QueuedJob[], boards: Board[], planner: Planner = plan) =>
  Object.fromEntries(planner(queue, boards).map((one) => [one.job, devicesOf(one)]));

describe('the plan', () => {
  it('never lets a role without tags take the only tagged board: upstream deadlocks on it', () => {
    const roles = [needs('client', 1, 'panda'), needs('server', 1, 'panda', 'usb')];
    const boards = [board('panda01', { tags: ['usb'] }), board('panda02', { idleSince: 9 })];
    const upstream = planWith({ choose: greedily });
    const startedUpstream: number[] = [];
    for (const roleOrder of orders(roles))
      for (const boardOrder of orders(boards)) {
        const queue = [job(1, roleOrder)];
        expect(plan(queue, boardOrder)[0]?.members).toEqual(
          roleOrder.map(({ role }) => ({
            device: role === 'server' ? 'panda01' : 'panda02',
            role,
          })),
        );
        startedUpstream.push(upstream(queue, boardOrder).length);
      }
    // On the same idle lab the greedy choice starts the group in some orders and not in others.
    expect(new Set(startedUpstream)).toEqual(new Set([0, 1]));
  });

  it('leaves the only tagged board to a later job that wants it, though it is idle longest', () => {
    const boards = [board('panda01', { tags: ['usb'] }), board('panda02', { idleSince: 9 })];
    const plain = job(1, [needs('r', 1, 'panda')]);
    expect(starts([plain], boards)).toEqual({ 1: ['panda01'] });
    expect(starts([plain, job(2, [needs('r', 1, 'panda', 'usb')])], boards)).toEqual({
      1: ['panda02'],
      2: ['panda01'],
    });
  });

  it('counts wants in slots: a board for one job of three boards is wanted more than for two of one', () => {
    const boards = [board('p1', { tags: ['wide'] }), board('p2', { tags: ['one'], idleSince: 9 })];
    const queue = [
      job(1, [needs('r', 1, 'panda')]),
      job(2, [needs('r', 3, 'panda', 'wide')]),
      job(3, [needs('r', 1, 'panda', 'one')]),
      job(4, [needs('r', 1, 'panda', 'one')]),
    ];
    expect(starts(queue.slice(0, 1), boards)).toEqual({ 1: ['p1'] });
    expect(starts(queue, boards)).toEqual({ 1: ['p2'] });
  });

  it('does not count the slots of the job itself as wants of the rest of the queue', () => {
    const boards = [
      board('p1', { tags: ['t'], idleSince: 1 }),
      board('p2', { tags: ['t'], idleSince: 2 }),
      board('p3', { idleSince: 3 }),
    ];
    const roles = [needs('a', 1, 'panda', 't'), needs('b', 1, 'panda')];
    expect(starts([job(1, roles)], boards)).toEqual({ 1: ['p1', 'p2'] });
  });

  it('spreads wear: the board that is idle longest goes first, ties by name', () => {
    const boards = [
      board('p1', { idleSince: 7 }),
      board('p3', { idleSince: 5 }),
      board('p2', { idleSince: 5 }),
    ];
    expect(starts([job(1, [needs('r', 1, 'panda')])], boards)).toEqual({ 1: ['p2'] });
  });

  it('serves the highest priority, then the first submitted, then the lowest id', () => {
    const one = [needs('r', 1, 'panda')];
    const queue = [
      job(1, one, { priority: 50, submittedAt: 2 }),
      job(2, one, { priority: 50, submittedAt: 1 }),
      job(3, one, { priority: 100, submittedAt: 3 }),
      job(4, one, { priority: 50, submittedAt: 1 }),
    ];
    const boards = ['p1', 'p2', 'p3', 'p4'].map((name) => board(name));
    expect(plan(queue, boards).map((started) => started.job)).toEqual([3, 2, 4, 1]);
    expect(plan(queue, boards.slice(0, 2)).map((started) => started.job)).toEqual([3, 2]);
  });

  it('allocates a whole group or none of it, and a blocked job holds no board', () => {
    const queue = [job(1, [needs('wide', 3, 'panda')]), job(2, [needs('r', 1, 'panda')])];
    const boards = [board('p1'), board('p2')];
    expect(starts(queue, boards)).toEqual({ 2: ['p1'] });
    expect(starts(queue.slice(0, 1), boards)).toEqual({});
    expect(starts(queue, [...boards, board('p3')])).toEqual({ 1: ['p1', 'p2', 'p3'] });
  });

  it('takes no board that is reserved, retired or not available', () => {
    const boards = [
      board('p1', { state: 'reserved', heldBy: { job: 9 } }),
      board('p2', { state: 'retired' }),
      board('p3', { available: false, unavailable: 'health bad' }),
      board('p4'),
    ];
    expect(starts([job(1, [needs('r', 1, 'panda')])], boards)).toEqual({ 1: ['p4'] });
    expect(starts([job(1, [needs('r', 2, 'panda')])], boards)).toEqual({});
    expect(starts([job(1, [named('r', 'p1')])], boards)).toEqual({});
  });

  it('lists members in the order of the roles in the job, then by device name', () => {
    const roles = [
      needs('zeta', 2, 'panda'),
      needs('none', 0, 'panda'),
      needs('alpha', 2, 'panda'),
    ];
    const boards = ['p4', 'p3', 'p2', 'p1'].map((name, at) =>
      board(name, { idleSince: at, tags: at % 2 === 0 ? ['t'] : [] }),
    );
    const members = plan([job(1, roles)], boards)[0]?.members ?? [];
    expect(members.map(({ role }) => role)).toEqual(['zeta', 'zeta', 'alpha', 'alpha']);
    expect(members.map(({ device }) => device)).toEqual(['p1', 'p2', 'p3', 'p4']);
  });

  it('starts no job that asks for no board', () => {
    expect(plan([job(1, [needs('r', 0, 'panda')])], [board('p1')])).toEqual([]);
  });

  it('plans nothing for an empty queue or an empty lab', () => {
    expect(plan([], [board('p1')])).toEqual([]);
    expect(plan([job(1, [needs('r', 1, 'panda')])], [])).toEqual([]);
  });
});

describe('properties of every plan', () => {
  /** Each assignment is one whole group of free boards that fit, and no board is in two of them. */
  const isWhole = (planner: Planner) => (lab: Lab) => {
    const planned = planner(lab.queue, lab.boards);
    const taken = planned.flatMap(devicesOf);
    expect(new Set(taken).size).toBe(taken.length);
    expect(new Set(planned.map((one) => one.job)).size).toBe(planned.length);
    for (const { job: id, members } of planned) {
      const { roles } = lab.queue.find((one) => one.id === id)!;
      for (const request of roles) {
        const own = members.filter(({ role }) => role === request.role);
        expect(own).toHaveLength(request.count);
        for (const { device } of own) {
          const given = lab.boards.find(({ name }) => name === device)!;
          expect(free(given) && fits(given, request)).toBe(true);
        }
      }
      expect(members.length).toBeGreaterThan(0);
      expect(members).toEqual([...members].sort(compareMembers(roles)));
    }
  };

  it('gives whole groups of free boards that fit, in group order, and no board twice', () => {
    holds(labArb, isWhole(plan));
  });
  it('so a plan that gives a board twice is caught', () => {
    isCaught(labArb, isWhole(planWith({ keepsBoards: true })));
  });
  it('so holding boards one by one, as upstream does, is caught', () => {
    isCaught(labArb, isWhole(planWith({ choose: greedily, partial: true })));
  });
  it('so a plan that takes boards that are not free is caught', () => {
    isCaught(labArb, isWhole(planWith({ usable: ({ state }) => state !== 'retired' })));
  });

  const shuffledArb = labArb.chain((lab) =>
    fc.record({
      lab: fc.constant(lab),
      shuffled: fc.record({
        queue: fc.shuffledSubarray(lab.queue, { minLength: lab.queue.length }),
        boards: fc.shuffledSubarray(
          lab.boards.map((one) => ({ ...one, tags: [...one.tags].reverse() })),
          { minLength: lab.boards.length },
        ),
      }),
    }),
  );
  const isIndependentOfOrder =
    (planner: Planner) =>
    ({ lab, shuffled }: { lab: Lab; shuffled: Lab }) => {
      expect(planner(shuffled.queue, shuffled.boards)).toEqual(planner(lab.queue, lab.boards));
    };

  it('is the same for every order of the queue, of the boards and of their tags', () => {
    holds(shuffledArb, isIndependentOfOrder(plan));
  });
  it('so a plan that keeps the order of the boards is caught', () => {
    isCaught(shuffledArb, isIndependentOfOrder(planWith({})));
  });
  it('so a plan that keeps the order of the queue is caught', () => {
    isCaught(shuffledArb, isIndependentOfOrder(planWith({ order: (queue) => [...queue] })));
  });

  const changesNoInput =
    (planner: Planner) =>
    ({ queue, boards }: Lab) => {
      const given = structuredClone({ queue, boards });
      planner(given.queue, given.boards);
      expect(given).toEqual({ queue, boards });
    };

  it('changes none of its inputs', () => {
    holds(labArb, changesNoInput(plan));
  });
  it('so a plan that sorts the list of boards in place is caught', () => {
    const sorting: Planner = (queue, boards) => {
      (boards as Board[]).sort((a, b) => a.idleSince - b.idleSince);
      return plan(queue, boards);
    };
    isCaught(labArb, changesNoInput(sorting));
  });

  /** Boards that no job of `planned` has. */
  const leftBy = (planned: readonly Assignment[], boards: readonly Board[]) => {
    const taken = new Set(planned.flatMap(devicesOf));
    return boards.filter((one) => free(one) && !taken.has(one.name));
  };
  const asksForBoards = ({ roles }: QueuedJob) => roles.some(({ count }) => count > 0);

  /** A job that does not start could not have, with what the jobs before it left. */
  const goesByPriority = (planner: Planner) => (lab: Lab) => {
    const planned = planner(lab.queue, lab.boards);
    const turns = inTurn(lab.queue);
    turns.forEach((waiting, at) => {
      if (!asksForBoards(waiting) || planned.some((one) => one.job === waiting.id)) return;
      const before = new Set(turns.slice(0, at).map(({ id }) => id));
      const earlier = planned.filter((one) => before.has(one.job));
      expect(canStart(waiting.roles, leftBy(earlier, lab.boards))).toBe(false);
    });
  };

  it('is by priority, then first come: nobody waits for boards that a later job was given', () => {
    holds(labArb, goesByPriority(plan));
  });
  it('so a plan in order of submission alone is caught', () => {
    const first = (queue: readonly QueuedJob[]) =>
      inTurn(queue.map((one) => ({ ...one, priority: 0 })));
    isCaught(labArb, goesByPriority(planWith({ order: first })));
  });
  it('so a plan that lets the last submitted go first is caught', () => {
    const last = (queue: readonly QueuedJob[]) =>
      inTurn(queue.map((one) => ({ ...one, submittedAt: 9 - one.submittedAt })));
    isCaught(labArb, goesByPriority(planWith({ order: last })));
  });

  const leavesNobody = (planner: Planner) => (lab: Lab) => {
    const planned = planner(lab.queue, lab.boards);
    const left = leftBy(planned, lab.boards);
    for (const waiting of lab.queue)
      if (asksForBoards(waiting) && !planned.some((one) => one.job === waiting.id))
        expect(canStart(waiting.roles, left)).toBe(false);
  };

  it('leaves nobody who could start with the boards left over', () => {
    holds(labArb, leavesNobody(plan));
  });
  it('so the greedy choice within a group is caught', () => {
    isCaught(labArb, leavesNobody(planWith({ choose: greedily })));
  });
  it('so a plan that ends at the first blocked job is caught', () => {
    isCaught(labArb, leavesNobody(planWith({ stopsAtBlocked: true })));
  });

  it('holds for the planner that the mutants are made of, so each is caught for its own fault', () => {
    const sound = planWith({});
    for (const property of [isWhole, goesByPriority, leavesNobody]) holds(labArb, property(sound));
    holds(shuffledArb, isIndependentOfOrder(planByName));
  });

  const isTheBest = (planner: Planner) => (lab: Lab) => {
    const planned = planner(lab.queue, lab.boards);
    expect(planned.map((one) => ({ job: one.job, devices: devicesOf(one) }))).toEqual(
      dumbPlan(lab.queue, lab.boards),
    );
  };

  it('gives each job the least wanted, then longest idle, then first named set of boards', () => {
    holds(labArb, isTheBest(plan));
  });
  it('so a choice by name, whoever else wants the board, is caught', () => {
    isCaught(labArb, isTheBest(planByName));
  });
  it('so a plan that does not see the jobs that wait behind is caught', () => {
    const blind: Planner = (queue, boards) => {
      let left = [...boards];
      return inTurn(queue).flatMap((one) => {
        const started = plan([one], left);
        const taken = started.flatMap(devicesOf);
        left = left.filter(({ name }) => !taken.includes(name));
        return started;
      });
    };
    isCaught(labArb, isTheBest(blind));
    // It breaks nothing but the preference.
    holds(labArb, goesByPriority(blind));
  });
});
