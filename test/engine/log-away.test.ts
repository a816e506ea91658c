/** A log that several servers share, and that tells late of what another one wrote, or goes away meanwhile. */
import { describe, expect, it } from 'vitest';
import { type EventStore, StoreUnavailable } from '../../store/port.ts';
import { booted, call, jobOf, stateOf, submit, until } from './bench.ts';
import { Cluster, ON_BEAGLES } from './cluster.ts';
import { quiet } from './virtual-clock.ts';

describe('a log that tells of an append later than it answers', () => {
  it('still lets a worker know of the job that its boards were given', async () => {
    const cluster = new Cluster();
    const late = (store: EventStore): EventStore => ({
      ...store,
      subscribeAll: (after, onEvents) =>
        store.subscribeAll(after, (events) => setImmediate(() => onEvents(events))),
    });
    const { engine } = await cluster.start('a', late);
    const owed: number[] = [];
    engine.onChange(() => void engine.owed('a').then((entries) => owed.push(entries.length)));
    const id = await submit(engine, jobOf({ server: 1, client: 1 }));
    await until(async () => ((await stateOf(engine, id)) === 'allocated' ? true : undefined));
    await until(() => (owed.at(-1) === 2 ? true : undefined));
  });
});

describe('a log that goes away while a server reads what another one wrote', () => {
  /** Server b holds a wait of the client; the log goes away from it as it is about to read the message of the server. */
  async function reading() {
    const cluster = new Cluster();
    let isAway = false;
    let fail = () => {};
    const around = (store: EventStore): EventStore => ({
      ...store,
      async *read(...is) {
        if (isAway)
          await new Promise<never>((_, reject) => {
            fail = () => reject(new StoreUnavailable('away'));
          });
        yield* store.read(...is);
      },
    });
    const a = await cluster.start('a');
    const b = await cluster.start('b', around);
    const id = await submit(a.engine, jobOf({ server: 1, client: 1 }));
    await quiet();
    const [server = '', client = ''] = await booted(a.engine, id);
    const held = call(b.engine, id, client, 'wait go');
    await quiet();
    isAway = true;
    await call(a.engine, id, server, 'send go v=1');
    await quiet();
    const fails = async () => {
      fail();
      await quiet();
    };
    const comesBack = () => {
      isAway = false;
      return fails();
    };
    return { cluster, b, id, server, held, fails, comesBack };
  }
  const released = { status: 'ok', lines: ['v=1'] };

  it('keeps no command that comes meanwhile for ever', async () => {
    const { b, id, server, held, comesBack } = await reading();
    const sent = call(b.engine, id, server, 'send more');
    await comesBack();
    expect(await sent).toEqual({ status: 'ok', lines: [] });
    expect(await held).toEqual(released);
  });

  it('hears of it when it is back, though nothing more happens', async () => {
    const { cluster, held, fails, comesBack } = await reading();
    for (let round = 0; round < 3; round++) {
      await fails();
      await cluster.time.pass(1_000);
    }
    await comesBack();
    await cluster.time.pass(1_000);
    expect(await held).toEqual(released);
  });

  it('watches over a job that it could not read as the job got its boards', async () => {
    const cluster = new Cluster();
    let isAway = false;
    const around = (store: EventStore): EventStore => ({
      ...store,
      async *read(...is) {
        if (isAway) throw new StoreUnavailable('away');
        yield* store.read(...is);
      },
    });
    const a = await cluster.start('a');
    const b = await cluster.start('b', around);
    isAway = true;
    const id = await submit(a.engine, jobOf({}, { roles: ON_BEAGLES, timeoutSeconds: 600 }));
    await cluster.time.pass(5_000);
    isAway = false;
    await cluster.time.pass(1_000);
    a.kill();
    await cluster.time.pass(700_000);
    expect(await stateOf(b.engine, id)).toBe('timedOut');
  });

  it('asks no more once it was stopped', async () => {
    const { cluster, b, held, fails, comesBack } = await reading();
    await fails();
    await b.engine.stop();
    await cluster.time.pass(10_000);
    await comesBack();
    expect(await Promise.race([held, Promise.resolve('nothing')])).toBe('nothing');
  });
});
