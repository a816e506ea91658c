/** Logs that are wrong in one way each, put between the servers and the real one: what the simulation must catch. */
import type { NewEvent, RecordedEvent } from '../../machines/events.ts';
import { ConcurrencyConflict, type EventStore } from '../../store/port.ts';

type Around = (store: EventStore) => EventStore;

/** Events of one type are answered as written, and are not. */
const losing =
  (type: NewEvent['type']): Around =>
  (store) => ({
    ...store,
    append: async (stream, version, events) =>
      events.some((event) => event.type === type)
        ? { version: version + events.length, position: 0 }
        : store.append(stream, version, events),
  });

/** Who comes too late is told that it came first. */
const believing: Around = (store) => ({
  ...store,
  append: async (stream, version, events) => {
    try {
      return await store.append(stream, version, events);
    } catch (error) {
      if (!(error instanceof ConcurrencyConflict)) throw error;
      return { version: version + events.length, position: 0 };
    }
  },
});

/** Only the first of several events is written. */
const notAtomic: Around = (store) => ({
  ...store,
  append: (stream, version, events) => store.append(stream, version, events.slice(0, 1)),
});

/** Readers see every event as `seen` makes it. */
const misread =
  (seen: (event: RecordedEvent) => RecordedEvent): Around =>
  (store) => ({
    ...store,
    async *read(...is) {
      for await (const event of store.read(...is)) yield seen(event);
    },
    async *readAll(...is) {
      for await (const event of store.readAll(...is)) yield seen(event);
    },
    subscribeAll: (after, onEvents) =>
      store.subscribeAll(after, (events) => onEvents(events.map(seen))),
  });

/** A group is written without its last member. */
const inPieces: Around = (store) => ({
  ...store,
  append: (stream, version, events) =>
    store.append(
      stream,
      version,
      events.map((event) =>
        event.type === 'JobAllocated' && event.data.members.length > 1
          ? { ...event, data: { ...event.data, members: event.data.members.slice(1) } }
          : event,
      ),
    ),
});

/** That a reservation is for a health check is written of the first one of each board alone. */
const unsaid: Around = (store) => {
  const checked = new Set<string>();
  const written = (stream: string, event: NewEvent): NewEvent => {
    if (event.type !== 'DeviceReserved' || event.data.healthCheck === undefined) return event;
    if (!checked.has(stream)) {
      checked.add(stream);
      return event;
    }
    const { healthCheck: _, ...data } = event.data;
    return { ...event, data };
  };
  return {
    ...store,
    append: (stream, version, events) =>
      store.append(
        stream,
        version,
        events.map((event) => written(stream, event)),
      ),
  };
};

export interface Mutant {
  /** What is wrong with it. */
  is: string;
  around: Around;
  /** What catches it. */
  caught: RegExp;
}

export const MUTANTS: readonly Mutant[] = [
  {
    is: 'boards are not reserved before a job has them',
    around: losing('DeviceReserved'),
    caught: /all its boards or none/,
  },
  {
    is: 'a lost race is believed won',
    around: believing,
    caught: /is not the fold of the log/,
  },
  { is: 'half of an append is lost', around: notAtomic, caught: /is at version/ },
  { is: 'a group is allocated in pieces', around: inPieces, caught: /has \d of \d boards/ },
  {
    is: 'limits of workers are not heard of',
    around: misread((event) => {
      if (event.type !== 'WorkerConnected') return event;
      const { jobLimit: _, ...data } = event.data;
      return { ...event, data };
    }),
    caught: /are in use, 3 may be/,
  },
  {
    is: 'a later check of a board is written as any other job',
    around: unsaid,
    caught: /a check comes first/,
  },
];
