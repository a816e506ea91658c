/**
 * The embedded log: one SQLite file with group commit: all appends that are pending when the last commit ends go into
 * the next transaction, and so share its fsync.
 *
 * This thread checks events, gathers appends and keeps the subscriptions. Reads are the log's thread's, and so are
 * commits, but for those that are quicker in this one (`writers.ts`, `place.ts`).
 */
import type { EventType, NewEvent, RecordedEvent } from '../../machines/events.ts';
import { readAsWritten, VOCABULARY } from '../../machines/versions.ts';
import { type Checked, checkAppend, recordedLive } from '../edge.ts';
import { Feed } from '../feed.ts';
import {
  type Appended,
  ConcurrencyConflict,
  type EventStore,
  type Rows,
  StoreUnavailable,
} from '../port.ts';
import { groupOf } from './group.ts';
import { eventsOf } from './page.ts';
import { MeasuredPlacing, type Placing } from './place.ts';
import { SqliteThread } from './thread.ts';
import type { AppendResult, Page, Readable } from './thread-messages.ts';
import { Writers } from './writers.ts';

const GROUP_EVENTS_MAX = 20_000;
const GROUP_BYTES_MAX = 32 * 1024 * 1024;
/** Appends that wait for a slow disk; above it the caller is told to come again. */
const PENDING_BYTES_MAX = 256 * 1024 * 1024;

/** What this version reads. */
export const readable: Readable = { vocabulary: VOCABULARY, readAsWritten };
/** No limit. */
const ALL = Number.MAX_SAFE_INTEGER;

interface Pending {
  stream: string;
  expectedVersion: number;
  checked: readonly Checked[];
  bytes: number;
  resolve(appended: Appended): void;
  reject(error: Error): void;
}

interface Removal {
  stream: string;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Opens the log in `file`, or makes it; its folder must exist. Take `lockFolder` first.
 *
 * @param placing who decides in which thread a commit is made
 * @throws StoreRefused when the file cannot be used: not Muster's, from a newer version, not writable
 * @throws StoreUnavailable when the disk is full or failed
 */
export function openSqliteStore({
  file,
  placing = new MeasuredPlacing(),
}: {
  file: string;
  placing?: Placing | undefined;
}): Promise<EventStore> {
  return open(file, placing);
}

/**
 * Opens the log in `file` to be read, as it is at this moment; it needs no lock, and whoever writes to the log
 * is not disturbed. An append is refused.
 *
 * @throws StoreRefused when there is no such log, or another version wrote it
 */
export function openSqliteSnapshot({ file }: { file: string }): Promise<EventStore> {
  return open(file, undefined);
}

/** @param placing absent: to be read alone */
async function open(file: string, placing: Placing | undefined): Promise<EventStore> {
  const thread = new SqliteThread();
  try {
    const isReadOnly = placing === undefined;
    const head = await thread.ask({ do: 'open', file, isReadOnly, readable });
    const writers = isReadOnly ? undefined : new Writers(file, thread, placing, readable);
    return new SqliteStore(file, thread, writers, head);
  } catch (error) {
    await thread.end();
    throw error;
  }
}

class SqliteStore implements EventStore {
  readonly #file: string;
  readonly #thread: SqliteThread;
  /** Absent: the log is only read. */
  readonly #writers: Writers | undefined;
  readonly #feed: Feed;
  #pending: Pending[] = [];
  #pendingBytes = 0;
  readonly #removals: Removal[] = [];
  /** Runs while there is something to write; undefined when there is not. One thing is written at a time. */
  #writing: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(file: string, thread: SqliteThread, writers: Writers | undefined, head: number) {
    this.#file = file;
    this.#thread = thread;
    this.#writers = writers;
    this.#feed = new Feed(head, (after, upTo, needless) => this.#pages(after, upTo, ALL, needless));
  }

