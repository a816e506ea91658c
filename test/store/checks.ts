/**
 * The port's rules as checkers: each takes an empty or used store of any adapter and throws when the rule does
 * not hold. The contract runs them on every adapter, and `mutants.test.ts` shows that each can fail.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { NewEvent, RecordedEvent } from '../../machines/events.ts';
import { ConcurrencyConflict, type EventStore } from '../../store/port.ts';
import { asNew, collect, idsOf, many, sent, until } from './events.ts';

export const newStream = (): string => `job-${randomUUID()}`;

export async function readsBackWhatWasAppended(store: EventStore): Promise<void> {
  const stream = newStream();
  const events = [sent('a'), sent('b', [['ip', '10.0.0.1']])];
  const copy = structuredClone(events);
  const appended = await store.append(stream, 0, events);
  // What the caller does with its own objects afterwards is its own business.
  for (const event of events) event.meta.actor = 'changed later';
  const stored = await collect(store.read(stream));
  expect(stored.map(asNew)).toEqual(copy);
  expect(stored.map(({ version }) => version)).toEqual([1, 2]);
  expect(stored.every((event) => event.stream === stream)).toBe(true);
  expect(appended).toEqual({ version: 2, position: stored[1]!.position });
}

export async function conflictsCarryBothVersions(store: EventStore): Promise<void> {
  const stream = newStream();
  await store.append(stream, 0, many(3));
  for (const expected of [0, 2, 4]) {
    const conflict = await store.append(stream, expected, [sent()]).catch((error) => error);
    expect(conflict).toBeInstanceOf(ConcurrencyConflict);
    expect(conflict).toMatchObject({ code: 'concurrency-conflict', stream, expected, actual: 3 });
  }
  expect(await collect(store.read(stream))).toHaveLength(3);
}

export async function hasOneWinnerAmongRacers(store: EventStore, racers = 16): Promise<void> {
  const stream = newStream();
  const batches = Array.from({ length: racers }, () => many(2));
  const results = await Promise.allSettled(batches.map((batch) => store.append(stream, 0, batch)));
  const winners = batches.filter((_, index) => results[index]?.status === 'fulfilled');
  expect(winners).toHaveLength(1);
  expect(idsOf(await collect(store.read(stream)))).toEqual(idsOf(winners[0]!));
}

export async function appendsAllOrNothing(store: EventStore): Promise<void> {
  const stream = newStream();
  const bad = { ...sent(), data: { member: 'not a host name!' } } as unknown as NewEvent;
  await expect(store.append(stream, 0, [sent(), sent(), bad])).rejects.toMatchObject({
    code: 'unreadable-event',
  });
  expect(await collect(store.read(stream))).toEqual([]);
  const batch = many(5);
  await store.append(stream, 0, batch);
  expect(idsOf(await collect(store.read(stream)))).toEqual(idsOf(batch));
}

export async function takesARepeatedAppendAsTheSame(store: EventStore): Promise<void> {
  const stream = newStream();
  const [first, second] = [many(2), many(3)];
  const answers = [await store.append(stream, 0, first), await store.append(stream, 2, second)];
  await store.append(stream, 5, [sent('later')]);
  const before = await collect(store.read(stream));
  expect(await store.append(stream, 0, first)).toEqual(answers[0]);
  expect(await store.append(stream, 2, second)).toEqual(answers[1]);
  const fresh = newStream();
  const both = await Promise.all([store.append(fresh, 0, first.map(reId)), sameTwice(store)]);
  expect(both[0].version).toBe(2);
  expect(await collect(store.read(stream))).toEqual(before);
}

const reId = (event: NewEvent): NewEvent => ({ ...event, id: randomUUID() });

/** The retry may come while the first is still on its way. */
async function sameTwice(store: EventStore): Promise<void> {
  const stream = newStream();
  const events = many(2);
  const [one, two] = await Promise.all([
    store.append(stream, 0, events),
    store.append(stream, 0, events),
  ]);
  expect(two).toEqual(one);
  expect(idsOf(await collect(store.read(stream)))).toEqual(idsOf(events));
}

