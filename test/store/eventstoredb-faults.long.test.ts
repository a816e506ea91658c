/**
 * The EventStoreDB adapter when the way to the server fails: through a proxy to the stand-in, and to the real
 * server when `MUSTER_ESDB_URL` names a single one.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../machines/events.ts';
import { openEventStoreDb } from '../../store/eventstoredb/eventstoredb.ts';
import type { EventStore } from '../../store/port.ts';
import { logOf, newStream } from './checks.ts';
import { collect, idsOf, many, sent, type Undo, undoAll, until } from './events.ts';
import { startStandIn } from './eventstore-grpc-server.ts';
import { TcpProxy } from './tcp-proxy.ts';

const undo: Undo = [];
afterEach(() => undoAll(undo));

async function opened(connection: string): Promise<EventStore> {
  const store = await openEventStoreDb({ connection });
  undo.push(() => store.close());
  return store;
}

/** A store whose way to the server can be broken, and one whose way cannot. */
async function behindProxy(port: number) {
  const proxy = await TcpProxy.to(port);
  undo.push(() => proxy.close());
  const direct = await opened(`esdb://127.0.0.1:${port}?tls=false`);
  return { proxy, direct, store: await opened(proxy.address) };
}

async function standInPort(): Promise<number> {
  const standIn = await startStandIn();
  undo.push(() => standIn.stop());
  return standIn.port;
}

const single = /^esdb:\/\/127\.0\.0\.1:(\d+)\?tls=false$/.exec(process.env.MUSTER_ESDB_URL ?? '');
const targets: [string, () => Promise<number>][] = [['a stand-in', standInPort]];
if (single !== null) targets.push(['a real server', async () => Number(single[1])]);

describe.each(targets)('an EventStoreDB store whose way to %s breaks', (_name, portOf) => {
  it('appends once when the answer is lost', async () => {
    const { proxy, direct, store } = await behindProxy(await portOf());
    const [stream, events] = [newStream(), many(3)];
    proxy.holdAnswers();
    const appending = store.append(stream, 0, events);
    await until('the server has it', async () => (await collect(direct.read(stream))).length > 0);
    proxy.cut();
    const appended = await appending;
    const stored = await collect(direct.read(stream));
    expect(idsOf(stored)).toEqual(idsOf(events));
    expect(appended).toEqual({ version: 3, position: stored.at(-1)?.position });
  });

  it('tells a listener every event once and in order over many breaks', async () => {
    const { proxy, direct, store } = await behindProxy(await portOf());
    const start = await direct.head();
    const stream = newStream();
    const heard: RecordedEvent[] = [];
    const subscription = store.subscribeAll(start, (events) => heard.push(...events));
    await subscription.caughtUp;
    for (let version = 0; version < 60; version += 3) {
      if (version % 12 === 0) proxy.cut();
      await store.append(stream, version, many(3));
    }
    const ours = () => heard.filter((event) => event.stream === stream);
    await until('all is heard', () => ours().length >= 60);
    await subscription.stop();
    expect(ours()).toEqual(await logOf(direct, [stream], start));
  });

  it('refuses in time while the server is away, with what to do, and goes on when it is back', async () => {
    const { proxy, direct, store } = await behindProxy(await portOf());
    const [stream, events, start] = [newStream(), many(2), await direct.head()];
    const heard: RecordedEvent[] = [];
    const subscription = store.subscribeAll(start, (some) => heard.push(...some));
    await subscription.caughtUp;
    proxy.goAway();
    const refused = await Promise.all([
      store.append(stream, 0, events).catch((error) => error),
      collect(store.read(stream)).catch((error) => error),
      store.head().catch((error) => error),
      openEventStoreDb({ connection: proxy.address }).catch((error) => error),
    ]);
    for (const error of refused) {
      expect(error).toMatchObject({ code: 'store-unavailable' });
      expect(error.message).toMatch(/^esdb:\/\/127\.0\.0\.1:\d+: could not .* for 10 s: .+\nCheck/);
    }
    expect(await collect(direct.read(stream))).toEqual([]);
    proxy.comeBack();
    expect(await store.append(stream, 0, events)).toMatchObject({ version: 2 });
    const ours = () => heard.filter((event) => event.stream === stream);
    await until('both are heard', () => ours().length === 2);
    await subscription.stop();
  });

  it('waits for a server that is away for a moment', async () => {
    const { proxy, direct, store } = await behindProxy(await portOf());
    const stream = newStream();
    proxy.goAway();
    const appending = store.append(stream, 0, many(2));
    const reading = collect(store.read(stream));
    await expect(direct.append(newStream(), 0, many(1))).resolves.toBeDefined();
    proxy.comeBack();
    expect(await appending).toMatchObject({ version: 2 });
    expect((await reading).length).toBeLessThanOrEqual(2);
  });

  it('ends all that waits when it is closed, and disturbs nobody', async () => {
    const { proxy, store } = await behindProxy(await portOf());
    const subscription = store.subscribeAll(await store.head(), () => {});
    await subscription.caughtUp;
    const stream = newStream();
    proxy.holdAnswers();
    const outcomes = Promise.all([
      store.append(stream, 0, [sent()]).then(() => 'appended'),
      collect(store.read(stream)).catch((error) => error.code),
      store.head().catch((error) => error.code),
    ]);
    const closed = store.close();
    proxy.cut();
    await closed;
    expect(await outcomes).toEqual(['appended', 'store-unavailable', 'store-unavailable']);
  });

  it('keeps up with the log for a listener that is slower than those who append', async () => {
    const { direct, store } = await behindProxy(await portOf());
    const start = await direct.head();
    const lanes = [newStream(), newStream()];
    const heard: RecordedEvent[] = [];
    const subscription = store.subscribeAll(start, (events) => {
      heard.push(...events);
      // Blocks as a listener does that has much to fold.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    });
    await Promise.all(
      lanes.map(async (stream) => {
        for (let version = 0; version < 1_000; version += 200)
          await direct.append(stream, version, many(200));
      }),
    );
    await subscription.caughtUp;
    const ours = () => heard.filter(({ stream }) => lanes.includes(stream));
    await until('all is heard', () => ours().length >= 2_000);
    await subscription.stop();
    expect(ours()).toEqual(await logOf(direct, lanes, start));
  });
});
