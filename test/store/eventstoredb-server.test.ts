/** What a server says and the EventStoreDB adapter makes of it: on the stand-in, which can be made to say it. */
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { NewEvent, RecordedEvent } from '../../machines/events.ts';
import { openEventStoreDb } from '../../store/eventstoredb/eventstoredb.ts';
import type { EventStore } from '../../store/port.ts';
import { newStream } from './checks.ts';
import { collect, idsOf, many, sent, type Undo, undoAll, until } from './events.ts';
import { type StandIn, startStandIn } from './eventstore-grpc-server.ts';

const undo: Undo = [];
afterEach(() => undoAll(undo));

async function started(options: Parameters<typeof startStandIn>[0] = {}): Promise<StandIn> {
  const standIn = await startStandIn(options);
  undo.push(() => standIn.stop());
  return standIn;
}

async function opened(...servers: StandIn[]): Promise<EventStore> {
  const hosts = servers.map(({ port }) => `127.0.0.1:${port}`).join(',');
  const store = await openEventStoreDb({ connection: `esdb://${hosts}?tls=false` });
  undo.push(() => store.close());
  return store;
}

/** What another application writes. */
function foreign(type = 'TemperatureMeasured') {
  return { id: randomUUID(), type, data: Buffer.from('{"celsius":21}'), meta: Buffer.from('') };
}

const proposalOf = ({ id, type, data, meta }: NewEvent) => ({
  id,
  type,
  data: Buffer.from(JSON.stringify(data)),
  meta: Buffer.from(JSON.stringify(meta)),
});

it('says whose an event is that another application wrote into a stream of ours', async () => {
  const standIn = await started();
  const store = await opened(standIn);
  standIn.log.append('device-42', 0, [foreign()]);
  const unreadable = {
    code: 'unreadable-event',
    stream: 'device-42',
    version: 1,
    position: expect.any(Number),
    message: expect.stringContaining('another application wrote it'),
  };
  await expect(collect(store.read('device-42'))).rejects.toMatchObject(unreadable);
  await expect(collect(store.readAll())).rejects.toMatchObject(unreadable);
  const subscription = store.subscribeAll(0, () => {});
  await expect(subscription.caughtUp).rejects.toMatchObject(unreadable);
});

it('passes over the streams of other applications and of the server', async () => {
  const standIn = await started();
  const store = await opened(standIn);
  const [one, two] = [sent(), sent()];
  await store.append('job-1', 0, [one]);
  for (const stream of ['$settings', 'orders-1', 'submissions-archive'])
    standIn.log.append(stream, 0, [foreign()]);
  const last = await store.append('submissions', 0, [two]);
  for (const stream of ['orders-1', 'submissions-archive'])
    standIn.log.append(
      stream,
      1,
      many(40).map(() => foreign()),
    );
  const heard: RecordedEvent[] = [];
  const subscription = store.subscribeAll(0, (events) => heard.push(...events));
  await subscription.caughtUp;
  expect(idsOf(heard)).toEqual([one.id, two.id]);
  expect(idsOf(await collect(store.readAll()))).toEqual([one.id, two.id]);
  expect(await store.head()).toBe(last.position);
});

it('takes no stream that readers of the log would never see', async () => {
  const store = await opened(await started());
  for (const stream of ['orders-1', 'submissions-2', '$job-1'])
    await expect(store.append(stream, 0, [sent()])).rejects.toMatchObject({ code: 'bad-append' });
});

it('says what to raise when an append is too large for the server, and appends nothing', async () => {
  const store = await opened(await started());
  const stream = newStream();
  const refused = store.append(stream, 0, many(10_000));
  await expect(refused).rejects.toMatchObject({
    code: 'append-too-large',
    message: expect.stringMatching(/append; EventStoreDB takes 1048576.*_MAX_APPEND_SIZE/),
  });
  expect(await collect(store.read(stream))).toEqual([]);
});

