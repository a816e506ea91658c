import { describe, expect, it } from 'vitest';
import { type Lab, plan } from '../../scheduler/plan.ts';
import type { Board, QueuedJob, Worker } from '../../scheduler/types.ts';
import { atTime, inTurn, keepsStart, type Moment, slotsOf, sureStart, take, ways } from './dumb.ts';
import { board, check, held, job, lab, labArb, NOW, named, needs, pandas } from './labs.ts';
import * as mutants from './mutants.ts';
import { holds, isCaught } from './properties.ts';

type Plans = typeof plan;

const planned = (queue: QueuedJob[], boards: Board[], ...workers: Worker[]) => {
  const { starts, reservation } = plan(lab(queue, boards, ...workers), NOW);
  return { starts: starts.map((one) => one.job), reservation };
};

describe('the reservation', () => {
  const boards = [board('p1'), held('p2', 90, NOW + 60_000), held('p3', 91, NOW + 120_000)];

  it('is for the first job that cannot start: the earliest time by which timeouts give its boards', () => {
    expect(planned([pandas(1, 2), pandas(2, 3)], boards).reservation).toEqual({
      job: 1,
      at: NOW + 60_000,
      boards: ['p1', 'p2'],
    });
    expect(planned([pandas(2, 3), pandas(1, 2)], boards).reservation?.job).toBe(1);
    expect(planned([pandas(1, 1)], boards).reservation).toBeNull();
  });

  it('counts the jobs that start now, by their own timeouts', () => {
    const queue = [pandas(1, 1, { timeoutSeconds: 90 }), pandas(2, 2)];
    expect(planned(queue, boards)).toEqual({
      starts: [1],
      reservation: { job: 2, at: NOW + 90_000, boards: ['p1', 'p2'] },
    });
  });

  it('lets a later job start when it ends by then, or when enough boards are there without its own', () => {
    const short = pandas(2, 1, { timeoutSeconds: 60 });
    const long = pandas(2, 1, { timeoutSeconds: 61 });
    expect(planned([pandas(1, 2), short], boards).starts).toEqual([2]);
    expect(planned([pandas(1, 2), long], boards).starts).toEqual([]);
    // At 60 s there is one board more than job 1 needs, whichever it is.
    const four = [...boards.slice(0, 2), held('p3', 91, NOW + 60_000), board('p4')];
    expect(planned([pandas(1, 3), long], four).starts).toEqual([2]);
    expect(planned([pandas(1, 3), long, { ...long, id: 3 }], four).starts).toEqual([2]);
  });

  it('gives a later job other boards than it would prefer, when these do not delay the reserved start', () => {
    const queue = [
      job(1, [needs('r', 1, 'panda', 'usb'), named('s', 'p9')]),
      pandas(2, 1, { timeoutSeconds: 600 }),
    ];
    const lone = [
      board('p1', { tags: ['usb'] }),
      board('p2', { idleSince: 9 }),
      held('p9', 90, NOW + 60_000, { deviceType: 'beagle' }),
    ];
    // Nothing but job 1 wants p2 less: job 3 makes p2 the more wanted one.
    const wanting = [3, 4, 5].map((id) => job(id, [named('r', 'p2'), named('s', 'p8')]));
    const { starts } = plan(lab([...queue, ...wanting], lone), NOW);
    expect(starts).toEqual([{ job: 2, members: [{ device: 'p2', role: 'r' }] }]);
  });

  it('counts on no board that is closed, due for a check, or held without an end', () => {
    const never: Board[] = [
      held('p2', 90, null),
      held('p2', 90, NOW + 1000, { open: 'nothing' }),
      held('p2', 90, NOW + 1000, { open: 'checks' }),
      board('p2', { open: 'nothing' }),
      board('p2', { state: 'retired' }),
    ];
    for (const one of never) {
      const queue = [pandas(1, 2), pandas(2, 1, { timeoutSeconds: 999 })];
      expect(planned(queue, [board('p1'), one])).toEqual({ starts: [2], reservation: null });
    }
  });

  it('passes over a job that has no such time: the next one that has gets it', () => {
    const queue = [pandas(1, 9), pandas(2, 2), pandas(3, 3)];
    expect(planned(queue, boards).reservation?.job).toBe(2);
  });

  it('is for a health check too, on its board alone', () => {
    const due = held('p1', 90, NOW + 5000, { open: 'checks' });
    expect(planned([pandas(1, 1), check(2, 'p1')], [due]).reservation).toEqual({
      job: 2,
      at: NOW + 5000,
      boards: ['p1'],
    });
  });

  it('takes an overdue board for one that is on its way back: it counts as back now', () => {
    const late = [board('p1'), held('p2', 90, NOW - 1)];
    const queue = [pandas(1, 2), pandas(2, 1, { timeoutSeconds: 1 })];
    expect(planned(queue, late)).toEqual({
      starts: [],
      reservation: { job: 1, at: NOW, boards: ['p1', 'p2'] },
    });
  });

  it('counts the room that workers have by then', () => {
    const w1 = { name: 'w1', jobLimit: 1 };
    const elsewhere = held('x1', 90, NOW + 7000, { deviceType: 'beagle' });
    expect(planned([pandas(1, 1)], [board('p1'), elsewhere], w1).reservation).toEqual({
      job: 1,
      at: NOW + 7000,
      boards: ['p1'],
    });
    const two = [board('p1'), board('p2', { worker: 'w2' }), elsewhere];
    const queue = [pandas(1, 2), pandas(2, 1, { timeoutSeconds: 600 })];
    expect(planned(queue, two, w1).reservation?.at).toBe(NOW + 7000);
    expect(planned(queue, two, w1).starts).toEqual([]);
  });
});

