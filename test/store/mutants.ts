/** Stores that break one rule each, to show that the checks of the contract can fail. */
import { randomUUID } from 'node:crypto';
import type { NewEvent, RecordedEvent } from '../../machines/events.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { ConcurrencyConflict, type EventStore } from '../../store/port.ts';
import { collect } from './events.ts';

export type Mutation = (inner: EventStore) => Partial<EventStore>;

/** A memory store with some of its methods replaced. */
export function mutant(mutation: Mutation): EventStore {
  const inner = openMemoryStore();
  const whole: EventStore = {
    append: (...args) => inner.append(...args),
    read: (...args) => inner.read(...args),
    readRows: (...args) => inner.readRows(...args),
    readAll: (...args) => inner.readAll(...args),
    subscribeAll: (...args) => inner.subscribeAll(...args),
    head: () => inner.head(),
    remove: (stream) => inner.remove(stream),
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

export const storesARetryTwice: Mutation = (inner) => ({
  append: async (stream, expected, events) => {
    const known = new Set((await collect(inner.readAll())).map(({ id }) => id));
    if (!events.every(({ id }) => known.has(id))) return inner.append(stream, expected, events);
    return inner.append(stream, await versionOf(inner, stream), events.map(reId));
  },
});

export const ignoresTheVersion: Mutation = (inner) => {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    append: (stream, _expected, events) => {
      const appended = turn.then(async () =>
        inner.append(stream, await versionOf(inner, stream), events),
      );
      turn = appended.catch(() => {});
      return appended;
    },
  };
};

export const appendsOneByOne: Mutation = (inner) => ({
  append: async (stream, expected, events) => {
    let last = { version: expected, position: 0 };
    for (const event of events) last = await inner.append(stream, last.version, [event]);
    return last;
  },
});

export const skipsKnownIds: Mutation = (inner) => ({
  append: async (stream, expected, events) => {
    const known = new Set((await collect(inner.read(stream))).map(({ id }) => id));
    const fresh = events.filter(({ id }) => !known.has(id));
    if (fresh.length === events.length || fresh.length === 0)
      return inner.append(stream, expected, events);
    return inner.append(stream, await versionOf(inner, stream), fresh);
  },
});

export const sharesItsObjects: Mutation = (inner) => {
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

export const readsStreamByStream: Mutation = (inner) => ({
  readAll: async function* (after, limit) {
    const all = await collect(inner.readAll(after));
    yield* all.sort((a, b) => a.stream.localeCompare(b.stream)).slice(0, limit);
  },
});

/** Tells its listeners first and writes then: they hear of appends that lose. */
export const publishesBeforeDurable: Mutation = (inner) => {
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
export const hasAHole: Mutation = (inner) => ({
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
export const repeatsItself: Mutation = (inner) => ({
  subscribeAll: (after, onEvents) => {
    const live = inner.subscribeAll(after, onEvents);
    const again = collect(inner.readAll(after)).then((history) => {
      if (history.length > 0) onEvents(history);
    });
    return { ...live, caughtUp: live.caughtUp.then(() => again) };
  },
});

export const neverStops: Mutation = (inner) => ({
  subscribeAll: (after, onEvents) => ({
    ...inner.subscribeAll(after, onEvents),
    stop: async () => {},
  }),
});

export const leavesTooMuchOut: Mutation = (inner) => ({
  subscribeAll: (after, onEvents, needless) =>
    inner.subscribeAll(after, (events) =>
      onEvents(events.filter(({ type }) => needless?.has(type) !== true)),
    ),
});

export const saysItIsCaughtUpAtOnce: Mutation = (inner) => ({
  subscribeAll: (after, onEvents) => ({
    ...inner.subscribeAll(after, onEvents),
    caughtUp: Promise.resolve(),
  }),
});

export const conflictsWithoutTheActualVersion: Mutation = (inner) => ({
  append: async (stream, expected, events) => {
    try {
      return await inner.append(stream, expected, events);
    } catch {
      throw new ConcurrencyConflict({ stream, expected, actual: expected });
    }
  },
});

export const removesNothing: Mutation = () => ({ remove: async () => {} });

/** As a server does that keeps the events of a removed stream until it tidies up. */
export const showsRemovedStreamsInTheLog: Mutation = (inner) => {
  const removed = new Set<string>();
  return {
    remove: async (stream) => {
      removed.add(stream);
    },
    read: async function* (stream, after) {
      if (!removed.has(stream)) yield* inner.read(stream, after);
    },
  };
};

/** To hide a stream from readers is not enough: it must not be appended to. */
export const takesAppendsToARemovedStream: Mutation = (inner) => {
  const removed = new Set<string>();
  return {
    remove: async (stream) => {
      removed.add(stream);
    },
    read: async function* (stream, after) {
      if (!removed.has(stream)) yield* inner.read(stream, after);
    },
    readAll: async function* (after, limit) {
      for await (const event of inner.readAll(after, limit))
        if (!removed.has(event.stream)) yield event;
    },
    subscribeAll: (after, onEvents) =>
      inner.subscribeAll(after, (events) =>
        onEvents(events.filter(({ stream }) => !removed.has(stream))),
      ),
  };
};