  async append(
    stream: string,
    expectedVersion: number,
    events: readonly NewEvent[],
  ): Promise<Appended> {
    this.#assertOpen();
    const checked = checkAppend(stream, expectedVersion, events);
    const bytes = checked.reduce((sum, { data }) => sum + data.length, 0);
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes > PENDING_BYTES_MAX)
      throw new StoreUnavailable(
        `${this.#file}: the disk is too slow for what waits to be written`,
      );
    return new Promise((resolve, reject) => {
      this.#pending.push({ stream, expectedVersion, checked, bytes, resolve, reject });
      this.#pendingBytes += bytes;
      this.#writing ??= this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    // What is appended in the same turn of the event loop, however late in it, goes into the same group.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    for (;;) {
      const removal = this.#removals.shift();
      if (removal !== undefined) await this.#remove(removal);
      else if (this.#pending.length > 0) await this.#commit(this.#nextGroup());
      else break;
    }
    this.#writing = undefined;
  }

  #nextGroup(): Pending[] {
    let events = 0;
    let bytes = 0;
    const end = this.#pending.findIndex((append, index) => {
      events += append.checked.length;
      bytes += append.bytes;
      return index > 0 && (events > GROUP_EVENTS_MAX || bytes > GROUP_BYTES_MAX);
    });
    return this.#pending.splice(0, end === -1 ? this.#pending.length : end);
  }

  async #commit(group: readonly Pending[]): Promise<void> {
    try {
      const results = await this.#append(group);
      this.#publish(group, results);
      group.forEach((append, index) => {
        settle(append, results[index]);
      });
    } catch (error) {
      for (const { reject } of group) reject(error as Error);
    } finally {
      for (const { bytes } of group) this.#pendingBytes -= bytes;
    }
  }

  #append(group: readonly Pending[]): AppendResult[] | Promise<AppendResult[]> {
    const weight = { events: 0, bytes: 0 };
    for (const { checked, bytes } of group) {
      weight.events += checked.length;
      weight.bytes += bytes;
    }
    return this.#writer.append(groupOf(group), weight);
  }

  get #writer(): Writers {
    if (this.#writers === undefined) throw new StoreUnavailable(`${this.#file} is only read here`);
    return this.#writers;
  }

  async #remove({ stream, resolve, reject }: Removal): Promise<void> {
    try {
      await this.#writer.remove(stream);
      resolve();
    } catch (error) {
      reject(error);
    }
  }

  /** In the order of the group, which is the order of the positions. */
  #publish(group: readonly Pending[], results: readonly AppendResult[]): void {
    const events: RecordedEvent[] = [];
    let head = this.#feed.head;
    results.forEach((result, index) => {
      const append = group[index];
      if (append === undefined || result.isConflict || !result.isNew) return;
      head = result.position;
      if (this.#feed.isHeard) events.push(...liveEvents(append, result));
    });
    if (head !== this.#feed.head) this.#feed.publish(head, events);
  }

  read(stream: string, after = 0): AsyncIterable<RecordedEvent> {
    return oneByOne(
      this.#inPages(after, (version) =>
        this.#thread.ask({ do: 'read-stream', stream, after: version }),
      ),
    );
  }

  async readRows(stream: string, after: number): Promise<Rows | undefined> {
    this.#assertOpen();
    return this.#thread.ask({ do: 'read-rows', stream, after });
  }

  readAll(after = 0, limit = ALL): AsyncIterable<RecordedEvent> {
    return oneByOne(this.#pages(after, this.#feed.head, Math.max(0, limit)));
  }

  #pages(
    after: number,
    upTo: number,
    limit: number,
    needless: ReadonlySet<EventType> = new Set(),
  ): AsyncGenerator<RecordedEvent[], void> {
    let left = limit;
    const types = [...needless];
    return this.#inPages(after, async (position) => {
      const request = {
        do: 'read-all',
        after: position,
        upTo,
        limit: left,
        needless: types,
      } as const;
      const page = await this.#thread.ask(request);
      left -= page.count;
      return page;
    });
  }

  /** While a page is taken in, the thread makes the next one. */
  async *#inPages(
    after: number,
    ask: (after: number) => Promise<Page>,
  ): AsyncGenerator<RecordedEvent[], void> {
    this.#assertOpen();
    let asked = ask(after);
    let page: Page;
    do {
      this.#assertOpen();
      page = await asked;
      if (!page.isLast) {
        asked = ask(page.last);
        // Whoever leaves in the middle does not hear how that ended.
        asked.catch(() => {});
      }
      const { events, fault } = eventsOf(page);
      if (events.length > 0) yield events;
      if (fault !== undefined) throw fault;
    } while (!page.isLast);
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
    return new Promise((resolve, reject) => {
      this.#removals.push({ stream, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#writing;
    this.#feed.close();
    this.#writers?.close();
    try {
      await this.#thread.ask({ do: 'close' });
    } finally {
      await this.#thread.end();
    }
  }

  #assertOpen(): void {
    if (this.#closed !== undefined)
      throw new StoreUnavailable(`${this.#file}: the store was closed`);
  }
}

/** By hand: to `yield*` from a generator costs more than to read and check the event. */
function oneByOne(pages: AsyncGenerator<RecordedEvent[], void>): AsyncIterable<RecordedEvent> {
  let page: Iterator<RecordedEvent> = [][Symbol.iterator]();
  const next = async (): Promise<IteratorResult<RecordedEvent>> => {
    for (;;) {
      const event = page.next();
      if (event.done !== true) return event;
      const more = await pages.next();
      if (more.done === true) return { done: true, value: undefined };
      page = more.value[Symbol.iterator]();
    }
  };
  const stop = async (): Promise<IteratorResult<RecordedEvent>> => {
    await pages.return();
    return { done: true, value: undefined };
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: stop }) };
}

function settle(append: Pending, result: AppendResult | undefined): void {
  const { stream, expectedVersion: expected } = append;
  if (result === undefined) append.reject(new StoreUnavailable('the store lost an answer'));
  else if (result.isConflict)
    append.reject(new ConcurrencyConflict({ stream, expected, actual: result.actual }));
  else append.resolve({ version: result.version, position: result.position });
}

/** The events of one append have positions one after another: one transaction wrote them in a row. */
function liveEvents(append: Pending, end: { version: number; position: number }): RecordedEvent[] {
  const { stream, checked } = append;
  return checked.map((event, index) => {
    const back = checked.length - 1 - index;
    const at = { stream, version: end.version - back, position: end.position - back };
    return recordedLive(event, at);
  });
}
