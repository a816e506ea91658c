/** One suite for every adapter of the log: what `store/port.ts` means, as sentences. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewEvent, RecordedEvent } from '../../machines/events.ts';
import { VOCABULARY } from '../../machines/versions.ts';
import { APPEND_EVENTS_MAX, type EventStore } from '../../store/port.ts';
import * as checks from './checks.ts';
import { asNew, collect, idsOf, many, sent, until } from './events.ts';

export interface Opened {
  store: EventStore;
  /** What the names of its streams begin with, where it does not take just any. */
  prefix?: string;
  /** Closes and opens the same log again; a string instead says why this adapter cannot. */
  reopen: (() => Promise<EventStore>) | string;
  /** Removes what the test left behind; the store is closed by then. */
  dispose(): Promise<void>;
}

const JOIN_ROUNDS = 25;

export function describeEventStore(name: string, open: () => Promise<Opened>): void {
  describe(`the event store "${name}"`, () => {
    let opened: Opened;
    let store: EventStore;
    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    });
    afterAll(async () => {
      await store.close();
      await opened.dispose();
    });
    const current = () => store;
    appending(current);
    reading(current, () => opened.prefix ?? '');
    subscribing(current);
    removing(current);
    closing(open);
  });
}

function appending(store: () => EventStore): void {
  it('has no events and version 0 for a stream that is not there', async () => {
    const stream = checks.newStream();
    expect(await collect(store().read(stream))).toEqual([]);
    await expect(store().append(stream, 1, [sent()])).rejects.toMatchObject({ actual: 0 });
    expect(await store().append(stream, 0, [sent()])).toMatchObject({ version: 1 });
  });
  it('reads back what was appended, whatever the caller does to it later', () =>
    checks.readsBackWhatWasAppended(store()));
  it('refuses another version with what was expected and what is there', () =>
    checks.conflictsCarryBothVersions(store()));
  it('lets one of many racers win', () => checks.hasOneWinnerAmongRacers(store()));
  it('appends a batch whole or not at all', () => checks.appendsAllOrNothing(store()));
  it('takes a repeated append as success, once, with the first answer', () =>
    checks.takesARepeatedAppendAsTheSame(store()));
  it('refuses a batch of known and unknown ids', () => checks.refusesIdsThatAreHalfKnown(store()));
  it('rejects what no store can take, and appends nothing', async () => {
    const stream = checks.newStream();
    const one = sent();
    const bad: [string, number, NewEvent[]][] = [
      [stream, 0, []],
      [stream, -1, [sent()]],
      [stream, 0.5, [sent()]],
      [stream, 0, [one, one]],
      [stream, 0, [{ ...sent(), id: 'not-a-uuid' }]],
      [stream, 0, many(APPEND_EVENTS_MAX + 1)],
      ['', 0, [sent()]],
      ['a\0b', 0, [sent()]],
      ['lone \ud800 surrogate', 0, [sent()]],
      ['x'.repeat(513), 0, [sent()]],
    ];
    for (const [to, version, events] of bad)
      await expect(store().append(to, version, events)).rejects.toMatchObject({
        code: 'bad-append',
      });
    expect(await collect(store().read(stream))).toEqual([]);
  });
  it('refuses an event whose type or shape this version does not know', async () => {
    const stream = checks.newStream();
    const strange = [
      { ...sent(), type: 'NeverHeardOf' },
      { ...sent(), data: { ...sent().data, extra: 1 } },
      { ...sent(), meta: { ...sent().meta, schema: VOCABULARY + 1 } },
    ] as unknown as NewEvent[];
    for (const event of strange)
      await expect(store().append(stream, 0, [event])).rejects.toMatchObject({
        code: 'unreadable-event',
      });
    expect(await collect(store().read(stream))).toEqual([]);
  });
}

