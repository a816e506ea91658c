/** What `muster why` says of boards whose events the engine knows: their health, their checks, their retirement. */
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../engine/engine.ts';
import { jobOf, pandas, startEngine, stateOf, submit, user, WORKER } from './bench.ts';
import { quiet, VirtualClock } from './virtual-clock.ts';

const check = { definition: jobOf({ default: 1 }, { name: 'the check' }), document: '{}' };

async function lab(boards: number, more: Parameters<typeof pandas>[1] = {}) {
  const time = new VirtualClock();
  const { engine } = await startEngine({ clock: time.clock }, pandas(boards, more));
  await quiet();
  return engine;
}

const candidates = (engine: Engine, id: number) =>
  engine.why(id)?.slots[0]?.candidates.map(({ board, why, until }) => [board, why, until]);

describe('why a job waits', () => {
  it('says since which of its events a board is bad, and why', async () => {
    const engine = await lab(1);
    const id = await submit(engine, jobOf({ r: 1 }, { name: 'first' }));
    const next = await submit(engine, jobOf({ r: 1 }));
    await engine.cancel(id, 'enough', user);
    await engine.cancel(next, 'enough', user);
    await quiet();
    await engine.setHealth('panda01', { to: 'bad', reason: 'the card reader' }, user);
    const waits = await submit(engine, jobOf({ r: 1 }));
    const event = engine.device('panda01')?.healthSince?.event;
    expect(event).toBeGreaterThan(1);
    expect(candidates(engine, waits)).toEqual([
      ['panda01', `health bad since its event ${event}: the card reader`, undefined],
    ]);
    await engine.stop();
  });

  it('tells the check of a board from a job on it', async () => {
    const engine = await lab(1, { healthCheck: check });
    const id = await submit(engine, jobOf({ r: 1 }));
    await quiet();
    const by = engine.device('panda01')?.heldBy?.job;
    expect(candidates(engine, id)).toEqual([
      ['panda01', `held by its health check, job ${by}`, undefined],
    ]);
    await engine.stop();
  });

  it('promises no end of a job after which the board is in maintenance', async () => {
    const engine = await lab(1);
    const has = await submit(engine, jobOf({ r: 1 }));
    const waits = await submit(engine, jobOf({ r: 1 }));
    await quiet();
    expect(engine.why(waits)?.guaranteedStart).not.toBeNull();
    await engine.setHealth('panda01', { to: 'maintenance', reason: 'a fan' }, user);
    await quiet();
    const event = engine.device('panda01')?.healthSince?.event;
    const then = `(then health maintenance since its event ${event}: a fan)`;
    expect(candidates(engine, waits)).toEqual([
      ['panda01', `held by job ${has} ${then}`, undefined],
    ]);
    expect(engine.why(waits)?.guaranteedStart).toBeNull();
    await engine.stop();
  });

  it('says why a board was retired', async () => {
    const engine = await lab(2);
    const first = await submit(engine, jobOf({ r: 2 }));
    const waits = await submit(engine, jobOf({ r: 2 }));
    await engine.setOffline('panda02', 'a cable', user);
    await engine.cancel(first, 'enough', user);
    await quiet();
    await engine.retire('panda02', 'burnt', user);
    await quiet();
    expect(candidates(engine, waits)).toEqual([
      ['panda01', 'free', undefined],
      ['panda02', 'retired: burnt', undefined],
    ]);
    expect(engine.why(waits)?.reason).toBe(
      'cannot start on any boards that are registered: role r has 1 of 2 boards of type panda; panda02 is retired',
    );
    await engine.stop();
  });

  it('says that a board left the lab, and rejects a job that needs it with that reason', async () => {
    const engine = await lab(2);
    const first = await submit(engine, jobOf({ r: 2 }));
    const waits = await submit(engine, jobOf({ r: 2 }));
    await engine.cancel(first, 'enough', user);
    await quiet();
    await engine.cancel(waits, 'enough', user);
    await quiet();
    const holds = await submit(engine, jobOf({ r: 1 }));
    const queued = await submit(engine, jobOf({ r: 2 }));
    await quiet();
    await engine.connectWorker(WORKER, pandas(1));
    await quiet();
    expect(await stateOf(engine, holds)).toBe('allocated');
    expect(candidates(engine, queued)?.[1]).toEqual([
      'panda02',
      'no longer a board of its worker here',
      undefined,
    ]);
    const submitted = await engine.submit({ definition: jobOf({ r: 2 }), document: '{}' }, user);
    expect(submitted.short.map(({ lacking }) => lacking)).toEqual([
      '1 of 2 boards of type panda; panda02 is no longer a board of its worker here',
    ]);
    await engine.connectWorker(WORKER, pandas(2));
    await quiet();
    const back = await engine.submit({ definition: jobOf({ r: 2 }), document: '{}' }, user);
    expect(back.short).toEqual([]);
    await engine.stop();
  });
});
