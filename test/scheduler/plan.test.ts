import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Lab, plan } from '../../scheduler/plan.ts';
import type { Assignment, Board, QueuedJob, Worker } from '../../scheduler/types.ts';
import {
  compareMembers,
  devicesOf,
  dumbPlan,
  fits,
  free,
  gist,
  inTurn,
  keepsStart,
  type Moment,
  roomFor,
  take,
  ways,
} from './dumb.ts';
import {
  board,
  check,
  held,
  job,
  lab,
  labArb,
  limitedLabArb,
  NOW,
  named,
  needs,
  orders,
  pandas,
} from './labs.ts';
import * as mutants from './mutants.ts';
import { holds, isCaught } from './properties.ts';

type Plans = typeof plan;

const starting = (queue: QueuedJob[], boards: Board[], ...workers: Worker[]): Assignment[] =>
  plan(lab(queue, boards, ...workers), NOW).starts;

/** `{ 3: ['p1', 'p2'] }`: which job starts on which boards. */
const starts = (queue: QueuedJob[], boards: Board[], ...workers: Worker[]) =>
  Object.fromEntries(starting(queue, boards, ...workers).map((one) => [one.job, devicesOf(one)]));

describe('the plan', () => {
  it('never lets a role without tags take the only tagged board: upstream deadlocks on it', () => {
    const roles = [needs('client', 1, 'panda'), needs('server', 1, 'panda', 'usb')];
    const boards = [board('panda01', { tags: ['usb'] }), board('panda02', { idleSince: 9 })];
    const startedUpstream: number[] = [];
    for (const roleOrder of orders(roles))
      for (const boardOrder of orders(boards)) {
        const queue = [job(1, roleOrder)];
        expect(starting(queue, boardOrder)[0]?.members).toEqual(
          roleOrder.map(({ role }) => ({
            device: role === 'server' ? 'panda01' : 'panda02',
            role,
          })),
        );
        startedUpstream.push(mutants.planGreedily(lab(queue, boardOrder), NOW).starts.length);
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
    expect(starting(queue, boards).map((started) => started.job)).toEqual([3, 2, 4, 1]);
    expect(starting(queue, boards.slice(0, 2)).map((started) => started.job)).toEqual([3, 2]);
  });

  it('starts a health check before any job, whatever its priority and age', () => {
    const queue = [pandas(1, 1, { priority: 100 }), check(2, 'p1', { priority: 0 })];
    expect(starts(queue, [board('p1')])).toEqual({ 2: ['p1'] });
    expect(starts(queue, [board('p1'), board('p2')])).toEqual({ 1: ['p2'], 2: ['p1'] });
  });

  it('gives a board whose check is due to that check alone, not even to the check of another', () => {
    const due = board('p1', { open: 'checks' });
    const other = { ...check(3, 'p2'), roles: [needs('r', 1, 'panda')] };
    expect(starts([pandas(1, 1), other], [due])).toEqual({});
    expect(starts([pandas(1, 1), other, check(2, 'p1')], [due])).toEqual({ 2: ['p1'] });
  });

  it('allocates a whole group or none of it, and a blocked job holds no board', () => {
    const queue = [pandas(1, 3), pandas(2, 1)];
    const boards = [board('p1'), board('p2')];
    expect(starts(queue, boards)).toEqual({ 2: ['p1'] });
    expect(starts(queue.slice(0, 1), boards)).toEqual({});
    expect(starts(queue, [...boards, board('p3')])).toEqual({ 1: ['p1', 'p2', 'p3'] });
  });

  it('takes no board that is reserved, retired or not open', () => {
    const boards = [
      held('p1', 9, null),
      board('p2', { state: 'retired' }),
      board('p3', { open: 'nothing', closed: 'health bad' }),
      board('p4'),
    ];
    expect(starts([pandas(1, 1)], boards)).toEqual({ 1: ['p4'] });
    expect(starts([pandas(1, 2)], boards)).toEqual({});
    expect(starts([job(1, [named('r', 'p1')])], boards)).toEqual({});
  });

  it("keeps a worker's limit: boards in use and boards newly given count alike", () => {
    const boards = [held('p1', 9, null), board('p2'), board('p3'), board('p4', { worker: 'w2' })];
    const queue = [pandas(1, 1), pandas(2, 1), pandas(3, 1)];
    const w1 = (jobLimit: number) => ({ name: 'w1', jobLimit });
    expect(starts(queue, boards, w1(1))).toEqual({ 1: ['p4'] });
    expect(starts(queue, boards, w1(2))).toEqual({ 1: ['p2'], 2: ['p4'] });
    expect(starts(queue, boards, w1(3))).toEqual({ 1: ['p2'], 2: ['p3'], 3: ['p4'] });
    expect(starts([pandas(1, 2)], boards, w1(2))).toEqual({ 1: ['p2', 'p4'] });
    expect(starts([pandas(1, 3)], boards, w1(2))).toEqual({});
    // A board of a full worker that is offline counts as well.
    expect(starts(queue, [{ ...boards[0]!, open: 'nothing' }, board('p2')], w1(1))).toEqual({});
  });

  it('finds the group that a limit leaves, though each preferred board alone would do', () => {
    // The longest idle boards of both roles are on w1, which takes one more.
    const roles = [needs('a', 1, 'panda', 'a'), needs('b', 1, 'panda', 'b')];
    const boards = [
      board('p1', { tags: ['a'], idleSince: 1 }),
      board('p2', { tags: ['b'], idleSince: 2 }),
      board('p3', { tags: ['a'], idleSince: 3, worker: 'w2' }),
    ];
    for (const order of orders(roles))
      expect(starts([job(1, order)], boards, { name: 'w1', jobLimit: 1 })).toEqual({
        1: ['p2', 'p3'],
      });
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
    const members = starting([job(1, roles)], boards)[0]?.members ?? [];
    expect(members.map(({ role }) => role)).toEqual(['zeta', 'zeta', 'alpha', 'alpha']);
    expect(members.map(({ device }) => device)).toEqual(['p1', 'p2', 'p3', 'p4']);
  });

  it('starts no job that asks for no board, and reserves nothing for it', () => {
    const nothing = lab([pandas(1, 0)], [held('p1', 9, NOW)]);
    expect(plan(nothing, NOW)).toEqual({ starts: [], reservation: null });
  });

  it('plans nothing for an empty queue or an empty lab', () => {
    const empty = { starts: [], reservation: null };
    expect(plan(lab([], [board('p1')]), NOW)).toEqual(empty);
    expect(plan(lab([pandas(1, 1)], []), NOW)).toEqual(empty);
  });
});

describe('properties of every plan', () => {
  /** Each assignment is one whole group of boards that are free for it and fit; no board is in two of them. */
  const isWhole = (plans: Plans) => (drawn: Lab) => {
    const { starts: planned } = plans(drawn, NOW);
    const taken = planned.flatMap(devicesOf);
    expect(new Set(taken).size).toBe(taken.length);
    expect(new Set(planned.map((one) => one.job)).size).toBe(planned.length);
    for (const { job: id, members } of planned) {
      const own = drawn.queue.find((one) => one.id === id)!;
      for (const request of own.roles) {
        const ofRole = members.filter(({ role }) => role === request.role);
        expect(ofRole).toHaveLength(request.count);
        for (const { device } of ofRole) {
          const given = drawn.boards.find(({ name }) => name === device)!;
          expect(free(given, own) && fits(given, request)).toBe(true);
        }
      }
      expect(members.length).toBeGreaterThan(0);
      expect(members).toEqual([...members].sort(compareMembers(own.roles)));
    }
  };

  it('gives whole groups of free boards that fit, in group order, and no board twice', () => {
    holds(labArb, isWhole(plan));
  });
  it('so a plan that gives a board twice is caught', () => {
    isCaught(labArb, isWhole(mutants.planTwice));
  });
  it('so holding boards one by one, as upstream does, is caught', () => {
    isCaught(labArb, isWhole(mutants.planInPieces));
  });
  it('so a plan that takes boards that are not idle is caught', () => {
    isCaught(labArb, isWhole(mutants.planBusyBoards));
  });
  it('so a plan that takes boards whose health check is due is caught', () => {
    isCaught(labArb, isWhole(mutants.planUncheckedBoards));
  });

  const keepsLimits = (plans: Plans) => (drawn: Lab) => {
    const taken = plans(drawn, NOW).starts.flatMap(devicesOf);
    const set = drawn.boards.filter(({ name }) => taken.includes(name));
    expect(roomFor({ now: NOW, ...drawn })(set)).toBe(true);
  };

  it("never has more of a worker's boards in use than its limit", () => {
    holds(limitedLabArb, keepsLimits(plan));
  });
  it('so a plan that forgets the limits of workers is caught', () => {
    isCaught(limitedLabArb, keepsLimits(mutants.planWithoutLimits));
  });

  const shuffledArb = labArb.chain((drawn) => {
    const { queue, boards, workers } = drawn;
    const turned = boards.map((one) => ({ ...one, tags: [...one.tags].reverse() }));
    const shuffled = fc.record({
      queue: fc.shuffledSubarray([...queue], { minLength: queue.length }),
      boards: fc.shuffledSubarray(turned, { minLength: boards.length }),
      workers: fc.shuffledSubarray([...workers], { minLength: workers.length }),
    });
    return fc.record({ drawn: fc.constant(drawn), shuffled });
  });
  const isIndependentOfOrder =
    (plans: Plans) =>
    ({ drawn, shuffled }: { drawn: Lab; shuffled: Lab }) => {
      expect(plans(shuffled, NOW)).toEqual(plans(drawn, NOW));
    };

  it('is the same for every order of the queue, of the boards and of their tags', () => {
    holds(shuffledArb, isIndependentOfOrder(plan));
  });
  it('so a plan that keeps the order of the boards is caught', () => {
    isCaught(shuffledArb, isIndependentOfOrder(mutants.planInAnyOrder));
  });
  it('so a plan that keeps the order of the queue is caught', () => {
    isCaught(shuffledArb, isIndependentOfOrder(mutants.planAsListed));
  });

  const changesNoInput = (plans: Plans) => (drawn: Lab) => {
    const given = structuredClone(drawn);
    plans(given, NOW);
    expect(given).toEqual(drawn);
  };

  it('changes none of its inputs', () => {
    holds(labArb, changesNoInput(plan));
  });
  it('so a plan that sorts the list of boards in place is caught', () => {
    const sorting: Plans = (drawn, now) => {
      (drawn.boards as Board[]).sort((a, b) => a.idleSince - b.idleSince);
      return plan(drawn, now);
    };
    isCaught(labArb, changesNoInput(sorting));
  });

  /** The lab at the turn of each job that did not start: what jobs before it left, and who had a reservation. */
  const blockedTurns = (drawn: Lab, { starts: planned, reservation }: ReturnType<Plans>) => {
    let moment: Moment = { now: NOW, ...drawn };
    let reserved: { job: QueuedJob; at: number } | undefined;
    return inTurn(drawn.queue).flatMap((waiting) => {
      const start = planned.find((one) => one.job === waiting.id);
      const turn = { waiting, moment, reserved };
      if (reservation?.job === waiting.id) reserved = { job: waiting, at: reservation.at };
      if (start === undefined) return [turn];
      const set = moment.boards.filter(({ name }) => devicesOf(start).includes(name));
      moment = take(moment, set, waiting);
      return [];
    });
  };

  const goesByPriority = (plans: Plans) => (drawn: Lab) => {
    for (const { waiting, moment, reserved } of blockedTurns(drawn, plans(drawn, NOW))) {
      const possible = ways(waiting, moment).filter(
        (way) => reserved === undefined || keepsStart(moment, way, waiting, reserved),
      );
      expect(possible).toEqual([]);
    }
  };

  it('is by turn: no job waits for boards that a later job was given', () => {
    holds(labArb, goesByPriority(plan));
  });
  it('so a plan in order of submission alone is caught', () => {
    isCaught(labArb, goesByPriority(mutants.planAsSubmitted));
  });
  it('so a plan that lets the last submitted go first is caught', () => {
    isCaught(labArb, goesByPriority(mutants.planLastFirst));
  });
  it('so a plan in which health checks stand in line is caught', () => {
    isCaught(labArb, goesByPriority(mutants.planChecksInLine));
  });
  it('so the greedy choice within a group is caught', () => {
    isCaught(labArb, goesByPriority(mutants.planGreedily));
  });

  const isTheBest = (plans: Plans) => (drawn: Lab) => {
    expect(gist(plans(drawn, NOW))).toEqual(gist(dumbPlan(drawn, NOW)));
  };

  it('gives each job the least wanted, then longest idle, then first named set of boards', () => {
    holds(labArb, isTheBest(plan), 1000);
  });
  it('so a choice by name, whoever else wants the board, is caught', () => {
    isCaught(labArb, isTheBest(mutants.planByName));
    // It breaks nothing but the preference.
    holds(labArb, goesByPriority(mutants.planByName));
    holds(shuffledArb, isIndependentOfOrder(planGist(mutants.planByName)));
  });

  /** Of the mutants, which role has which of the boards is of no interest. */
  function planGist(plans: Plans): Plans {
    return (drawn, now) => {
      const planned = plans(drawn, now);
      const starts = planned.starts.map(({ job: id, members }) => ({
        job: id,
        members: members.map(({ device }) => ({ device, role: '' })).sort(byDevice),
      }));
      return { ...planned, starts };
    };
  }
  const byDevice = (a: { device: string }, b: { device: string }) => (a.device < b.device ? -1 : 1);

  it('holds for the planner that the mutants are made of, so each is caught for its own fault', () => {
    for (const property of [isWhole, keepsLimits, goesByPriority])
      holds(limitedLabArb, property(dumbPlan));
    holds(shuffledArb, isIndependentOfOrder(planGist(dumbPlan)));
  });
});