describe('properties of every reservation', () => {
  const afterStarts = (drawn: Lab, { starts }: ReturnType<Plans>, ids: readonly number[]): Moment =>
    starts
      .filter((one) => ids.includes(one.job))
      .reduce<Moment>(
        (moment, { job: id, members }) => {
          const names = members.map(({ device }) => device);
          const set = moment.boards.filter(({ name }) => names.includes(name));
          return take(moment, set, drawn.queue.find((one) => one.id === id)!);
        },
        { now: NOW, ...drawn },
      );

  /** It is for the first blocked job that has a sure start, at that time, and stays so after all starts. */
  const isSure = (plans: Plans) => (drawn: Lab) => {
    const made = plans(drawn, NOW);
    const turns = inTurn(drawn.queue);
    const before = (id: number) =>
      turns
        .slice(
          0,
          turns.findIndex((one) => one.id === id),
        )
        .map((one) => one.id);
    const blocked = turns.filter(
      ({ id, roles }) =>
        slotsOf(roles).length > 0 && !made.starts.some((start) => start.job === id),
    );
    const first = blocked
      .map((one) => ({ one, at: sureStart(one, afterStarts(drawn, made, before(one.id))) }))
      .find(({ at }) => at !== undefined);
    expect(made.reservation?.job).toBe(first?.one.id);
    expect(made.reservation?.at).toBe(first?.at);
    if (first?.at === undefined) return;
    const all = drawn.queue.map(({ id }) => id);
    const then = atTime(afterStarts(drawn, made, all), first.at);
    expect(ways(first.one, then).length).toBeGreaterThan(0);
  };

  it('is a time by which the boards are there, whatever was filled in before it', () => {
    holds(labArb, isSure(plan));
  });
  it('so backfill without a reservation is caught', () => {
    isCaught(labArb, isSure(mutants.planWithoutReservation));
  });
  it('so backfill that takes every job for a short one is caught', () => {
    isCaught(labArb, isSure(mutants.planUntimed));
  });
  it('so a time that counts on closed boards, and on boards held without an end, is caught', () => {
    isCaught(labArb, isSure(mutants.planHopeful));
  });
  it('so backfill that forgets what was filled in before is caught', () => {
    isCaught(labArb, isSure(mutants.planForgetful));
  });
  it('so backfill that forgets the limits of workers at the reserved time is caught', () => {
    isCaught(labArb, isSure(mutants.planLimitlessLater));
  });

  const boardsDo = (plans: Plans) => (drawn: Lab) => {
    const made = plans(drawn, NOW);
    if (made.reservation === null) return;
    const { job: id, at, boards } = made.reservation;
    const reserved = drawn.queue.find((one) => one.id === id)!;
    const then = atTime(
      afterStarts(
        drawn,
        made,
        drawn.queue.map((one) => one.id),
      ),
      at,
    );
    const own = { ...then, boards: then.boards.map((one) => only(one, boards)) };
    expect(ways(reserved, own).length).toBeGreaterThan(0);
    expect(boards).toHaveLength(slotsOf(reserved.roles).length);
  };
  const only = (one: Board, names: readonly string[]): Board =>
    names.includes(one.name) || one.state === 'reserved' ? one : { ...one, open: 'nothing' };

  it('names boards that would do at that time, next to all that was filled in', () => {
    holds(labArb, boardsDo(plan));
  });
  it('so boards that were named before the later jobs were filled in are caught', () => {
    const early: Plans = (drawn, now) => {
      const made = plan(drawn, now);
      const { reservation } = made;
      if (reservation === null) return made;
      const turns = inTurn(drawn.queue).map(({ id }) => id);
      const upTo = turns.slice(0, turns.indexOf(reservation.job) + 1);
      const short = { ...drawn, queue: drawn.queue.filter(({ id }) => upTo.includes(id)) };
      return { ...made, reservation: plan(short, now).reservation };
    };
    isCaught(labArb, boardsDo(early));
  });

  /** Nobody is left who could start on any boards without delaying the reserved start. */
  const isMaximal = (plans: Plans) => (drawn: Lab) => {
    const made = plans(drawn, NOW);
    const moment = afterStarts(
      drawn,
      made,
      drawn.queue.map(({ id }) => id),
    );
    const started = new Set(made.starts.map((one) => one.job));
    const { reservation } = made;
    const reserved = drawn.queue.find(({ id }) => id === reservation?.job);
    for (const waiting of drawn.queue) {
      if (started.has(waiting.id) || waiting === reserved) continue;
      const possible = ways(waiting, moment).filter(
        (way) =>
          reserved === undefined ||
          keepsStart(moment, way, waiting, { job: reserved, at: reservation?.at ?? NOW }),
      );
      expect(possible).toEqual([]);
    }
  };

  it('leaves nobody who could start without delaying it', () => {
    holds(labArb, isMaximal(plan));
  });
  it('so a plan that ends at the first blocked job is caught', () => {
    isCaught(labArb, isMaximal(mutants.planUntilBlocked));
  });
  it('so a plan that fills in short jobs only is caught', () => {
    isCaught(labArb, isMaximal(mutants.planShortOnly));
  });
  it('so a plan that pins the boards of the reservation is caught', () => {
    isCaught(labArb, isMaximal(mutants.planPinned));
  });
});
