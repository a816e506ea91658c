import { describe, expect, it } from 'vitest';
import { explain } from '../../scheduler/explain.ts';
import { plan } from '../../scheduler/plan.ts';
import type { Board, QueuedJob } from '../../scheduler/types.ts';
import {
  board,
  devicesOf,
  fits,
  free,
  inTurn,
  job,
  labArb,
  mostSlots,
  named,
  needs,
  slotsOf,
} from './labs.ts';
import { holds, isCaught } from './properties.ts';

type Explain = typeof explain;
interface Lab {
  queue: QueuedJob[];
  boards: Board[];
}

const held = (name: string, by: number, more: Partial<Board> = {}) =>
  board(name, { state: 'reserved', heldBy: { job: by }, ...more });

const reason = (waiting: QueuedJob, boards: Board[], others: QueuedJob[] = []) =>
  explain(waiting, [...others, waiting], boards).reason;

describe('the explanation of a waiting job', () => {
  it('names the role, its type, and what keeps each board that would do', () => {
    const waiting = job(5, [needs('client', 1, 'beagle'), needs('server', 1, 'panda')]);
    const boards = [
      board('beagle01', { deviceType: 'beagle' }),
      held('panda01', 3),
      board('panda02', { available: false, unavailable: 'power' }),
    ];
    expect(explain(waiting, [waiting], boards)).toEqual({
      place: 1,
      reason:
        'waits for 1 board of role server (type panda): panda01 held by job 3, panda02 offline (power)',
      slots: [
        { role: 'client', wanted: 1, free: 1, candidates: [{ board: 'beagle01', why: 'free' }] },
        {
          role: 'server',
          wanted: 1,
          free: 0,
          candidates: [
            { board: 'panda01', why: 'held by job 3' },
            { board: 'panda02', why: 'offline: power' },
          ],
        },
      ],
    });
  });

  it('names every role that is short, and how many boards each lacks', () => {
    const waiting = job(5, [needs('a', 3, 'panda', 'usb'), named('b', 'p9')]);
    const boards = [
      board('p1', { tags: ['usb'] }),
      held('p2', 3, { tags: ['usb'] }),
      held('p3', 4, { tags: ['usb'] }),
      held('p9', 4),
    ];
    expect(reason(waiting, boards)).toBe(
      'waits for 2 boards of role a (type panda with tag usb): p2 held by job 3, p3 held by job 4; 1 board of role b (name p9): p9 held by job 4',
    );
  });

  it('says which board two roles of the group compete for', () => {
    const waiting = job(5, [needs('client', 1, 'panda'), named('server', 'p1')]);
    expect(reason(waiting, [board('p1'), held('p2', 3)])).toBe(
      'waits for 1 board of role client (type panda): p1 is also needed by role server, p2 held by job 3',
    );
  });

  it('tells a tag that is missing, a retired board and a reserved one apart', () => {
    const waiting = job(5, [needs('a', 1, 'panda', 'usb')]);
    const boards = [
      board('p1'),
      board('p2', { tags: ['usb'], state: 'retired' }),
      board('p3', { tags: ['usb'], state: 'reserved' }),
      board('p4', { tags: ['usb'], available: false }),
      board('x1', { deviceType: 'beagle', tags: ['usb'] }),
    ];
    const { slots } = explain(waiting, [waiting], boards);
    expect(slots[0]?.candidates).toEqual([
      { board: 'p1', why: 'lacks tag usb' },
      { board: 'p2', why: 'retired' },
      { board: 'p3', why: 'reserved' },
      { board: 'p4', why: 'offline' },
    ]);
    // While enough boards fit, the sentence does not speak of those that never will.
    expect(reason(waiting, boards)).toBe(
      'waits for 1 board of role a (type panda with tag usb): p3 reserved, p4 offline',
    );
  });

  it('says so when the last board that fits was retired while the job waited', () => {
    const waiting = job(5, [needs('a', 1, 'panda', 'usb')]);
    expect(reason(waiting, [board('p1'), board('p2', { state: 'retired', tags: ['usb'] })])).toBe(
      'waits for 1 board of role a (type panda with tag usb): p1 lacks tag usb, p2 retired',
    );
    expect(reason(waiting, [])).toBe(
      'waits for 1 board of role a (type panda with tag usb): no other board is registered',
    );
  });

  it('says which boards go to jobs before it, and its place behind them', () => {
    const boards = [board('p1'), board('p2')];
    const first = job(7, [needs('r', 1, 'panda')], { priority: 100 });
    const later = job(9, [needs('r', 1, 'panda')], { priority: 0 });
    const wide = job(8, [needs('r', 2, 'panda')]);
    const queue = [later, wide, first];
    expect(explain(wide, queue, boards)).toMatchObject({
      place: 2,
      reason: 'waits for 1 board of role r (type panda): p1 goes to job 7 first',
      slots: [{ free: 1 }],
    });
    expect(explain(first, queue, boards)).toMatchObject({
      place: 1,
      reason: 'can start now on p1',
    });
    expect(explain(later, queue, boards)).toMatchObject({
      place: 3,
      reason: 'can start now on p2',
    });
  });

  it('names a few boards of many, and counts the rest', () => {
    const boards = Array.from({ length: 9 }, (_, at) => held(`p${at + 1}`, 3));
    expect(reason(job(5, [needs('r', 1, 'panda')]), boards)).toBe(
      'waits for 1 board of role r (type panda): p1 held by job 3, p2 held by job 3, p3 held by job 3, p4 held by job 3, p5 held by job 3 and 4 more',
    );
  });

  it('says so when a job asks for no board at all', () => {
    expect(reason(job(5, [needs('r', 0, 'panda')]), [board('p1')])).toBe(
      'asks for no board, so there is no group to allocate',
    );
  });

  it('explains a job that is not in the queue yet as if it stood in it', () => {
    expect(explain(job(5, [needs('r', 1, 'panda')]), [], [board('p1')])).toMatchObject({
      place: 1,
      reason: 'can start now',
    });
  });
});

