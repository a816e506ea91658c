import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plan } from '../../scheduler/plan.ts';
import type { Board, QueuedJob } from '../../scheduler/types.ts';
import { mostSlots, slotsOf } from './dumb.ts';
import { board, lab, needs, pandas } from './labs.ts';
import * as mutants from './mutants.ts';
import { holds, isCaught } from './properties.ts';

type Plans = typeof plan;
/** A job, and for how long it really runs: never longer than its timeout. */
type Coming = QueuedJob & { runsSeconds: number };
/** Whoever makes this stream: asked at every instant, with the lab as it is then. */
type Stream = (now: number, waiting: readonly QueuedJob[]) => Coming[];

interface Run {
  startedAt: Map<number, number>;
  /** Each promise that was made: which job, what was promised, and when. */
  promises: { job: number; at: number; madeAt: number }[];
}

/** A lab on virtual time: a second a step, one plan at each, until nobody comes any more and all have run. */
function live(plans: Plans, boards: readonly Board[], stream: Stream, seconds: number): Run {
  const run: Run = { startedAt: new Map(), promises: [] };
  let queue: Coming[] = [];
  const held = new Map<string, { job: number; until: number; endsAt: number }>();
  for (let now = 0; now <= seconds * 1000; now += 1000) {
    for (const [name, { endsAt }] of held) if (endsAt <= now) held.delete(name);
    queue.push(...stream(now, queue));
    const stands = boards.map((one): Board => {
      const heldBy = held.get(one.name);
      return heldBy === undefined ? one : { ...one, state: 'reserved', heldBy };
    });
    const { starts, reservation } = plans(lab(queue, stands), now);
    if (reservation) run.promises.push({ job: reservation.job, at: reservation.at, madeAt: now });
    for (const { job, members } of starts) {
      const { timeoutSeconds, runsSeconds } = queue.find(({ id }) => id === job)!;
      const until = now + timeoutSeconds * 1000;
      for (const { device } of members)
        held.set(device, { job, until, endsAt: now + runsSeconds * 1000 });
      run.startedAt.set(job, now);
    }
    queue = queue.filter(({ id }) => !run.startedAt.has(id));
  }
  return run;
}

const TIMEOUT_MAX = 6;

const boardsArb = fc
  .array(fc.constantFrom<string[]>([], ['a'], ['b'], ['a', 'b']), { minLength: 2, maxLength: 5 })
  .map((list) => list.map((tags, at) => board(`b${at + 1}`, { tags })));
const comingArb = fc.record({
  after: fc.integer({ min: 0, max: 3 }),
  roles: fc
    .array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.subarray(['a', 'b'], { maxLength: 1 })), {
      minLength: 1,
      maxLength: 2,
    })
    .map((list) => list.map(([count, tags], at) => needs(`r${at}`, count, 'panda', ...tags))),
  timeoutSeconds: fc.integer({ min: 1, max: TIMEOUT_MAX }),
  runs: fc.integer({ min: 1, max: 100 }),
});
/** Jobs of equal priority, each satisfiable by the lab, that come one after another and run as long as they like. */
const streamArb = fc
  .record({ boards: boardsArb, list: fc.array(comingArb, { minLength: 1, maxLength: 14 }) })
  .map(({ boards, list }) => {
    let at = 0;
    const jobs = list.flatMap(({ after, runs, timeoutSeconds, roles }, index): Coming[] => {
      at += after * 1000;
      const slots = slotsOf(roles);
      if (mostSlots(slots, boards) < slots.length) return [];
      const runsSeconds = Math.max(1, Math.ceil((timeoutSeconds * runs) / 100));
      return [{ id: index + 1, priority: 50, submittedAt: at, timeoutSeconds, roles, runsSeconds }];
    });
    return { boards, jobs };
  });
type Drawn = { boards: Board[]; jobs: Coming[] };

