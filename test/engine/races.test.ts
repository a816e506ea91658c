/**
 * Two servers that allocate at the same time, over every order in which requests reach the log and answers come
 * back: no board is in two groups, and a group has all its boards or none.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Engine } from '../../engine/engine.ts';
import { memoryCheckpoints } from '../../store/checkpoints.ts';
import { openEventStoreDb } from '../../store/eventstoredb/eventstoredb.ts';
import { openMemoryStore } from '../../store/memory.ts';
import type { Appended, EventStore } from '../../store/port.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite.ts';
import { checkLog } from '../lab/invariants.ts';
import { startStandIn } from '../store/eventstore-grpc-server.ts';
import { jobOf, logOf, pandas, submit, until } from './bench.ts';
import { portOf } from './cluster.ts';
import { quiet, VirtualClock } from './virtual-clock.ts';

const RUNS = { memory: 40, sqlite: 5, eventstoredb: 10 };

/** Every append waits for its turn twice: on its way to the log, and on the way back. */
class Gates {
  readonly #s: fc.Scheduler;
  /** How many appends the log has at the moment. */
  #atLog = 0;

  constructor(s: fc.Scheduler) {
    this.#s = s;
  }

  before(store: EventStore, name: string): EventStore {
    const append: EventStore['append'] = async (stream, version, events) => {
      const what = `${name} ${stream} ${version} ${events[0]?.type}`;
      await this.#s.schedule(Promise.resolve(), `${what}: request`);
      this.#atLog += 1;
      const answer = await store.append(stream, version, events).then(
        (value) => () => value,
        (error: unknown) => (): Appended => {
          throw error;
        },
      );
      this.#atLog -= 1;
      await this.#s.schedule(Promise.resolve(), `${what}: answer`);
      return answer();
    };
    return { ...store, append };
  }

  /** One append goes on; where there is none, time does. */
  async turn(time: VirtualClock): Promise<void> {
    if (this.#s.count() > 0) await this.#s.waitNext(1);
    else if (this.#atLog > 0) await quiet();
    else await time.pass(1);
  }
}

type Around = (store: EventStore) => EventStore;

/** One log, as each of two servers reaches it. */
interface Log {
  stores: [a: EventStore, b: EventStore];
  close(): Promise<unknown>;
}

const logs: Record<keyof typeof RUNS, () => Promise<Log>> = {
  async memory() {
    const store = openMemoryStore();
    return { stores: [store, store], close: () => store.close() };
  },
  async sqlite() {
    const folder = await mkdtemp(join(tmpdir(), 'muster-races-'));
    const store = await openSqliteStore({ file: join(folder, 'muster.db') });
    const close = () => store.close().then(() => rm(folder, { recursive: true }));
    return { stores: [store, store], close };
  },
  /** Against the stand-in: a real one has no order of answers that a test could choose. */
  async eventstoredb() {
    const standIn = await startStandIn();
    const open = () =>
      openEventStoreDb({ connection: `esdb://127.0.0.1:${standIn.port}?tls=false` });
    const stores: Log['stores'] = [await open(), await open()];
    const close = async () => {
      await Promise.all(stores.map((store) => store.close()));
      standIn.stop();
    };
    return { stores, close };
  },
};

/** Three boards, four jobs of two boards each, two servers that both plan. */
async function race(s: fc.Scheduler, log: Log, around: Around): Promise<void> {
  const time = new VirtualClock();
  const gates = new Gates(s);
  const [a, b] = await Promise.all(
    log.stores.map(async (store, at) => {
      const { append } = around(gates.before(portOf(store), at === 0 ? 'a' : 'b'));
      const options = { clock: time.clock, checkpoints: memoryCheckpoints(), shared: true };
      const engine = new Engine({ ...options, store: { ...portOf(store), append } });
      await engine.start();
      return engine;
    }),
  );
  if (a === undefined || b === undefined) throw new Error('a log has two servers');
  try {
    await s.waitFor(a.connectWorker('w', pandas(3)));
    await s.waitFor(Promise.all([a, b, a, b].map((engine) => submit(engine, jobOf({ x: 2 })))));
    await until(async () => {
      // What was reserved for nothing comes back when its lease is over.
      await gates.turn(time);
      return [a, b].every(hasGroup) || undefined;
    });
    await time.pass(20_000);
  } finally {
    await s.waitFor(Promise.all([a.stop(), b.stop()]));
  }
  const events = await logOf({ store: log.stores[0] });
  checkLog(events, { finished: false });
  expect(events.filter((e) => e.type === 'JobAllocated')).toHaveLength(1);
}

/** Some job has its boards, as this server knows it. */
const hasGroup = ({ directory }: Engine): boolean =>
  [...directory.jobs.values()].some(({ state }) => state === 'allocated');

const racing = (open: () => Promise<Log>, around: Around) =>
  fc.asyncProperty(fc.scheduler(), async (s) => {
    const log = await open();
    await race(s, log, around).finally(log.close);
  });

/** A log that says yes to every reservation of a board and keeps none: allocation without reservation. */
const unreserved: Around = (store) => ({
  ...store,
  append: async (stream, version, events) =>
    events[0]?.type === 'DeviceReserved'
      ? { version: version + events.length, position: 0 }
      : store.append(stream, version, events),
});

describe.each(['memory', 'sqlite', 'eventstoredb'] as const)(
  'two servers on one log in %s',
  (kind) => {
    it('never give one board to two groups, whatever the order of requests and answers', () =>
      fc.assert(
        racing(logs[kind], (store) => store),
        { numRuns: RUNS[kind] },
      ));

    it('are caught when a board is not reserved before the job has it', async () => {
      const options = { seed: 3, numRuns: RUNS[kind], endOnFailure: true };
      const { failed } = await fc.check(racing(logs[kind], unreserved), options);
      expect(failed, 'the mutant was not caught').toBe(true);
    });
  },
);
