/**
 * Two servers that allocate at the same time, over every order in which requests reach the log and answers come
 * back: no board is in two groups, and a group has all its boards or none.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Engine } from '../../engine/engine.ts';
import { memoryCheckpoints } from '../../store/checkpoints.ts';
import { openMemoryStore } from '../../store/memory.ts';
import type { Appended, EventStore } from '../../store/port.ts';
import { checkLog } from '../lab/invariants.ts';
import { jobOf, logOf, pandas, submit } from './bench.ts';
import { portOf } from './cluster.ts';
import { VirtualClock } from './virtual-clock.ts';

const RUNS = 40;

/** Every append waits for its turn twice: on its way to the log, and on the way back. */
const gated = (store: EventStore, s: fc.Scheduler, name: string): EventStore => ({
  ...store,
  append: async (stream, version, events) => {
    const what = `${name} ${stream} ${version} ${events[0]?.type}`;
    await s.schedule(Promise.resolve(), `${what}: request`);
    const answer = await store.append(stream, version, events).then(
      (value) => () => value,
      (error: unknown) => (): Appended => {
        throw error;
      },
    );
    await s.schedule(Promise.resolve(), `${what}: answer`);
    return answer();
  },
});

type Around = (store: EventStore) => EventStore;

/** Three boards, four jobs of two boards each, two servers that both plan. */
async function race(s: fc.Scheduler, around: Around): Promise<void> {
  const store = openMemoryStore();
  const time = new VirtualClock();
  let isGated = true;
  const start = async (name: string) => {
    const port = portOf(store);
    const behindGates = around(gated(port, s, name));
    const append: EventStore['append'] = (...is) => (isGated ? behindGates : port).append(...is);
    const options = { clock: time.clock, checkpoints: memoryCheckpoints(), shared: true };
    const engine = new Engine({ ...options, store: { ...port, append } });
    await engine.start();
    return engine;
  };
  const [a, b] = [await start('a'), await start('b')];
  await s.waitFor(a.connectWorker('w', pandas(3)));
  const submitted = [a, b, a, b].map((engine) => submit(engine, jobOf({ x: 2 })));
  await s.waitFor(Promise.all(submitted));
  await s.waitIdle();
  checkLog(await logOf({ store }), { finished: false });
  // What was reserved for nothing comes back when its lease is over, and one job has its boards.
  isGated = false;
  await time.pass(20_000);
  const log = await logOf({ store });
  checkLog(log, { finished: false });
  expect(log.filter((e) => e.type === 'JobAllocated')).toHaveLength(1);
  expect(a.devices().filter((d) => d.state.heldBy !== null)).toHaveLength(2);
}

const racing = (around: Around) => fc.asyncProperty(fc.scheduler(), (s) => race(s, around));

/** A log that says yes to every reservation of a board and keeps none: allocation without reservation. */
const unreserved: Around = (store) => ({
  ...store,
  append: async (stream, version, events) =>
    events[0]?.type === 'DeviceReserved'
      ? { version: version + events.length, position: 0 }
      : store.append(stream, version, events),
});

describe('two servers that give out the same boards', () => {
  it('never give one board to two groups, whatever the order of requests and answers', () =>
    fc.assert(
      racing((store) => store),
      { numRuns: RUNS },
    ));

  it('are caught when a board is not reserved before the job has it', async () => {
    const options = { seed: 3, numRuns: RUNS, endOnFailure: true };
    const { failed } = await fc.check(racing(unreserved), options);
    expect(failed, 'the mutant was not caught').toBe(true);
  });
});
