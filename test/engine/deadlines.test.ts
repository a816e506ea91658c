/** Deadlines become commands; one that comes too late is not tried again. */
import { describe, expect, it } from 'vitest';
import type { Action } from '../../machines/definition.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { StoreUnavailable } from '../../store/port.ts';
import { allocated, booted, jobOf, startEngine, stateOf, submit } from './bench.ts';
import { portOf } from './cluster.ts';
import { quiet, VirtualClock } from './virtual-clock.ts';

const shell = {
  command: 'lava_command_run' as const,
  roles: null,
  timeoutSeconds: 60,
  parameters: { commands: ['true'] },
} satisfies Action;
const essential = { deviceType: 'panda', tags: [], count: 1, essential: true as const };

describe('a deadline', () => {
  it('that another one has overtaken is not tried again and again', async () => {
    const time = new VirtualClock();
    const store = portOf(openMemoryStore());
    let reads = 0;
    const counting = {
      ...store,
      read: (stream: string, after?: number) => {
        if (stream === 'job-1') reads++;
        return store.read(stream, after);
      },
    };
    const { engine } = await startEngine({ clock: time.clock, store: counting });
    // Both actions reach their limit in the same moment, and the first of them ends the job.
    const roles = ['server', 'client'].map((role) => ({ ...essential, role }));
    const id = await submit(engine, jobOf({}, { roles, actions: [shell] }));
    await quiet();
    await booted(engine, id);
    await time.pass(60_000);
    expect(await stateOf(engine, id)).toBe('failed');
    await time.pass(2_000);
    reads = 0;
    await time.pass(60_000);
    expect(reads).toBe(0);
    await engine.stop();
  });

  it('that could not be written is carried out when the store is back', async () => {
    const time = new VirtualClock();
    const store = portOf(openMemoryStore());
    let isAway = false;
    const flaky = {
      ...store,
      append: (...is: Parameters<typeof store.append>) =>
        isAway ? Promise.reject(new StoreUnavailable('disk full')) : store.append(...is),
    };
    const { engine } = await startEngine({ clock: time.clock, store: flaky });
    const id = await allocated(engine, jobOf({ r: 1 }, { actions: [shell] }));
    await booted(engine, id);
    isAway = true;
    await time.pass(65_000);
    expect(await stateOf(engine, id)).toBe('allocated');
    isAway = false;
    await time.pass(1_000);
    expect(await stateOf(engine, id)).toBe('failed');
    await engine.stop();
  });
});