it('appends 20,000 events at once where the server takes that much', async () => {
  const store = await opened(await started({ appendBytesMax: 16_000_000 }));
  const [stream, events] = [newStream(), many(20_000)];
  expect(await store.append(stream, 0, events)).toMatchObject({ version: 20_000 });
  expect(idsOf(await collect(store.read(stream)))).toEqual(idsOf(events));
}, 90_000);

it('refuses an event that fits into no message', async () => {
  const store = await opened(await started({ appendBytesMax: 16_000_000 }));
  const event = sent('x', [['big', 'x'.repeat(5_000_000)]]);
  await expect(store.append(newStream(), 0, [event])).rejects.toMatchObject({
    code: 'append-too-large',
    message: expect.stringContaining('an event of 50'),
  });
});

it('goes on with the next leader, and hears every event once', async () => {
  const first = await started();
  const second = await started({ log: first.log });
  second.leaderPort = first.port;
  const store = await opened(first, second);
  const heard: RecordedEvent[] = [];
  const subscription = store.subscribeAll(0, (events) => heard.push(...events));
  await subscription.caughtUp;
  const stream = newStream();
  const events = many(30);
  for (const [version, event] of events.entries()) {
    if (version === 10) [first.leaderPort, second.leaderPort] = [second.port, undefined];
    if (version === 20) first.stop();
    await store.append(stream, version, [event]);
  }
  await until('all is heard', () => heard.length >= 30);
  expect(idsOf(heard)).toEqual(idsOf(events));
  expect(idsOf(await collect(store.read(stream)))).toEqual(idsOf(events));
});

describe('a new leader that has what the others of its cluster have not', () => {
  it('makes nobody hear of a conflict before it can be read', async () => {
    const standIn = await started();
    const { log } = standIn;
    const store = await opened(standIn);
    log.isolateLeader();
    const theirs = sent();
    log.append('job-1', 0, [proposalOf(theirs)]);
    let refusals = 0;
    log.onConflict = () => {
      refusals += 1;
      if (refusals === 3) log.share();
    };
    expect(await store.append('job-1', 0, [sent()]).catch((error) => error)).toMatchObject({
      code: 'concurrency-conflict',
      actual: 1,
    });
    expect(idsOf(await collect(store.read('job-1')))).toEqual([theirs.id]);
  });

  it('has an append of which the answer was lost: that is no conflict', async () => {
    const standIn = await started();
    const { log } = standIn;
    const store = await opened(standIn);
    log.isolateLeader();
    const events = many(3);
    log.append('job-1', 0, events.map(proposalOf));
    // It could be read just after it was refused.
    log.onConflict = () => log.share();
    expect(await store.append('job-1', 0, events)).toEqual({
      version: 3,
      position: log.records.at(-1)?.position,
    });
    expect(idsOf(await collect(store.read('job-1')))).toEqual(idsOf(events));
  });
});

it('comes back to a server that was started again', async () => {
  const first = await started();
  const store = await opened(first);
  const heard: RecordedEvent[] = [];
  const subscription = store.subscribeAll(0, (events) => heard.push(...events));
  await subscription.caughtUp;
  const [stream, before, after] = [newStream(), many(3), many(3)];
  await store.append(stream, 0, before);
  first.stop();
  const appending = store.append(stream, 3, after);
  await started({ log: first.log, port: first.port });
  expect(await appending).toMatchObject({ version: 6 });
  await until('all is heard', () => heard.length >= 6);
  expect(idsOf(heard)).toEqual(idsOf([...before, ...after]));
});

it('waits for a server that is not ready yet', async () => {
  const standIn = await started();
  const store = await opened(standIn);
  standIn.isReady = false;
  const stream = newStream();
  const [appending, reading] = [store.append(stream, 0, many(2)), collect(store.read(newStream()))];
  expect(standIn.log.eventsOf(stream)).toEqual([]);
  standIn.isReady = true;
  expect(await appending).toMatchObject({ version: 2 });
  expect(await reading).toEqual([]);
});

