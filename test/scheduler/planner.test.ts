import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit } from '../../scheduler/admission.ts';
import { type Lab, plan } from '../../scheduler/plan.ts';
import { Planner } from '../../scheduler/planner.ts';
import type { Board, QueuedJob, Worker } from '../../scheduler/types.ts';
import { explain, waiting } from '../../scheduler/why.ts';
import { board, boardsArb, held, job, jobArb, lab, limitsArb, NOW, needs, pandas } from './labs.ts';
import { holds, isCaught } from './properties.ts';

type Change =
  | { set: 'board'; board: Board }
  | { set: 'noBoard'; name: string }
  | { set: 'worker'; worker: Worker }
  | { set: 'job'; job: QueuedJob }
  | { set: 'noJob'; id: number }
  /** Time goes on, or jumps back; a plan is made and looked at. */
  | { set: 'look'; after: number }
  /** What the plan says is done, all of it or the first start only. */
  | { set: 'start'; all: boolean };

const boardArb = boardsArb.filter((list) => list.length > 0).map((list) => list.at(-1)!);
const idArb = fc.integer({ min: 1, max: 5 });
const changeArb: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: boardArb.map((one) => ({ set: 'board' as const, board: one })) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(jobArb(), idArb)
      .map(([one, id]) => ({ set: 'job' as const, job: { ...one, id } })),
  },
  fc.integer({ min: 1, max: 6 }).map((at) => ({ set: 'noBoard' as const, name: `b${at}` })),
  limitsArb.map(([worker]) => ({ set: 'worker' as const, worker: worker! })),
  idArb.map((id) => ({ set: 'noJob' as const, id })),
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(0, 1000, 2000, -3000)
      .map((after) => ({ set: 'look' as const, after })),
  },
  { weight: 3, arbitrary: fc.boolean().map((all) => ({ set: 'start' as const, all })) },
);

/** The lab as it is after some changes, next to a planner that was told of them one by one. */
class Told {
  readonly boards = new Map<string, Board>();
  readonly workers = new Map<string, Worker>();
  readonly jobs = new Map<number, QueuedJob>();
  now = NOW;

  constructor(readonly planner: Planner) {}

  get lab(): Lab {
    return lab([...this.jobs.values()], [...this.boards.values()], ...this.workers.values());
  }

  apply(change: Change): void {
    if (change.set === 'board') this.setBoard(change.board);
    else if (change.set === 'job') this.jobs.set(change.job.id, change.job);
    else if (change.set === 'noBoard') this.boards.delete(change.name);
    else if (change.set === 'noJob') this.jobs.delete(change.id);
    else if (change.set === 'worker') this.workers.set(change.worker.name, change.worker);
    else if (change.set === 'start') this.#start(change.all);
    else this.now += change.after;
    this.#tell(change);
  }

  #tell(change: Change): void {
    const { planner } = this;
    if (change.set === 'job') planner.setJob(change.job);
    else if (change.set === 'noBoard') planner.removeBoard(change.name);
    else if (change.set === 'noJob') planner.removeJob(change.id);
    else if (change.set === 'worker') planner.setWorker(change.worker);
    else planner.plan(this.now);
  }

  setBoard(one: Board): void {
    this.boards.set(one.name, one);
    this.planner.setBoard(one);
  }

  #start(all: boolean): void {
    const { starts } = this.planner.plan(this.now);
    for (const { job, members } of all ? starts : starts.slice(0, 1)) {
      const until = this.now + (this.jobs.get(job)?.timeoutSeconds ?? 0) * 1000;
      for (const { device } of members)
        this.setBoard({ ...this.boards.get(device)!, state: 'reserved', heldBy: { job, until } });
      this.jobs.delete(job);
      this.planner.removeJob(job);
    }
  }
}