export async function refusesIdsThatAreHalfKnown(store: EventStore): Promise<void> {
  const stream = newStream();
  const [a, b] = [sent('a'), sent('b')];
  await store.append(stream, 0, [a, b]);
  for (const mix of [
    [a, sent()],
    [sent(), b],
    [b, a],
    [a, b, sent()],
  ])
    await expect(store.append(stream, 0, mix)).rejects.toBeInstanceOf(ConcurrencyConflict);
  expect(idsOf(await collect(store.read(stream)))).toEqual([a.id, b.id]);
}

export async function readsAllInTheOrderOfAppends(store: EventStore): Promise<void> {
  const start = await store.head();
  const streams = [newStream(), newStream(), newStream()];
  const ids: string[] = [];
  for (let round = 0; round < 20; round += 1) {
    for (const stream of streams) {
      const event = sent(`${round}`);
      await store.append(stream, round, [event]);
      ids.push(event.id);
    }
  }
  const all = await collect(store.readAll(start));
  expect(idsOf(all)).toEqual(ids);
  expectGrowing(all);
  const paged: RecordedEvent[] = [];
  let page: RecordedEvent[];
  do {
    page = await collect(store.readAll(paged.at(-1)?.position ?? start, 7));
    expect(page.length).toBeLessThanOrEqual(7);
    paged.push(...page);
  } while (page.length > 0);
  expect(paged).toEqual(all);
  expect(await store.head()).toBe(all.at(-1)?.position);
}

export function expectGrowing(events: readonly RecordedEvent[]): void {
  for (const [index, event] of events.entries())
    if (index > 0) expect(event.position).toBeGreaterThan(events[index - 1]!.position);
}

/**
 * Subscribers join at random moments, from the start of the round or from its middle, while lanes append and
 * others lose their races: each hears just what the log has above its start, in order, once.
 */
export async function joinsHistoryAndLive(
  store: EventStore,
  rounds: number,
  lateMs = 20_000,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const start = await store.head();
    const heard: { after: number; events: RecordedEvent[]; subscription: Subscribed }[] = [];
    const join = (after: number) => {
      const events: RecordedEvent[] = [];
      const subscription = store.subscribeAll(after, (some) => events.push(...some));
      heard.push({ after, events, subscription });
    };
    join(start);
    await Promise.all(Array.from({ length: 4 }, (_, lane) => race(store, join, start, lane)));
    const log = await collect(store.readAll(start));
    for (const { after, events, subscription } of heard) {
      const expected = log.filter(({ position }) => position > after);
      await subscription.caughtUp;
      await until('all is heard', () => events.length >= expected.length, lateMs);
      await subscription.stop();
      expect(events).toEqual(expected);
    }
  }
}

type Subscribed = ReturnType<EventStore['subscribeAll']>;

async function race(
  store: EventStore,
  join: (after: number) => void,
  start: number,
  lane: number,
): Promise<void> {
  const stream = newStream();
  for (let version = 0; version < 12; version += 2) {
    const appends = [
      store.append(stream, version, many(2)),
      store.append(stream, version, many(2)),
    ];
    if (version === 2 * lane) join(start);
    const results = await Promise.allSettled(appends);
    const won = results.find((result) => result.status === 'fulfilled');
    if (version === 2 * lane + 2 && won !== undefined) join(won.value.position);
  }
}

export async function tellsWhenHistoryIsDelivered(store: EventStore): Promise<void> {
  const start = await store.head();
  await store.append(newStream(), 0, many(700));
  const heard: RecordedEvent[] = [];
  let isCalled = false;
  const subscription = store.subscribeAll(start, (events) => {
    isCalled = true;
    heard.push(...events);
  });
  expect(isCalled).toBe(false);
  await subscription.caughtUp;
  expect(heard).toHaveLength(700);
  await subscription.stop();
  await store.append(newStream(), 0, [sent('after the stop')]);
  expect(heard).toHaveLength(700);
}
