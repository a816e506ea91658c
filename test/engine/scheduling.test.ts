/** The scheduling rules (SEMANTICS 4) through the engine: health checks, priorities, health, retirement, limits. */
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../engine/engine.ts';
import type { HealthCheck } from '../../machines/events.ts';
import { checkLog } from '../lab/invariants.ts';
import {
  booted,
  finish,
  jobOf,
  logOf,
  pandas,
  startEngine,
  stateOf,
  submit,
  user,
} from './bench.ts';
import { quiet, VirtualClock } from './virtual-clock.ts';

const HOUR_MS = 3_600_000;

const checkEvery = (is: Pick<HealthCheck, 'everyHours' | 'everyJobs'>): HealthCheck => ({
  ...is,
  definition: jobOf({ default: 1 }, { name: 'the check' }),
  document: '{}',
});

/** One board with a health check, on virtual time. */
async function checkedBoard(is: Pick<HealthCheck, 'everyHours' | 'everyJobs'>) {
  const time = new VirtualClock();
  const boards = pandas(1, { healthCheck: checkEvery(is) });
  const { engine, store } = await startEngine({ clock: time.clock }, boards);
  await quiet();
  return { engine, store, time };
}

/** The job that has the board now, with its name; `undefined`: none has. */
async function onBoard(engine: Engine, device = 'panda01') {
  const id = engine.device(device)?.heldBy?.job;
  if (id === undefined) return undefined;
  const name = (await engine.job(id))?.definition?.name;
  return { id, isCheck: name === 'the check' };
}

async function end(engine: Engine, outcome: 'ok' | 'failed' = 'ok'): Promise<void> {
  const id = (await onBoard(engine))?.id ?? 0;
  const [member = ''] = await booted(engine, id);
  if (outcome === 'ok') await finish(engine, id, member);
  else
    await engine.member(
      id,
      { type: 'FailMember', member, reason: 'no prompt' },
      { actor: 'worker:here' },
    );
  await quiet();
}

const isCheck = async (engine: Engine) => (await onBoard(engine))?.isCheck;

