/**
 * The log in memory: the meaning of the port, for tests. It keeps JSON text, as a real store does, so that
 * nothing is shared with the caller, and it leaves gaps between positions, so that nobody counts on them.
 */
import type { EventType, NewEvent, RecordedEvent } from '../machines/events.ts';
import { type Checked, checkAppend, recordedFromStore, recordedLive } from './edge.ts';
import { Feed } from './feed.ts';
import { type Appended, ConcurrencyConflict, type EventStore, StoreUnavailable } from './port.ts';

const POSITION_STEP = 10;
const PAGE_EVENTS_MAX = 256;

interface Stored extends Checked {
  stream: string;
  version: number;
  position: number;
}

/** An empty log. It answers in a later microtask, never in the call itself. */
export function openMemoryStore(): EventStore {
  return new MemoryStore();
}

class MemoryStore implements EventStore {
  #log: Stored[] = [];
  readonly #streams = new Map<string, Stored[]>();
  readonly #ids = new Set<string>();
  readonly #feed = new Feed(0, (...of) => this.#pages(...of));
  #isClosed = false;

  async append(
    stream: string,
    expectedVersion: number,
    events: readonly NewEvent[],
  ): Promise<Appended> {
    this.#assertOpen();
    const checked = checkAppend(stream, expectedVersion, events);
    await Promise.resolve();
    const before = this.#streams.get(stream) ?? [];
    if (checked.some(({ id }) => this.#ids.has(id)) || before.length !== expectedVersion)
      return repeated(stream, expectedVersion, checked, before);
    return this.#store(stream, before, checked);
  }

  #store(stream: string, before: Stored[], checked: readonly Checked[]): Appended {
    const added = checked.map((event, index) => ({
      ...event,
      stream,
      version: before.length + index + 1,
      position: this.#feed.head + (index + 1) * POSITION_STEP,
    }));
    before.push(...added);
    this.#streams.set(stream, before);
    this.#log.push(...added);
    for (const { id } of added) this.#ids.add(id);
    const position = this.#feed.head + added.length * POSITION_STEP;
    this.#feed.publish(
      position,
      this.#feed.isHeard ? added.map((event) => recordedLive(event, placeOf(event))) : [],
    );
    return { version: before.length, position };
  }

  async *read(stream: string, after = 0): AsyncIterable<RecordedEvent> {
    await Promise.resolve();
    this.#assertOpen();
    for (const stored of (this.#streams.get(stream) ?? []).slice(after)) yield readBack(stored);
  }

  async readRows(): Promise<undefined> {
    return undefined;
  }

  readAll(after = 0, limit = Number.POSITIVE_INFINITY): AsyncIterable<RecordedEvent> {
    return this.#readUpTo(after, this.#feed.head, limit);
  }

  async *#readUpTo(after: number, upTo: number, limit: number): AsyncIterable<RecordedEvent> {
    await Promise.resolve();
    this.#assertOpen();
    const from = firstAbove(this.#log, after);
    const to = Math.min(firstAbove(this.#log, upTo), from + Math.max(0, limit));
    for (const stored of this.#log.slice(from, to)) yield readBack(stored);
  }

  async *#pages(
    after: number,
    upTo: number,
    needless: ReadonlySet<EventType>,
  ): AsyncIterable<RecordedEvent[]> {
    const log = this.#log
      .slice(firstAbove(this.#log, after), firstAbove(this.#log, upTo))
      .filter(({ type }) => !needless.has(type));
    for (let from = 0; from < log.length; from += PAGE_EVENTS_MAX)
      yield log.slice(from, from + PAGE_EVENTS_MAX).map(readBack);
  }

  subscribeAll(
    after: number,
    onEvents: (events: readonly RecordedEvent[]) => void,
    needless?: ReadonlySet<EventType>,
  ) {
    this.#assertOpen();
    return this.#feed.subscribe(after, onEvents, needless);
  }

  async head(): Promise<number> {
    this.#assertOpen();
    return this.#feed.head;
  }

  async remove(stream: string): Promise<void> {
    this.#assertOpen();
    await Promise.resolve();
    for (const { id } of this.#streams.get(stream) ?? []) this.#ids.delete(id);
    this.#streams.delete(stream);
    this.#log = this.#log.filter((stored) => stored.stream !== stream);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // Appends under way are one microtask ahead.
    await Promise.resolve();
    this.#feed.close();
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new StoreUnavailable('the store was closed');
  }
}

/** The same ids at the same expected version were appended before: their first answer. Else a conflict. */
function repeated(
  stream: string,
  expected: number,
  checked: readonly Checked[],
  before: readonly Stored[],
): Appended {
  const there = before.slice(expected, expected + checked.length);
  const last = there.at(-1);
  if (
    last === undefined ||
    there.length !== checked.length ||
    there.some((stored, index) => stored.id !== checked[index]?.id)
  )
    throw new ConcurrencyConflict({ stream, expected, actual: before.length });
  return { version: last.version, position: last.position };
}

/** Index of the first event with a position above `position`. */
function firstAbove(log: readonly Stored[], position: number): number {
  let low = 0;
  let high = log.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((log[middle]?.position ?? 0) > position) high = middle;
    else low = middle + 1;
  }
  return low;
}

const placeOf = ({ stream, version, position }: Stored) => ({ stream, version, position });

function readBack(stored: Stored): RecordedEvent {
  return recordedFromStore({ ...stored, meta: JSON.parse(JSON.stringify(stored.meta)) });
}
