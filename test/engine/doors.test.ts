/** What waits for boards waits from the open door on: until then nobody could answer (SEMANTICS 2.4, "Coming back"). */
import { describe, expect, it } from 'vitest';
import { Engine } from '../../engine/engine.ts';
import { allocated, booted, call, jobOf, startEngine, stateOf } from './bench.ts';
import { quiet, VirtualClock } from './virtual-clock.ts';

const ACTION_SECONDS = 60;

/** A server that is started again after it was away, with a wait open; its door is still shut. */
async function restarted(awayMs: number) {
  const time = new VirtualClock();
  const first = await startEngine({ clock: time.clock });
  const definition = jobOf({ server: 1, client: 1 });
  const actions = definition.actions.map((action) => ({
    ...action,
    timeoutSeconds: ACTION_SECONDS,
  }));
  const id = await allocated(first.engine, { ...definition, actions });
  const [server = '', client = ''] = await booted(first.engine, id);
  const cut = new AbortController();
  void call(first.engine, id, client, 'wait go', 'the-key', cut.signal);
  await quiet();
  await first.engine.stop();
  await time.pass(awayMs);
  const { store, checkpoints } = first;
  const engine = new Engine({ store, checkpoints, clock: time.clock });
  await engine.start();
  const open = async () => (await engine.job(id))?.conversation.waits.flat().length;
  return { time, engine, id, server, client, open };
}

describe('a server whose start takes long', () => {
  it('gives no wait up before its door is open, and each the whole time to come back after it', async () => {
    const { time, engine, id, server, client, open } = await restarted(0);
    await time.pass(30_000);
    expect(await open()).toBe(1);
    engine.open();
    await time.pass(9_000);
    expect(await open()).toBe(1);
    const back = call(engine, id, client, 'wait go', 'the-key');
    await call(engine, id, server, 'send go');
    expect(await back).toEqual({ status: 'ok', lines: [] });
    await engine.stop();
  });

  it('gives up the waits that nobody came back to in the time after it opened', async () => {
    const { time, engine, open } = await restarted(0);
    engine.open();
    await time.pass(10_000);
    expect(await open()).toBe(0);
    await engine.stop();
  });

  it('carries out no deadline before its door is open, and one that passed meanwhile a little after', async () => {
    const { time, engine, id } = await restarted(ACTION_SECONDS * 1000);
    await time.pass(5_000);
    expect(await stateOf(engine, id)).toBe('allocated');
    engine.open();
    await time.pass(9_000);
    expect(await stateOf(engine, id)).toBe('allocated');
    await time.pass(2_000);
    expect(await stateOf(engine, id)).toBe('failed');
    await engine.stop();
  });

  it('takes the report of a board that was through while nobody listened', async () => {
    const { time, engine, id, server, client } = await restarted(ACTION_SECONDS * 1000);
    engine.open();
    const end = { type: 'EndAction', action: 0, outcome: 'ok' } as const;
    for (const member of [client, server])
      await engine.member(id, { ...end, member }, { actor: 'worker:here' });
    await time.pass(30_000);
    expect(await stateOf(engine, id)).toBe('complete');
    await engine.stop();
  });

  it('puts off no deadline that is due later than that', async () => {
    const { time, engine, id } = await restarted(0);
    engine.open();
    await time.pass(ACTION_SECONDS * 1000 - 1);
    expect(await stateOf(engine, id)).toBe('allocated');
    await time.pass(1);
    expect(await stateOf(engine, id)).toBe('failed');
    await engine.stop();
  });
});
