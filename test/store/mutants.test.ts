/** Stores that break one rule each: the contract's check of that rule must catch it. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { NewEvent, RecordedEvent } from '../../machines/events.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { ConcurrencyConflict, type EventStore } from '../../store/port.ts';
import * as checks from './checks.ts';
import { collect } from './events.ts';

type Mutation = (inner: EventStore) => Partial<EventStore>;

/** A memory store with some of its methods replaced. */
export function mutant(mutation: Mutation): EventStore {
  const inner = openMemoryStore();
  const whole: EventStore = {
    append: (...args) => inner.append(...args),
    read: (...args) => inner.read(...args),
    readAll: (...args) => inner.readAll(...args),
    subscribeAll: (...args) => inner.subscribeAll(...args),
    head: () => inner.head(),
    close: () => inner.close(),
  };
  return { ...whole, ...mutation(inner) };
}

const versionOf = async (store: EventStore, stream: string): Promise<number> =>
  (await collect(store.read(stream))).length;
const reId = (event: NewEvent): NewEvent => ({ ...event, id: randomUUID() });

/** Every append is new to it: a retry at an old version is a conflict. */
export const forgetsIdempotency: Mutation = (inner) => ({
  append: async (stream, expected, events) => {
    const actual = await versionOf(inner, stream);
    if (actual !== expected) throw new ConcurrencyConflict({ stream, expected, actual });
    return inner.append(stream, expected, events.map(reId));
  },
});

const storesARetryTwice: Mutation = (inner) => ({
  append: async (stream, expected, events) => {
    const known = new Set((await collect(inner.readAll())).map(({ id }) => id));
    if (!events.every(({ id }) => known.has(id))) return inner.append(stream, expected, events);
    return inner.append(stream, await versionOf(inner, stream), events.map(reId));
  },
});

const ignoresTheVersion: Mutation = (inner) => ({
  append: async (stream, _expected, events) =>
    inner.append(stream, await versionOf(inner, stream), events),
});

const appendsOneByOne: Mutation = (inner) => ({
  append: async (stream, expected, events) => {
    let last = { version: expected, position: 0 };
    for (const event of events) last = await inner.append(stream, last.version, [event]);
    return last;
  },
});

const skipsKnownIds: Mutation = (inner) => ({
  append: async (stream, expected, events) => {
    const known = new Set((await collect(inner.read(stream))).map(({ id }) => id));
    const fresh = events.filter(({ id }) => !known.has(id));
    if (fresh.length === events.length || fresh.length === 0)
      return inner.append(stream, expected, events);
    return inner.append(stream, await versionOf(inner, stream), fresh);
  },
});

const sharesItsObjects: Mutation = (inner) => {
  const handed = new Map<string, NewEvent>();
  return {
    append: async (stream, expected, events) => {
      for (const event of events) handed.set(event.id, event);
      return inner.append(stream, expected, events);
    },
    read: async function* (stream, after) {
      for await (const event of inner.read(stream, after))
        yield { ...event, ...handed.get(event.id) } as RecordedEvent;
    },
  };
};

const readsStreamByStream: Mutation = (inner) => ({
  readAll: async function* (after, limit) {
    const all = await collect(inner.readAll(after));
    yield* all.sort((a, b) => a.stream.localeCompare(b.stream)).slice(0, limit);
  },
});

/** Tells its listeners first and writes then: they hear of appends that lose. */
const publishesBeforeDurable: Mutation = (inner) => {
  const listeners: ((events: readonly RecordedEvent[]) => void)[] = [];
  return {
    append: async (stream, expected, events) => {
      const version = await versionOf(inner, stream);
      const position = await inner.head();
      const early = events.map((event, index) => ({
        ...event,
        stream,
        version: version + index + 1,
        position: position + (index + 1) * 10,
      }));
      for (const listener of listeners) listener(early);
      return inner.append(stream, expected, events);
    },
    subscribeAll: (after, onEvents) => {
      let isHistory = true;
      const history = inner.subscribeAll(after, (events) => isHistory && onEvents(events));
      const caughtUp = history.caughtUp.then(() => {
        isHistory = false;
        listeners.push(onEvents);
      });
      return { ...history, caughtUp };
    },
  };
};

/** Reads the history, then goes live from wherever the log is by then. */
const hasAHole: Mutation = (inner) => ({
  subscribeAll: (after, onEvents) => {
    let stop = async () => {};
    const join = async () => {
      const history = await collect(inner.readAll(after));
      if (history.length > 0) onEvents(history);
      await new Promise((resolve) => setImmediate(resolve));
      const live = inner.subscribeAll(await inner.head(), onEvents);
      stop = live.stop;
      await live.caughtUp;
    };
    return { caughtUp: join(), stop: () => stop() };
  },
});

/** Goes live first and then delivers the whole history, with what was heard live in it. */
const repeatsItself: Mutation = (inner) => ({
  subscribeAll: (after, onEvents) => {
    const live = inner.subscribeAll(after, onEvents);
    const again = collect(inner.readAll(after)).then((history) => {
      if (history.length > 0) onEvents(history);
    });
    return { ...live, caughtUp: live.caughtUp.then(() => again) };
  },
});

const neverStops: Mutation = (inner) => ({
  subscribeAll: (after, onEvents) => ({
    ...inner.subscribeAll(after, onEvents),
    stop: async () => {},
  }),
});

const saysItIsCaughtUpAtOnce: Mutation = (inner) => ({
  subscribeAll: (after, onEvents) => ({
    ...inner.subscribeAll(after, onEvents),
    caughtUp: Promise.resolve(),
  }),
});

const conflictsWithoutTheActualVersion: Mutation = (inner) => ({
  append: async (stream, expected, events) => {
    try {
      return await inner.append(stream, expected, events);
    } catch {
      throw new ConcurrencyConflict({ stream, expected, actual: expected });
    }
  },
});

type Check = (store: EventStore) => Promise<void>;
const joins: Check = (store) => checks.joinsHistoryAndLive(store, 5);

const caught: [string, Mutation, Check][] = [
  ['forgets idempotency', forgetsIdempotency, checks.takesARepeatedAppendAsTheSame],
  ['stores a retry twice', storesARetryTwice, checks.takesARepeatedAppendAsTheSame],
  ['ignores the expected version', ignoresTheVersion, checks.hasOneWinnerAmongRacers],
  ['appends one by one', appendsOneByOne, checks.appendsAllOrNothing],
  ['skips the known ids of a batch', skipsKnownIds, checks.refusesIdsThatAreHalfKnown],
  ['shares its objects', sharesItsObjects, checks.readsBackWhatWasAppended],
  ['reads stream by stream', readsStreamByStream, checks.readsAllInTheOrderOfAppends],
  ['publishes before it is durable', publishesBeforeDurable, joins],
  ['has a hole between history and live', hasAHole, joins],
  ['repeats itself', repeatsItself, joins],
  ['never stops', neverStops, checks.tellsWhenHistoryIsDelivered],
  [
    'says that it has caught up at once',
    saysItIsCaughtUpAtOnce,
    checks.tellsWhenHistoryIsDelivered,
  ],
  ['hides the actual version', conflictsWithoutTheActualVersion, checks.conflictsCarryBothVersions],
];

describe('the contract catches a store that', () => {
  it.each(caught)('%s', async (_name, mutation, check) => {
    await expect(check(mutant(mutation))).rejects.toThrow();
  });
});

describe('the contract passes a store that changes nothing, in', () => {
  it.each(caught.map(([name, , check]) => [name, check] as const))(
    'the check for one that %s',
    (_name, check) => check(mutant(() => ({}))),
  );
});
