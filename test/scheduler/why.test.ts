import { describe, expect, it } from 'vitest';
import { type Lab, plan } from '../../scheduler/plan.ts';
import type { Board, Explanation, QueuedJob, Worker } from '../../scheduler/types.ts';
import { explain, waiting } from '../../scheduler/why.ts';
import {
  devicesOf,
  fits,
  free,
  inTurn,
  type Moment,
  mostSlots,
  roomFor,
  slotsOf,
  take,
} from './dumb.ts';
import { board, check, held, job, lab, labArb, NOW, named, needs, pandas } from './labs.ts';
import { holds, isCaught } from './properties.ts';

type Explain = typeof explain;

/** Why the last job of the queue waits. */
const reason = (queue: QueuedJob[], boards: Board[], ...workers: Worker[]) =>
  explain(queue.at(-1)?.id ?? 0, lab(queue, boards, ...workers), NOW)?.reason;

describe('the explanation of a waiting job', () => {
  it('names the role, its type, what keeps each board that would do, and until when at the latest', () => {
    const one = job(5, [needs('client', 1, 'beagle'), needs('server', 1, 'panda')]);
    const boards = [
      board('beagle01', { deviceType: 'beagle' }),
      held('panda01', 3, NOW + 5000),
      board('panda02', { open: 'nothing', closed: 'offline: power' }),
    ];
    expect(explain(5, lab([one], boards), NOW)).toEqual({
      job: 5,
      place: 1,
      reason:
        'waits for 1 board of role server (type panda): panda01 held by job 3, panda02 (offline: power)',
      guaranteedStart: NOW + 5000,
      slots: [
        {
          role: 'client',
          wanted: 1,
          free: 1,
          short: 0,
          candidates: [{ board: 'beagle01', why: 'free' }],
        },
        {
          role: 'server',
          wanted: 1,
          free: 0,
          short: 1,
          candidates: [
            { board: 'panda01', why: 'held by job 3', until: NOW + 5000 },
            { board: 'panda02', why: 'offline: power' },
          ],
        },
      ],
    });
  });

  it('names every role that is short, and how many boards each lacks', () => {
    const boards = [
      board('p1', { tags: ['usb'] }),
      held('p2', 3, null, { tags: ['usb'] }),
      held('p3', 4, null, { tags: ['usb'] }),
      held('p9', 4, null),
    ];
    expect(reason([job(5, [needs('a', 3, 'panda', 'usb'), named('b', 'p9')])], boards)).toBe(
      'waits for 2 boards of role a (type panda with tag usb): p2 held by job 3, p3 held by job 4; 1 board of role b (name p9): p9 held by job 4',
    );
  });

  it('says which board two roles of the group compete for', () => {
    const one = job(5, [needs('client', 1, 'panda'), named('server', 'p1')]);
    expect(reason([one], [board('p1'), held('p2', 3, null)])).toBe(
      'waits for 1 board of role client (type panda): p1 is also needed by role server, p2 held by job 3',
    );
  });

  it('tells a tag that is missing, a retired, a reserved and a closed board apart', () => {
    const one = job(5, [needs('a', 1, 'panda', 'usb')]);
    const boards = [
      board('p1'),
      board('p2', { tags: ['usb'], state: 'retired' }),
      board('p3', { tags: ['usb'], state: 'reserved' }),
      board('p4', { tags: ['usb'], open: 'nothing' }),
      board('p5', { tags: ['usb'], open: 'checks' }),
      board('x1', { deviceType: 'beagle', tags: ['usb'] }),
    ];
    expect(explain(5, lab([one], boards), NOW)?.slots[0]?.candidates).toEqual([
      { board: 'p1', why: 'lacks tag usb' },
      { board: 'p2', why: 'retired' },
      { board: 'p3', why: 'held' },
      { board: 'p4', why: 'closed' },
      { board: 'p5', why: 'its health check comes first' },
    ]);
    // While enough boards fit, the sentence does not speak of those that never will.
    expect(reason([one], boards)).toBe(
      'waits for 1 board of role a (type panda with tag usb): p3 held, p4 (closed), p5 (its health check comes first)',
    );
  });

  it('says so when the last board that fits was retired while the job waited', () => {
    const one = job(5, [needs('a', 1, 'panda', 'usb')]);
    expect(reason([one], [board('p1'), board('p2', { state: 'retired', tags: ['usb'] })])).toBe(
      'cannot start on any boards that are registered: role a has 0 of 1 board of type panda with tag usb; p1 lacks tag usb, p2 is retired',
    );
    expect(reason([one], [])).toBe(
      'cannot start on any boards that are registered: role a has 0 of 1 board of type panda with tag usb; no board of this type is registered',
    );
  });

  it('says which boards go to other jobs now, and its place behind those before it', () => {
    const queue = [
      pandas(9, 1, { priority: 0, timeoutSeconds: 1 }),
      pandas(7, 1, { priority: 100, timeoutSeconds: 2 }),
      pandas(8, 2),
    ];
    const boards = [board('p1'), board('p2')];
    const told = (id: number) => explain(id, lab(queue, boards), NOW);
    expect(told(8)).toMatchObject({
      place: 2,
      reason: 'waits for 2 boards of role r (type panda): p1 goes to job 7, p2 goes to job 9',
      guaranteedStart: NOW + 2000,
      slots: [
        {
          free: 0,
          candidates: [
            { why: 'goes to job 7', until: NOW + 2000 },
            { why: 'goes to job 9', until: NOW + 1000 },
          ],
        },
      ],
    });
    const canStart = { guaranteedStart: null, slots: [{ free: 1 }] };
    expect(told(7)).toMatchObject({ place: 1, reason: 'can start now on p1', ...canStart });
    expect(told(9)).toMatchObject({ place: 3, reason: 'can start now on p2', ...canStart });
  });

  it('says which boards are kept back for the job with the reservation', () => {
    const queue = [pandas(11, 2), pandas(12, 1, { timeoutSeconds: 60 })];
    const boards = [board('p1'), held('p2', 3, NOW + 59_000), board('x1', { deviceType: 'x' })];
    expect(explain(12, lab(queue, boards), NOW)).toEqual({
      job: 12,
      place: 2,
      reason: 'could start now, but job 11 would start later: p1 reserved for job 11',
      guaranteedStart: null,
      slots: [
        {
          role: 'r',
          wanted: 1,
          free: 0,
          short: 1,
          candidates: [
            { board: 'p1', why: 'reserved for job 11' },
            { board: 'p2', why: 'held by job 3', until: NOW + 59_000 },
          ],
        },
      ],
    });
    expect(explain(11, lab(queue, boards), NOW)).toMatchObject({
      reason: 'waits for 1 board of role r (type panda): p2 held by job 3',
      guaranteedStart: NOW + 59_000,
      slots: [{ free: 1 }],
    });
  });

  it('says when a worker has as many boards in use as it may, or would have too many', () => {
    const boards = [held('p1', 3, null), board('p2'), board('p3')];
    const one: Worker = { name: 'w1', jobLimit: 1 };
    expect(reason([pandas(5, 1)], boards, one)).toBe(
      'waits for 1 board of role r (type panda): p2, p3 kept by the limit of worker w1 (1 board at once: 1 in use), p1 held by job 3',
    );
    expect(explain(5, lab([pandas(5, 1)], boards, one), NOW)?.slots).toMatchObject([
      {
        free: 0,
        short: 1,
        candidates: [
          { why: 'held by job 3' },
          { why: 'limit of worker w1: 1 of 1 board in use' },
          { why: 'limit of worker w1: 1 of 1 board in use' },
        ],
      },
    ]);
    const two: Worker = { name: 'w1', jobLimit: 2 };
    expect(reason([pandas(5, 2)], boards, two)).toBe(
      'waits for 1 board of role r (type panda): p3 kept by the limit of worker w1 (2 boards at once: 1 in use, 1 for this job), p1 held by job 3',
    );
    expect(explain(5, lab([pandas(5, 2)], boards, two), NOW)?.slots).toMatchObject([
      {
        free: 1,
        short: 1,
        candidates: [
          { why: 'held by job 3' },
          { why: 'free' },
          { why: 'limit of worker w1: 1 of 2 boards in use, 1 for this job' },
        ],
      },
    ]);
  });

  it('names the limit before boards that are held, however many these are', () => {
    const busy = Array.from({ length: 9 }, (_, at) => held(`a${at}`, 3, null, { worker: 'w2' }));
    const boards = [...busy, held('p1', 4, null), ...['p2', 'p3'].map((name) => board(name))];
    expect(reason([pandas(5, 1)], boards, { name: 'w1', jobLimit: 1 })).toBe(
      'waits for 1 board of role r (type panda): p2, p3 kept by the limit of worker w1 (1 board at once: 1 in use), a0 held by job 3, a1 held by job 3, a2 held by job 3, a3 held by job 3, a4 held by job 3 and 5 more',
    );
  });

  it('says that it is the room of a worker that is reserved, where no board is', () => {
    const queue = [pandas(11, 1), job(12, [needs('x', 1, 'qemu')], { timeoutSeconds: 60 })];
    const boards = [
      held('p1', 3, NOW + 59_000),
      held('p2', 4, NOW + 59_000),
      board('q1', { deviceType: 'qemu' }),
    ];
    const limited = lab(queue, boards, { name: 'w1', jobLimit: 3 });
    expect(explain(12, limited, NOW)?.reason).toBe('can start now on q1');
    const wide = { ...limited, queue: [pandas(11, 2), { ...queue[1]!, timeoutSeconds: 600 }] };
    expect(explain(12, { ...wide, workers: [{ name: 'w1', jobLimit: 2 }] }, NOW)).toMatchObject({
      reason: expect.stringMatching(/^waits for 1 board .* kept by the limit of worker w1/),
    });
    const [first, ...rest] = boards;
    const roomy = { ...wide, boards: [{ ...first!, state: 'idle' as const }, ...rest] };
    expect(explain(12, { ...roomy, workers: [{ name: 'w1', jobLimit: 2 }] }, NOW)).toMatchObject({
      reason:
        'could start now, but job 11 would start later: room on worker w1 reserved for job 11',
      slots: [
        { free: 0, short: 1, candidates: [{ why: 'room on worker w1 reserved for job 11' }] },
      ],
    });
  });

  it('promises nothing of a held board that will be closed when its job ends, nor of one in its check', () => {
    const boards = [
      held('p1', 3, NOW + 5000, { open: 'nothing', closed: 'health maintenance: cable' }),
      held('p2', 4, NOW + 5000, { open: 'checks', closed: 'a health check comes first: due' }),
      board('p3', {
        state: 'reserved',
        open: 'checks',
        heldBy: { job: 6, until: NOW + 5000, isCheck: true },
      }),
      board('p4', { state: 'retired', closed: 'retired: burnt' }),
    ];
    expect(explain(5, lab([pandas(5, 1)], boards), NOW)?.slots[0]?.candidates).toEqual([
      { board: 'p1', why: 'held by job 3 (then health maintenance: cable)' },
      { board: 'p2', why: 'held by job 4 (then a health check comes first: due)' },
      { board: 'p3', why: 'held by its health check, job 6' },
      { board: 'p4', why: 'retired: burnt' },
    ]);
  });

  it('names a few boards of many, and counts the rest', () => {
    const boards = Array.from({ length: 9 }, (_, at) => held(`p${at + 1}`, 3, null));
    expect(reason([pandas(5, 1)], boards)).toBe(
      'waits for 1 board of role r (type panda): p1 held by job 3, p2 held by job 3, p3 held by job 3, p4 held by job 3, p5 held by job 3 and 4 more',
    );
  });

  it('says so when a job asks for no board at all', () => {
    expect(reason([pandas(5, 0)], [board('p1')])).toBe(
      'asks for no board, so there is no group to allocate',
    );
  });

  it('knows nothing of a job that is not in the queue', () => {
    expect(explain(5, lab([], [board('p1')]), NOW)).toBeUndefined();
  });

  it('explains a health check like any job, by its own board', () => {
    const due = board('p1', { open: 'checks', closed: 'its health check is due' });
    const queue = [check(2, 'p1'), pandas(1, 1)];
    expect(waiting(lab(queue, [due]), NOW)).toEqual([
      { job: 2, place: 1, reason: 'can start now on p1', guaranteedStart: null },
      {
        job: 1,
        place: 2,
        reason: 'waits for 1 board of role r (type panda): p1 (its health check is due)',
        guaranteedStart: null,
      },
    ]);
  });
});

