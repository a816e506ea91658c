/**
 * The port's rules as checkers: each takes an empty or used store of any adapter and throws when the rule does
 * not hold. The contract runs them on every adapter, and `mutants.test.ts` shows that each can fail.
 * They hold on a log that others write to at the same time: each looks at its own streams only.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { NewEvent, RecordedEvent } from '../../machines/events.ts';
import { ConcurrencyConflict, type EventStore } from '../../store/port.ts';
import { asNew, collect, idsOf, many, sent, until } from './events.ts';

export const newStream = (): string => `job-${randomUUID()}`;

const of = (streams: readonly string[], events: readonly RecordedEvent[]): RecordedEvent[] =>
  events.filter(({ stream }) => streams.includes(stream));

/** What the log has of these streams above a position. */
export const logOf = async (
  store: EventStore,
  streams: readonly string[],
  after: number,
): Promise<RecordedEvent[]> => of(streams, await collect(store.readAll(after)));

/** The head is at this event, or at one that somebody else appended later. */
export async function expectHeadAt(store: EventStore, position: number): Promise<void> {
  const head = await store.head();
  const later = await collect(store.readAll(position));
  expect([position, ...later.map((event) => event.position)]).toContain(head);
}

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
  expect(idsOf(of(streams, all))).toEqual(ids);
  expectGrowing(all);
  const paged: RecordedEvent[] = [];
  let page: RecordedEvent[];
  do {
    page = await collect(store.readAll(paged.at(-1)?.position ?? start, 7));
    expect(page.length).toBeLessThanOrEqual(7);
    paged.push(...page);
  } while (page.length > 0);
  expect(of(streams, paged)).toEqual(of(streams, all));
  await expectHeadAt(store, of(streams, all).at(-1)!.position);
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
    const lanes = [newStream(), newStream(), newStream(), newStream()];
    await Promise.all(lanes.map((stream, lane) => race(store, join, start, stream, lane)));
    const log = await logOf(store, lanes, start);
    for (const { after, events, subscription } of heard) {
      const expected = log.filter(({ position }) => position > after);
      await subscription.caughtUp;
      const isHeard = () => of(lanes, events).length >= expected.length;
      await until('all is heard', isHeard, lateMs);
      await subscription.stop();
      expect(of(lanes, events)).toEqual(expected);
      expectGrowing(events);
    }
  }
}

type Subscribed = ReturnType<EventStore['subscribeAll']>;

async function race(
  store: EventStore,
  join: (after: number) => void,
  start: number,
  stream: string,
  lane: number,
): Promise<void> {
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
  const streams = [newStream(), newStream()] as const;
  await store.append(streams[0], 0, many(700));
  const heard: RecordedEvent[] = [];
  let isCalled = false;
  const subscription = store.subscribeAll(start, (events) => {
    isCalled = true;
    heard.push(...events);
  });
  expect(isCalled).toBe(false);
  await subscription.caughtUp;
  expect(of(streams, heard)).toHaveLength(700);
  await subscription.stop();
  await store.append(streams[1], 0, [sent('after the stop')]);
  const last = (await collect(store.read(streams[1]))).at(-1)!;
  // Another listener has heard it by now, and so would this one.
  const other = store.subscribeAll(start, () => {});
  await other.caughtUp;
  await other.stop();
  expect(heard.filter(({ position }) => position >= last.position)).toEqual([]);
}

export async function leavesOutOnlyWhatIsNeedless(store: EventStore): Promise<void> {
  const start = await store.head();
  const stream = newStream();
  const booted = () =>
    ({ ...sent(), type: 'MemberBooted', data: { member: 'panda01' } }) as NewEvent;
  const needed = [booted(), booted(), booted()] as const;
  await store.append(stream, 0, [...many(300), needed[0], ...many(300), needed[1], ...many(3)]);
  const heard: RecordedEvent[] = [];
  const needless = new Set(['MessageSent'] as const);
  const subscription = store.subscribeAll(start, (some) => heard.push(...some), needless);
  await subscription.caughtUp;
  // What comes live comes whole.
  const live = sent('live');
  await store.append(stream, 605, [live, needed[2]]);
  const ours = () => of([stream], heard);
  await until('the last is heard', () => ours().at(-1)?.id === needed[2].id);
  await subscription.stop();
  const isNeeded = ({ type, id }: { type: string; id: string }) =>
    type !== 'MessageSent' || id === live.id;
  expect(idsOf(ours().filter(isNeeded))).toEqual(
    idsOf((await logOf(store, [stream], start)).filter(isNeeded)),
  );
}

export async function removesAWholeStream(store: EventStore): Promise<void> {
  const start = await store.head();
  const [gone, stays] = [newStream(), newStream()];
  await store.append(gone, 0, many(3));
  await store.append(stays, 0, many(2));
  await store.append(gone, 3, many(2));
  const kept = await logOf(store, [stays], start);
  await store.remove(gone);
  const isGone = async () => {
    expect(await collect(store.read(gone))).toEqual([]);
    expect(await logOf(store, [gone, stays], start)).toEqual(kept);
    const heard: RecordedEvent[] = [];
    const subscription = store.subscribeAll(start, (events) => heard.push(...events));
    await subscription.caughtUp;
    await subscription.stop();
    expect(of([gone, stays], heard)).toEqual(kept);
  };
  await isGone();
  await store.remove(gone);
  await store.remove(newStream());
  await isGone();
  // Whoever has not heard of it yet and goes on appending is told.
  await expect(store.append(gone, 5, [sent()])).rejects.toMatchObject({ expected: 5, actual: 0 });
  const next = await store.append(stays, 2, [sent()]);
  expect(next.position).toBeGreaterThan(kept.at(-1)!.position);
  await expectHeadAt(store, next.position);
}