describe('the planner', () => {
  it('plans as the lab is, change after change', () => {
    const planner = new Planner();
    const starts = () => planner.plan(NOW).starts.map((one) => one.job);
    planner.setJob(pandas(1, 2));
    planner.setJob(pandas(2, 1));
    expect(starts()).toEqual([]);
    planner.setBoard(board('p1'));
    expect(starts()).toEqual([2]);
    planner.setBoard(board('p2'));
    expect(starts()).toEqual([1]);
    planner.setBoard(held('p2', 9, null));
    planner.removeJob(2);
    expect(starts()).toEqual([]);
    planner.setBoard(board('p2'));
    planner.setWorker({ name: 'w1', jobLimit: 1 });
    expect(starts()).toEqual([]);
    planner.setWorker({ name: 'w1' });
    expect(starts()).toEqual([1]);
    planner.removeBoard('p1');
    expect(starts()).toEqual([]);
  });

  it('gives nothing away by planning: asked again, it says the same', () => {
    const planner = new Planner();
    planner.setJob(pandas(1, 1));
    planner.setBoard(board('p1'));
    expect(planner.plan(NOW)).toEqual(planner.plan(NOW));
  });

  it('puts a job whose priority changed in its new place', () => {
    const planner = new Planner();
    for (const id of [1, 2, 3]) planner.setJob(pandas(id, 1));
    planner.setJob(pandas(3, 1, { priority: 100 }));
    expect(planner.waiting(NOW).map((one) => one.job)).toEqual([3, 1, 2]);
  });

  it('takes 10,000 cancels at once', () => {
    const planner = new Planner();
    for (let id = 1; id <= 10_001; id++) planner.setJob(pandas(id, 1));
    planner.setBoard(board('p1'));
    expect(planner.plan(NOW).starts[0]?.job).toBe(1);
    for (let id = 1; id <= 10_000; id++) planner.removeJob(id);
    expect(planner.waiting(NOW)).toEqual([
      { job: 10_001, place: 1, reason: 'can start now on p1', guaranteedStart: null },
    ]);
  });

  it('takes a refused job up again when the boards that a plan gave to another are free after all', () => {
    const planner = new Planner();
    for (const name of ['p1', 'p2']) planner.setBoard(board(name));
    planner.setBoard(board('b1', { deviceType: 'beagle' }));
    planner.setBoard(held('b2', 9, NOW + 1000, { deviceType: 'beagle' }));
    planner.setJob(job(1, [needs('r', 2, 'beagle')]));
    planner.setJob(pandas(2, 2));
    planner.setJob(job(3, [needs('other', 2, 'panda')]));
    expect(planner.plan(NOW)).toMatchObject({ starts: [{ job: 2 }], reservation: { job: 1 } });
    planner.removeJob(2);
    expect(planner.plan(NOW).starts.map((one) => one.job)).toEqual([3]);
  });

  it('plans when the clock jumps back, and with timeouts of years', () => {
    const planner = new Planner();
    planner.setBoard(board('p1', { idleSince: NOW }));
    planner.setBoard(held('p2', 9, NOW + 365 * 24 * 3600 * 1000));
    planner.setJob(pandas(1, 2));
    planner.setJob(pandas(2, 1, { timeoutSeconds: 364 * 24 * 3600 }));
    expect(planner.plan(NOW - 3600_000)).toMatchObject({
      starts: [{ job: 2 }],
      reservation: { job: 1, at: NOW + 365 * 24 * 3600 * 1000 },
    });
  });

  it('leaves jobs of a type whose last board was retired in the queue, with the reason', () => {
    const planner = new Planner();
    planner.setBoard(board('p1'));
    planner.setJob(pandas(1, 1));
    planner.setBoard(board('p1', { state: 'retired' }));
    expect(planner.plan(NOW)).toEqual({ starts: [], reservation: null });
    expect(planner.waiting(NOW)[0]?.reason).toBe(
      'cannot start on any boards that are registered: role r has 0 of 1 board of type panda; p1 is retired',
    );
    planner.setBoard(board('p2'));
    expect(planner.plan(NOW).starts).toHaveLength(1);
  });
});

describe('on every history of changes', () => {
  const historyArb = fc.array(changeArb, { minLength: 1, maxLength: 25 });

  const equalsTheFull = (make: () => Planner) => (history: Change[]) => {
    const told = new Told(make());
    for (const change of history) {
      told.apply(change);
      if (change.set !== 'look' && change.set !== 'start') continue;
      expect(told.planner.plan(told.now)).toEqual(plan(told.lab, told.now));
    }
    expect(told.planner.plan(told.now)).toEqual(plan(told.lab, told.now));
    expect(told.planner.waiting(told.now)).toEqual(waiting(told.lab, told.now));
    for (const id of told.jobs.keys())
      expect(told.planner.explain(id, told.now)).toEqual(explain(id, told.lab, told.now));
    const roles = [needs('a', 2, 'panda', 'a'), needs('b', 1, 'panda')];
    expect(told.planner.admit(roles)).toEqual(admit(roles, told.lab.boards));
  };

  it('the planner says what a plan from scratch says: plan, queue, explanations, admission', () => {
    holds(
      historyArb,
      equalsTheFull(() => new Planner()),
      400,
    );
  });
  it('so a planner that is not told of boards that come back is caught', () => {
    class Deaf extends Planner {
      override setBoard(one: Board): void {
        if (one.state !== 'idle') super.setBoard(one);
      }
    }
    isCaught(
      historyArb,
      equalsTheFull(() => new Deaf()),
    );
  });
  it('so a planner that forgets the limits of workers is caught', () => {
    class Limitless extends Planner {
      override setWorker(): void {}
    }
    isCaught(
      historyArb,
      equalsTheFull(() => new Limitless()),
    );
  });
  it('so a planner that keeps its last plan until something changes is caught', () => {
    class Lazy extends Planner {
      #last: ReturnType<Planner['plan']> | undefined;
      override setBoard(one: Board): void {
        this.#last = undefined;
        super.setBoard(one);
      }
      override setJob(one: QueuedJob): void {
        this.#last = undefined;
        super.setJob(one);
      }
      override removeJob(id: number): void {
        this.#last = undefined;
        super.removeJob(id);
      }
      override removeBoard(name: string): void {
        this.#last = undefined;
        super.removeBoard(name);
      }
      override setWorker(worker: Worker): void {
        this.#last = undefined;
        super.setWorker(worker);
      }
      override plan(now: number): ReturnType<Planner['plan']> {
        this.#last ??= super.plan(now);
        return this.#last;
      }
    }
    isCaught(
      historyArb,
      equalsTheFull(() => new Lazy()),
    );
  });
});