describe('properties of every explanation', () => {
  /** The lab once the plan's starts have their boards. */
  const leftBy = (drawn: Lab) => {
    const { starts, reservation } = plan(drawn, NOW);
    const moment = starts.reduce<Moment>(
      (before, start) => {
        const set = before.boards.filter(({ name }) => devicesOf(start).includes(name));
        return take(before, set, drawn.queue.find(({ id }) => id === start.job)!);
      },
      { now: NOW, ...drawn },
    );
    return { starts, reservation, moment };
  };

  const agreesWithPlan = (how: Explain) => (drawn: Lab) => {
    const { starts, reservation, moment } = leftBy(drawn);
    inTurn(drawn.queue).forEach((one, at) => {
      const told = how(one.id, drawn, NOW)!;
      expect(told.place).toBe(at + 1);
      const start = starts.find((other) => other.job === one.id);
      expect(told.guaranteedStart).toBe(reservation?.job === one.id ? reservation.at : null);
      expect(told.reason.startsWith('can start now on')).toBe(start !== undefined);
      const missing = told.slots.reduce((sum, slot) => sum + slot.short, 0);
      if (start !== undefined) {
        expect(missing).toBe(0);
        return;
      }
      // The numbers of boards that the sentence waits for add up to the open slots of the best matching.
      const slots = slotsOf(one.roles);
      const usable = moment.boards.filter((other) => free(other, one));
      const short = slots.length - mostSlots(slots, usable, roomFor(moment));
      const waitsFor = [...told.reason.matchAll(/(\d+) boards? of role/g)].map(([, n]) =>
        Number(n),
      );
      if (waitsFor.length > 0) expect(waitsFor.reduce((sum, n) => sum + n, 0)).toBe(short);
      const delays = told.reason.startsWith('could start now, but job');
      if (delays)
        for (const { wanted, free: left, short: lacking } of told.slots)
          expect(lacking).toBe(Math.max(0, wanted - left));
      else expect(missing).toBe(short);
      expect(delays || told.reason.startsWith('asks for no board')).toBe(short === 0);
      if (delays) expect(told.reason).toContain(`job ${reservation?.job} would start later`);
    });
  };

  it('says that a job can start exactly when the plan starts it, and counts what it waits for', () => {
    holds(labArb, agreesWithPlan(explain));
  });
  it('so an explanation that forgets the other jobs is caught', () => {
    const alone: Explain = (id, drawn, now) =>
      explain(id, { ...drawn, queue: drawn.queue.filter((one) => one.id === id) }, now);
    isCaught(labArb, agreesWithPlan(alone));
  });
  it('so an explanation that lets later jobs go first is caught', () => {
    const afterAll: Explain = (id, drawn, now) => {
      const later = drawn.queue.map((one) => (one.id === id ? { ...one, priority: -1 } : one));
      const place = explain(id, drawn, now)?.place ?? 0;
      const told = explain(id, { ...drawn, queue: later }, now);
      return told && { ...told, place };
    };
    isCaught(labArb, agreesWithPlan(afterAll));
  });
  it('so an explanation that promises every job its start is caught', () => {
    const promising: Explain = (id, drawn, now) => {
      const told = explain(id, drawn, now);
      return told && { ...told, guaranteedStart: plan(drawn, now).reservation?.at ?? null };
    };
    isCaught(labArb, agreesWithPlan(promising));
  });

  /** Every board of the role's type or name is there, and free exactly when nothing keeps it from the role. */
  const namesEveryBoard = (how: Explain) => (drawn: Lab) => {
    const { starts, reservation, moment } = leftBy(drawn);
    for (const one of drawn.queue) {
      const told = how(one.id, drawn, NOW)!;
      const own = starts.find((other) => other.job === one.id);
      one.roles.forEach((request, index) => {
        const slot = told.slots[index]!;
        const meant = drawn.boards.filter(
          ({ name, deviceType }) => name === request.device || deviceType === request.deviceType,
        );
        expect(slot.candidates.map((other) => other.board)).toEqual(meant.map(({ name }) => name));
        const usable = moment.boards
          .filter((other) => fits(other, request))
          .filter(
            (other) =>
              (free(other, one) && roomFor(moment)([other])) ||
              (own !== undefined && devicesOf(own).includes(other.name)),
          );
        const kept = new RegExp(`^(room on worker \\S+ )?reserved for job ${reservation?.job}$`);
        const freed = slot.candidates.filter(
          ({ why }) => why === 'free' || kept.test(why) || why.endsWith(' for this job'),
        );
        expect(freed.map((other) => other.board)).toEqual(usable.map(({ name }) => name));
        expect(slot.free).toBe(slot.candidates.filter(({ why }) => why === 'free').length);
        for (const { board: name, until } of slot.candidates) {
          const stands = drawn.boards.find((other) => other.name === name)!;
          if (stands.state !== 'reserved' || !fits(stands, request)) continue;
          const isPromised = free({ ...stands, state: 'idle' }, one);
          expect(until).toBe(isPromised ? stands.heldBy?.until : undefined);
        }
      });
    }
  };

  it('accounts for every board of the type, and calls free what is free for the job', () => {
    holds(labArb, namesEveryBoard(explain));
  });
  it('so an explanation that leaves unfit boards out is caught', () => {
    const fitOnly: Explain = (id, drawn, now) => withCandidates(explain(id, drawn, now), 'lacks');
    isCaught(labArb, namesEveryBoard(fitOnly));
  });
  const withCandidates = (told: Explanation | undefined, without: string) =>
    told && {
      ...told,
      slots: told.slots.map((slot) => ({
        ...slot,
        candidates: slot.candidates.filter(({ why }) => !why.startsWith(without)),
      })),
    };

  const isIndependentOfOrder = (how: Explain) => (drawn: Lab) => {
    const turned = { ...drawn, queue: drawn.queue.toReversed(), boards: drawn.boards.toReversed() };
    for (const { id } of drawn.queue) expect(how(id, turned, NOW)).toEqual(how(id, drawn, NOW));
  };
  it('is the same for every order of the queue and the boards', () => {
    holds(labArb, isIndependentOfOrder(explain));
  });
  it('so an explanation that takes its place from the order of the list is caught', () => {
    const listed: Explain = (id, drawn, now) => {
      const told = explain(id, drawn, now);
      return told && { ...told, place: drawn.queue.findIndex((one) => one.id === id) + 1 };
    };
    isCaught(labArb, isIndependentOfOrder(listed));
  });

  const isTheListOf = (list: typeof waiting) => (drawn: Lab) => {
    const told = inTurn(drawn.queue).map(({ id }) => explain(id, drawn, NOW)!);
    expect(list(drawn, NOW)).toEqual(told.map(({ slots: _, ...line }) => line));
  };
  it('says the same of one job and of the whole queue', () => {
    holds(labArb, isTheListOf(waiting));
  });
  const isCutFrom = (list: typeof waiting) => (drawn: Lab) => {
    const all = waiting(drawn, NOW);
    for (const [after, limit] of [
      [0, 2],
      [1, 1],
      [2, 9],
    ] as const)
      expect(list(drawn, NOW, after, limit)).toEqual(all.slice(after, after + limit));
  };
  it('says on a page what it says there of the whole queue', () => {
    holds(labArb, isCutFrom(waiting));
  });
  it('so a page that counts its places from its own start is caught', () => {
    const own: typeof waiting = (drawn, now, after = 0, limit) =>
      waiting(drawn, now, after, limit).map((line) => ({ ...line, place: line.place - after }));
    isCaught(labArb, isCutFrom(own));
  });
  it('so a list in which jobs of one kind share their place is caught', () => {
    const shared: typeof waiting = (drawn, now) =>
      waiting(drawn, now).map((line) => ({ ...line, place: 1 }));
    isCaught(labArb, isTheListOf(shared));
  });
});
