/** Workers of several servers on one log: until when each is here, and how many of its boards may be in use. */
import { describe, expect, it } from 'vitest';
import { type EventStore, StoreUnavailable } from '../../store/port.ts';
import { jobOf, pandas, stateOf, submit } from './bench.ts';
import { Cluster, running } from './cluster.ts';
import { quiet } from './virtual-clock.ts';

describe("a worker's limit", () => {
  it('holds when each server gives out another of its boards at the same time', async () => {
    const cluster = new Cluster();
    let letThrough = () => {};
    const held = new Promise<void>((resolve) => {
      letThrough = resolve;
    });
    const slow = (store: EventStore): EventStore => ({
      ...store,
      append: async (stream, version, events) => {
        if (stream === 'device-panda01' && events.some((e) => e.type === 'DeviceReserved'))
          await held;
        return store.append(stream, version, events);
      },
    });
    const a = await cluster.start('a', slow, { jobLimit: 1 });
    const on = (device: string, priority: number) => {
      const roles = [{ role: 'r', count: 1, device, tags: [] }];
      return jobOf({}, { roles, priority, timeoutSeconds: 60 });
    };
    const one = await submit(a.engine, on('panda01', 50));
    await quiet();
    const two = await submit(a.engine, on('panda02', 100));
    await cluster.start('b');
    await quiet();
    letThrough();
    await quiet();
    expect(await stateOf(a.engine, one)).toBe('submitted');
    expect(await stateOf(a.engine, two)).toBe('allocated');
    await cluster.time.pass(300_000);
    for (const id of [one, two]) expect(await stateOf(a.engine, id)).toBe('timedOut');
    await cluster.check(true);
  });
});

describe('workers', () => {
  it('that are here keep their word, and are never lost', async () => {
    const cluster = new Cluster();
    const { a, b } = await running(cluster);
    await cluster.time.pass(1_000_000);
    expect(await cluster.streamsWith('WorkerLost')).toEqual([]);
    for (const { engine } of [a, b]) expect(engine.undriven('panda01')).toBeNull();
  });

  it('whose word has run out are not here, though nobody was there to say so', async () => {
    const cluster = new Cluster();
    const a = await cluster.start('a', undefined, { tokenKey: 'key', boardUrl: 'http://a' });
    const isHere = async () => {
      const { engine, kill } = await cluster.start('b');
      const all = engine.otherServers().map((other) => other.isHere);
      kill();
      return all;
    };
    expect(await isHere()).toEqual([true]);
    a.kill();
    await cluster.time.pass(91_000);
    expect(await isHere()).toEqual([false]);
  });

  it('are not lost to a server whose clock is ahead', async () => {
    const cluster = new Cluster();
    const { a } = await running(cluster);
    await cluster.start('c', undefined, { aheadMs: 600_000 });
    await cluster.time.pass(1_000_000);
    expect(await cluster.streamsWith('WorkerLost')).toEqual([]);
    a.kill();
    await cluster.time.pass(120_000);
    expect(await cluster.streamsWith('WorkerLost')).toEqual(['worker-a']);
  });

  it('are not lost by a log that is away for longer than their word holds', async () => {
    const cluster = new Cluster();
    const without = new Set<string>();
    const around = (name: string) => (store: EventStore) => ({
      ...store,
      append: (...is: Parameters<EventStore['append']>) =>
        without.has(name) ? Promise.reject(new StoreUnavailable('away')) : store.append(...is),
    });
    await cluster.start('a', around('a'));
    await cluster.start('b', around('b'));
    without.add('a').add('b');
    await cluster.time.pass(200_000);
    // One of them reaches it a little earlier than the other.
    without.delete('a');
    await cluster.time.pass(5_000);
    without.delete('b');
    await cluster.time.pass(200_000);
    expect(await cluster.streamsWith('WorkerLost')).toEqual([]);
  });

  it('cannot take a board of another one that is here', async () => {
    const cluster = new Cluster();
    const { b } = await running(cluster);
    await expect(b.engine.connectWorker('b', pandas(1))).rejects.toMatchObject({
      code: 'board-taken',
      message: expect.stringMatching(/panda01 is a board of worker a/),
    });
  });

  it('may take a board of another one that is lost', async () => {
    const cluster = new Cluster();
    const { a, b } = await running(cluster);
    a.kill();
    await cluster.time.pass(120_000);
    await b.engine.connectWorker('b', pandas(1));
    expect(b.engine.undriven('panda01')).toBeNull();
  });
});