it('bears a server that wants another login for a while, once it had let us in', async () => {
  const standIn = await started();
  const store = await opened(standIn);
  standIn.isLocked = true;
  const address = `esdb://127.0.0.1:${standIn.port}?tls=false`;
  await expect(openEventStoreDb({ connection: address })).rejects.toMatchObject({
    code: 'store-refused',
    message: expect.stringContaining('does not let this login'),
  });
  const stream = newStream();
  const [appending, reading] = [store.append(stream, 0, many(2)), collect(store.read(newStream()))];
  const refused = openEventStoreDb({ connection: address });
  await expect(refused).rejects.toMatchObject({ code: 'store-refused' });
  standIn.isLocked = false;
  expect(await appending).toMatchObject({ version: 2 });
  expect(await reading).toEqual([]);
});

it('reads on from a position at which this log has no event', async () => {
  const store = await opened(await started());
  const events = many(2_500);
  const { position } = await store.append(newStream(), 0, events);
  expect(idsOf(await collect(store.readAll(position - 1)))).toEqual(idsOf(events.slice(-1)));
  expect(idsOf(await collect(store.readAll(position - 1, 1)))).toEqual(idsOf(events.slice(-1)));
  const heard: RecordedEvent[] = [];
  const subscription = store.subscribeAll(position - 1, (some) => heard.push(...some));
  await subscription.caughtUp;
  expect(idsOf(heard)).toEqual(idsOf(events.slice(-1)));
});

it('says what became of a stream that somebody deleted in the server', async () => {
  const standIn = await started();
  const store = await opened(standIn);
  for (const stream of ['job-1', 'job-2']) await store.append(stream, 0, many(2));
  standIn.log.bury('job-1', 2);
  const deleted = { code: 'unreadable-event', message: expect.stringContaining('was deleted in') };
  await expect(store.append('job-1', 2, many(1))).rejects.toMatchObject(deleted);
  await expect(store.append('job-1', 0, many(1))).rejects.toMatchObject(deleted);
  await store.remove('job-2');
  const lost = { code: 'concurrency-conflict', actual: 0 };
  await expect(store.append('job-2', 2, many(1))).rejects.toMatchObject(lost);
});

it('hides what another engine has removed, and finishes a removal that was cut off', async () => {
  const standIn = await started();
  const [one, other] = [await opened(standIn), await opened(standIn)];
  await one.append('job-1', 0, many(3));
  const { position } = await one.append('job-2', 0, many(1));
  await one.append('job-3', 0, many(2));
  standIn.log.append('muster-removed', 0, [foreign(), { ...foreign(), data: Buffer.from([0]) }]);
  await other.remove('job-1');
  await one.remove('job-3');
  expect((await collect(one.readAll())).map(({ stream }) => stream)).toEqual(['job-2']);
  expect(await other.head()).toBe(position);
  const listed = JSON.stringify({ stream: 'job-2' });
  const cutOff = { ...foreign('StreamRemoved'), data: Buffer.from(listed) };
  standIn.log.append('muster-removed', 4, [cutOff]);
  await other.remove('job-2');
  expect(await collect(one.read('job-2'))).toEqual([]);
  expect(await one.head()).toBe(0);
});

it('refuses at once an address that is none, and a file that is not there', async () => {
  const refused = [
    'localhost:2113',
    'http://localhost:2113',
    'esdb://localhost:port',
    'esdb://localhost:2113?tlsCAFile=/no/such/file',
  ];
  for (const connection of refused)
    await expect(openEventStoreDb({ connection })).rejects.toMatchObject({ code: 'store-refused' });
});

it('refuses a server without TLS when the address asks for it, and says so', async () => {
  const { port } = await started();
  await expect(
    openEventStoreDb({ connection: `esdb://admin:secret@127.0.0.1:${port}` }),
  ).rejects.toMatchObject({ code: 'store-refused', message: expect.stringContaining('tls=false') });
});