describe('a health check', () => {
  it('comes first on a board of which nothing is known, and then its jobs', async () => {
    const { engine } = await checkedBoard({});
    const id = await submit(engine, jobOf({ r: 1 }));
    await quiet();
    expect(await isCheck(engine)).toBe(true);
    expect(await stateOf(engine, id)).toBe('submitted');
    expect(engine.why(id)?.slots[0]?.candidates[0]?.why).toBeTruthy();
    await end(engine);
    expect(engine.device('panda01')?.health).toBe('good');
    expect(await onBoard(engine)).toEqual({ id, isCheck: false });
    await engine.stop();
  });

  it('comes again after so many jobs: before the third one where it is due every two', async () => {
    const { engine } = await checkedBoard({ everyJobs: 2 });
    for (let n = 0; n < 5; n++) await submit(engine, jobOf({ r: 1 }));
    await quiet();
    const seen: (boolean | undefined)[] = [];
    while ((await onBoard(engine)) !== undefined) {
      seen.push(await isCheck(engine));
      await end(engine);
    }
    expect(seen).toEqual([true, false, false, true, false, false, true, false]);
    await engine.stop();
  });

  it('comes again when the hours have passed, and not a moment before', async () => {
    const { engine, time } = await checkedBoard({ everyHours: 24 });
    await end(engine);
    await time.pass(24 * HOUR_MS - 1);
    expect(await onBoard(engine)).toBeUndefined();
    await time.pass(1);
    expect(await isCheck(engine)).toBe(true);
    await engine.stop();
  });

  it('that fails makes the board bad: no job has it, and no check either', async () => {
    const { engine, time } = await checkedBoard({ everyHours: 1 });
    const id = await submit(engine, jobOf({ r: 1 }));
    await end(engine, 'failed');
    expect(engine.device('panda01')).toMatchObject({ health: 'bad' });
    await time.pass(10 * HOUR_MS);
    expect(await onBoard(engine)).toBeUndefined();
    expect(engine.queue()[0]).toMatchObject({ job: id });
    await engine.setHealth('panda01', { to: 'unknown', reason: 'new cable' }, user);
    await quiet();
    expect(await isCheck(engine)).toBe(true);
    await engine.stop();
  });

  it('of a board that is looping comes again and again, whatever it says', async () => {
    const { engine } = await checkedBoard({});
    await end(engine);
    const id = await submit(engine, jobOf({ r: 1 }));
    await engine.setHealth('panda01', { to: 'looping', reason: 'a soak' }, user);
    await quiet();
    await end(engine);
    for (const outcome of ['ok', 'failed', 'ok'] as const) {
      expect(await isCheck(engine)).toBe(true);
      await end(engine, outcome);
      expect(engine.device('panda01')?.health).toBe('looping');
    }
    expect(await stateOf(engine, id)).toBe('complete');
    await engine.stop();
  });

  it('that is cancelled comes again', async () => {
    const { engine } = await checkedBoard({});
    const first = (await onBoard(engine))?.id ?? 0;
    await engine.cancel(first, 'enough', user);
    await quiet();
    const second = await onBoard(engine);
    expect(second?.isCheck).toBe(true);
    expect(second?.id).toBeGreaterThan(first);
    expect(engine.device('panda01')?.health).toBe('unknown');
    await engine.stop();
  });

  it('is there once, also after a restart', async () => {
    const first = await checkedBoard({});
    const before = await onBoard(first.engine);
    await first.engine.stop();
    const boards = pandas(1, { healthCheck: checkEvery({}) });
    const { engine } = await startEngine({ clock: first.time.clock, store: first.store }, boards);
    await first.time.pass(60_000);
    expect(await onBoard(engine)).toEqual(before);
    expect(engine.jobCount).toBe(1);
    await engine.stop();
  });
});

/** A lab with so many boards, and jobs that all want one. */
async function busyLab(boards: number, facts = {}) {
  const time = new VirtualClock();
  const { engine, store } = await startEngine({ clock: time.clock }, boards, facts);
  return { engine, store, time };
}

describe('the queue', () => {
  it('starts whoever has the highest priority when boards come free, also one changed while it waits', async () => {
    const { engine } = await busyLab(1);
    const running = await submit(engine, jobOf({ r: 1 }));
    const [second, third] = [
      await submit(engine, jobOf({ r: 1 })),
      await submit(engine, jobOf({ r: 1 })),
    ];
    await quiet();
    expect(engine.queue().map((w) => w.job)).toEqual([second, third]);
    await engine.setPriority(third, 90, user);
    expect(engine.queue().map((w) => w.job)).toEqual([third, second]);
    const [member = ''] = await booted(engine, running);
    await finish(engine, running, member);
    await quiet();
    expect(await stateOf(engine, third)).toBe('allocated');
    expect(await stateOf(engine, second)).toBe('submitted');
    await expect(engine.setPriority(third, 10, user)).rejects.toMatchObject({
      code: 'not-waiting',
    });
    await engine.stop();
  });

  it('keeps a job whose last board was retired, with the reason, until its queue timeout', async () => {
    const { engine, time } = await busyLab(1);
    await engine.setOffline('panda01', 'power', user);
    const id = await submit(engine, jobOf({ r: 1 }, { queueTimeoutSeconds: 600 }));
    await engine.retire('panda01', 'broken', user);
    await quiet();
    expect(await stateOf(engine, id)).toBe('submitted');
    expect(engine.queue()).toEqual([
      expect.objectContaining({ job: id, reason: expect.stringMatching(/panda/) }),
    ]);
    await time.pass(600_000);
    expect(await stateOf(engine, id)).toBe('timedOut');
    expect(engine.queue()).toEqual([]);
    await engine.stop();
  });

  it('keeps to the limit of a worker', async () => {
    const { engine } = await busyLab(3, { jobLimit: 2 });
    const ids = [];
    for (let n = 0; n < 3; n++) ids.push(await submit(engine, jobOf({ r: 1 })));
    await quiet();
    const states = await Promise.all(ids.map((id) => stateOf(engine, id)));
    expect(states).toEqual(['allocated', 'allocated', 'submitted']);
    const [member = ''] = await booted(engine, ids[0] ?? 0);
    await finish(engine, ids[0] ?? 0, member);
    await quiet();
    expect(await stateOf(engine, ids[2] ?? 0)).toBe('allocated');
    await engine.stop();
  });

  it('takes ten thousand cancels at once', { timeout: 120_000 }, async () => {
    const { engine, store } = await busyLab(2);
    const one = jobOf({ r: 1 });
    const ids = await Promise.all(Array.from({ length: 10_000 }, () => submit(engine, one)));
    await Promise.all(ids.map((id) => engine.cancel(id, 'all of it', user)));
    await quiet();
    expect(engine.queue()).toEqual([]);
    expect(engine.devices().every((d) => d.state.heldBy === null)).toBe(true);
    const log = await logOf({ store });
    expect(log.filter((e) => e.type === 'JobCancelled')).toHaveLength(10_000);
    checkLog(log, { finished: true });
    await engine.stop();
  });
});