describe('properties of every explanation', () => {
  const agreesWithPlan = (how: Explain) => (lab: Lab) => {
    const planned = plan(lab.queue, lab.boards);
    inTurn(lab.queue).forEach((waiting, at, turns) => {
      const told = how(waiting, lab.queue, lab.boards);
      expect(told.place).toBe(at + 1);
      const before = turns.slice(0, at).map(({ id }) => id);
      const gone = planned.filter((one) => before.includes(one.job)).flatMap(devicesOf);
      const left = lab.boards.filter((one) => free(one) && !gone.includes(one.name));
      // The numbers of boards that the sentence waits for add up to the open slots of the best matching.
      const slots = slotsOf(waiting.roles);
      const open = [...told.reason.matchAll(/(\d+) boards? of role/g)].map(([, n]) => Number(n));
      expect(open.reduce((sum, n) => sum + n, 0)).toBe(slots.length - mostSlots(slots, left));
      expect(told.reason.startsWith('can start now on')).toBe(
        planned.some((one) => one.job === waiting.id),
      );
      waiting.roles.forEach((request, index) => {
        const slot = told.slots[index]!;
        const candidates = lab.boards.filter(
          (one) => one.name === request.device || one.deviceType === request.deviceType,
        );
        expect(slot.candidates.map((one) => one.board)).toEqual(candidates.map((one) => one.name));
        const usable = left.filter((one) => fits(one, request)).map(({ name }) => name);
        const freed = slot.candidates.filter(({ why }) => why === 'free').map((one) => one.board);
        expect(freed).toEqual(usable);
        expect(slot.free).toBe(usable.length);
      });
    });
  };

  it('says that a job can start exactly when the plan starts it, and counts what it waits for', () => {
    holds(labArb, agreesWithPlan(explain));
  });
  it('so an explanation that forgets the jobs before is caught', () => {
    isCaught(
      labArb,
      agreesWithPlan((waiting, _queue, boards) => explain(waiting, [waiting], boards)),
    );
  });
  it('so an explanation that lets later jobs go first is caught', () => {
    const afterAll: Explain = (waiting, queue, boards) => ({
      ...explain({ ...waiting, priority: -1 }, queue, boards),
      place: explain(waiting, queue, boards).place,
    });
    isCaught(labArb, agreesWithPlan(afterAll));
  });

  const isIndependentOfOrder = (how: Explain) => (lab: Lab) => {
    for (const waiting of lab.queue)
      expect(how(waiting, [...lab.queue].reverse(), [...lab.boards].reverse())).toEqual(
        how(waiting, lab.queue, lab.boards),
      );
  };
  it('is the same for every order of the queue and the boards', () => {
    holds(labArb, isIndependentOfOrder(explain));
  });
  it('so an explanation that takes its place from the order of the list is caught', () => {
    isCaught(
      labArb,
      isIndependentOfOrder((waiting, queue, boards) => ({
        ...explain(waiting, queue, boards),
        place: queue.indexOf(waiting) + 1,
      })),
    );
  });
});