/** A job for all boards, under a stream of single ones that leaves no instant at which all boards are idle. */
const crowdArb: fc.Arbitrary<Drawn> = fc
  .record({
    width: fc.integer({ min: 2, max: 3 }),
    timeouts: fc.array(fc.integer({ min: 3, max: TIMEOUT_MAX }), { minLength: 30, maxLength: 30 }),
  })
  .map(({ width, timeouts }) => {
    const jobs = timeouts.map((timeoutSeconds, at): Coming => {
      const submittedAt = at * 1000;
      const count = at === 2 ? width : 1;
      return {
        ...pandas(at + 1, count, { submittedAt, timeoutSeconds }),
        runsSeconds: timeoutSeconds,
      };
    });
    return { boards: Array.from({ length: width }, (_, at) => board(`b${at + 1}`)), jobs };
  });

const asStream =
  (jobs: readonly Coming[]): Stream =>
  (now) =>
    jobs.filter(({ submittedAt }) => submittedAt === now);
const runOf = (plans: Plans, { boards, jobs }: Drawn): Run =>
  live(plans, boards, asStream(jobs), 42 + (jobs.length + 1) * TIMEOUT_MAX);

describe('nobody starves', () => {
  /** With k jobs before it, a job starts within (k + 1) of the longest timeouts after its submission. */
  const keepsTheBound = (plans: Plans) => (drawn: Drawn) => {
    const { startedAt } = runOf(plans, drawn);
    drawn.jobs.forEach(({ id, submittedAt }, before) => {
      const bound = submittedAt + (before + 1) * TIMEOUT_MAX * 1000;
      expect(startedAt.get(id) ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(bound);
    });
  };

  it('among jobs of equal priority: the k-th starts within k times the longest timeout', () => {
    holds(streamArb, keepsTheBound(plan), 100);
    holds(crowdArb, keepsTheBound(plan), 20);
  });
  it('so a plan that reserves nothing for a job that waits is caught', () => {
    isCaught(crowdArb, keepsTheBound(mutants.planWithoutReservation), 20);
  });

  /** Wide jobs are overtaken for ever: two single jobs, always one of them running, on two boards. */
  const singlesForEver: Stream = (now) => {
    const single = { timeoutSeconds: 2, runsSeconds: 2, submittedAt: now };
    const wide = now === 1000 ? [{ ...pandas(1, 2, single), runsSeconds: 1 }] : [];
    return [{ ...pandas(100 + now / 1000, 1, single), runsSeconds: 2 }, ...wide];
  };
  const pair = [board('b1'), board('b2')];

  it('not even a wide job under a stream of single ones that never ends', () => {
    const { startedAt } = live(plan, pair, singlesForEver, 60);
    expect(startedAt.get(1)).toBeLessThanOrEqual(3000);
    // Backfill without a reservation never comes to it.
    const starved = live(mutants.planWithoutReservation, pair, singlesForEver, 60);
    expect(starved.startedAt.get(1)).toBeUndefined();
  });

  it('but jobs of higher priority may pass it for ever: priority comes first', () => {
    const urgent: Stream = (now) =>
      singlesForEver(now, []).map((one) => (one.id === 1 ? one : { ...one, priority: 100 }));
    expect(live(plan, pair, urgent, 60).startedAt.get(1)).toBeUndefined();
  });
});

describe('the guaranteed start', () => {
  /** Whatever comes later at the same priority, and however early jobs end: a promise is never moved back. */
  const isKept = (plans: Plans) => (drawn: Drawn) => {
    const { promises, startedAt } = runOf(plans, drawn);
    for (const { job, at } of promises)
      expect(startedAt.get(job) ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(at);
  };

  it('is kept', () => {
    holds(streamArb, isKept(plan), 100);
  });
  it('so backfill that takes every job for a short one is caught', () => {
    isCaught(streamArb, isKept(mutants.planUntimed));
  });
  it('so a promise made as if held boards were free is caught', () => {
    const rash: Plans = (drawn, now) => {
      const made = plan(drawn, now);
      return made.reservation === null
        ? made
        : { ...made, reservation: { ...made.reservation, at: now } };
    };
    isCaught(streamArb, isKept(rash));
  });
});