describe('a board in maintenance', () => {
  it('is kept by the job that has it, and given to nobody after', async () => {
    const { engine } = await busyLab(1);
    const id = await submit(engine, jobOf({ r: 1 }));
    const next = await submit(engine, jobOf({ r: 1 }));
    await quiet();
    await engine.setHealth('panda01', { to: 'maintenance', reason: 'new cable' }, user);
    const [member = ''] = await booted(engine, id);
    await finish(engine, id, member);
    await quiet();
    expect(await stateOf(engine, id)).toBe('complete');
    expect(await stateOf(engine, next)).toBe('submitted');
    expect(engine.device('panda01')).toMatchObject({ health: 'maintenance', heldBy: null });
    await engine.stop();
  });

  it('that was forced fails its member at once and is free', async () => {
    const { engine } = await busyLab(2);
    const id = await submit(engine, jobOf({ r: 2 }));
    await quiet();
    await booted(engine, id);
    const is = { to: 'maintenance', reason: 'smoke', force: true } as const;
    await engine.setHealth('panda01', is, user);
    const members = (await engine.job(id))?.members;
    expect(members?.map((m) => m.state)).toEqual(['failed', 'booted']);
    expect(members?.[0]?.ended?.reason).toMatch(/panda01 was taken from it.*smoke/);
    await finish(engine, id, 'panda02');
    await quiet();
    expect(engine.device('panda01')).toMatchObject({ heldBy: null, health: 'maintenance' });
    expect(await stateOf(engine, id)).toBe('failed');
    await engine.stop();
  });
});

describe('a retired board', () => {
  it('stays so when its worker registers it again, until somebody restores it', async () => {
    const { engine } = await busyLab(1);
    await engine.retire('panda01', 'broken', user);
    await engine.connectWorker('here', pandas(1, { tags: ['usb'] }));
    expect(engine.device('panda01')?.state).toBe('retired');
    const { state } = await engine.submit({ definition: jobOf({ r: 1 }), document: '{}' }, user);
    expect(state).toBe('rejected');
    await engine.restore('panda01', 'repaired', user);
    const id = await submit(engine, jobOf({ r: 1 }));
    await quiet();
    expect(await stateOf(engine, id)).toBe('allocated');
    await engine.stop();
  });

  it('is not one that a job has', async () => {
    const { engine } = await busyLab(1);
    await submit(engine, jobOf({ r: 1 }));
    await quiet();
    await expect(engine.retire('panda01', 'broken', user)).rejects.toMatchObject({
      code: 'not-idle',
    });
    await engine.stop();
  });
});