function reading(store: () => EventStore, prefix: () => string): void {
  it('reads a stream from after a version', async () => {
    const stream = checks.newStream();
    const events = many(5);
    await store().append(stream, 0, events);
    expect(idsOf(await collect(store().read(stream, 3)))).toEqual(idsOf(events.slice(3)));
    expect(await collect(store().read(stream, 5))).toEqual([]);
  });
  it('reads the whole log in the order of the appends, in pages too', () =>
    checks.readsAllInTheOrderOfAppends(store()));
  it('reads the log up to its end at the time of the call', async () => {
    const start = await store().head();
    const [before, after] = [checks.newStream(), checks.newStream()];
    await store().append(before, 0, many(3));
    const reading = store().readAll(start);
    await store().append(after, 0, many(3));
    const streams = (await collect(reading)).map(({ stream }) => stream);
    expect(streams.filter((stream) => stream === before)).toHaveLength(3);
    expect(streams).not.toContain(after);
  });
  it('reads a log of many pages without a hole or a repeat', async () => {
    const start = await store().head();
    const streams = [checks.newStream(), checks.newStream()] as const;
    const events = [many(1_700), many(1_300)] as const;
    await store().append(streams[0], 0, events[0]);
    await store().append(streams[1], 0, events[1]);
    const log = await checks.logOf(store(), streams, start);
    expect(idsOf(log)).toEqual(idsOf(events.flat()));
  });
  it('lets a reader leave in the middle', async () => {
    const stream = checks.newStream();
    await store().append(stream, 0, many(1500));
    for await (const event of store().read(stream)) if (event.version === 1200) break;
    await store().append(stream, 1500, [sent()]);
    expect(await collect(store().read(stream, 1499))).toHaveLength(2);
  });
  it('keeps strange stream names apart and strange data whole', async () => {
    const names = [
      '__proto__',
      'constructor',
      "job-1'; DROP TABLE events; --",
      'ß-é',
      'ß-e\u0301',
      '🐼',
      ' ',
    ].map((name) => `${prefix()}${name}`);
    const text = `"__proto__": {"x":1}, \u0000 \ud83d\udc3c \ud800 \u2028 ' " \\ \n${'ü'.repeat(500)}`;
    const marks = new Map<string, NewEvent>();
    for (const name of names) {
      const event = sent(text, [
        ['__proto__', text],
        ['constructor', name],
      ]);
      marks.set(name, event);
      await store().append(name, 0, [event]);
    }
    for (const [name, event] of marks)
      expect((await collect(store().read(name))).map(asNew)).toEqual([event]);
  });
  it('keeps every part of what an event says of itself', async () => {
    const stream = checks.newStream();
    const bare = sent();
    const full = {
      ...sent(),
      meta: { ...sent().meta, at: 1_700_000_000_123, key: 'k-1', console: 0 },
    };
    const caused = { ...sent(), meta: { ...sent().meta, causationId: bare.id, correlationId: '' } };
    await store().append(stream, 0, [bare, full, caused]);
    expect((await collect(store().read(stream))).map(asNew)).toStrictEqual([bare, full, caused]);
  });
  it('takes an event of one megabyte', async () => {
    const stream = checks.newStream();
    const event = sent('x', [['big', 'ü'.repeat(500_000)]]);
    await store().append(stream, 0, [event, sent()]);
    const [first] = await collect(store().read(stream));
    expect(asNew(first!)).toEqual(event);
  });
}

function subscribing(store: () => EventStore): void {
  it(
    `joins history and live without a hole or a repeat, in ${JOIN_ROUNDS} rounds of races`,
    () => checks.joinsHistoryAndLive(store(), JOIN_ROUNDS),
    90_000,
  );
  it('says when all history was delivered, and is silent after its stop', () =>
    checks.tellsWhenHistoryIsDelivered(store()));
  it('leaves out of history only what its reader has no need of, and nothing that comes live', () =>
    checks.leavesOutOnlyWhatIsNeedless(store()));
  it('tells a live listener the same as a reader later', async () => {
    const heard: RecordedEvent[] = [];
    const start = await store().head();
    const subscription = store().subscribeAll(start, (events) => heard.push(...events));
    await subscription.caughtUp;
    const stream = checks.newStream();
    await store().append(stream, 0, [sent('a', [['k', 'v']]), sent('b')]);
    const ours = () => heard.filter((event) => event.stream === stream);
    await until('both are heard', () => ours().length === 2);
    await subscription.stop();
    expect(ours()).toStrictEqual(await checks.logOf(store(), [stream], start));
  });
  it('goes on for the others when a listener throws, and lets the fault surface', async () => {
    const faults: unknown[] = [];
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (fault) => faults.push(fault));
    try {
      const heard: RecordedEvent[] = [];
      const start = await store().head();
      const fault = new Error('the listener is broken');
      const broken = store().subscribeAll(start, () => {
        throw fault;
      });
      const well = store().subscribeAll(start, (events) => heard.push(...events));
      await Promise.all([broken.caughtUp, well.caughtUp]);
      for (const count of [1, 2]) {
        await store().append(checks.newStream(), 0, [sent()]);
        await until('both have heard', () => heard.length >= count && faults.length >= count);
      }
      await Promise.all([broken.stop(), well.stop()]);
      expect(new Set(faults)).toEqual(new Set([fault]));
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of others) process.on('uncaughtException', listener);
    }
  });
}

function removing(store: () => EventStore): void {
  it('takes a whole stream out of the log, and nothing else', () =>
    checks.removesAWholeStream(store()));
}

function closing(open: () => Promise<Opened>): void {
  it('finishes what is under way when it is closed, and takes nothing after', async () => {
    const { store, dispose } = await open();
    const underWay = Array.from({ length: 20 }, () =>
      store.append(checks.newStream(), 0, [sent()]),
    );
    const closed = store.close();
    await expect(store.append(checks.newStream(), 0, [sent()])).rejects.toMatchObject({
      code: 'store-unavailable',
    });
    await expect(Promise.all(underWay)).resolves.toHaveLength(20);
    await closed;
    await expect(collect(store.readAll())).rejects.toMatchObject({ code: 'store-unavailable' });
    await expect(store.head()).rejects.toMatchObject({ code: 'store-unavailable' });
    await store.close();
    await dispose();
  });
  it('keeps all when it is closed and opened again', async (context) => {
    const { store, reopen, dispose } = await open();
    try {
      if (typeof reopen === 'string') return context.skip(reopen);
      const stream = checks.newStream();
      const events = many(3);
      const start = await store.head();
      const appended = await store.append(stream, 0, events);
      const before = await checks.logOf(store, [stream], start);
      expect(before).toHaveLength(3);
      await store.close();
      const again = await reopen();
      try {
        expect(await checks.logOf(again, [stream], start)).toEqual(before);
        await checks.expectHeadAt(again, appended.position);
        expect(await again.append(stream, 0, events)).toEqual(appended);
        const next = await again.append(stream, 3, [sent()]);
        expect(next.position).toBeGreaterThan(appended.position);
      } finally {
        await again.close();
      }
    } finally {
      await store.close();
      await dispose();
    }
  });
}
