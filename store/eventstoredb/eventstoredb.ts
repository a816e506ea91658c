/**
 * The log in an EventStoreDB, one server or a cluster: one that several engines share, and that other applications may
 * use too.
 *
 * Streams keep their names. A version is the server's revision plus one, a position its commit position. An
 * append always names the revision that it expects, so that it can be repeated after a lost answer, also across
 * a change of leader.
 */
import { type NewEvent, type RecordedEvent, UnreadableEvent } from '../../machines/events.ts';
import { BadAppend, type Checked, checkAppend } from '../edge.ts';
import {
  type Appended,
  AppendTooLarge,
  ConcurrencyConflict,
  type EventStore,
  StoreUnavailable,
  type Subscription,
} from '../port.ts';
import { Appends, type Told } from './appends.ts';
import { Connection } from './connection.ts';
import { bytesOf, type Proposed, proposedOf, type ServerEvent } from './messages.ts';
import { OwnAppends } from './own-appends.ts';
import { checkIsOurs, isOurs, recordedOf } from './own-events.ts';
import { NoSuchPosition } from './patience.ts';
import { PAGE_EVENTS_MAX, type Page, Reads } from './reads.ts';
import { Removals } from './removals.ts';
import { Follower } from './subscription.ts';

/** Of what waits for a slow server; above it the caller is told to come again. */
const PENDING_BYTES_MAX = 64 * 1024 * 1024;
/** One event goes in one message, and the server takes messages of up to 4 MiB. */
const EVENT_WIRE_BYTES_MAX = 4 * 1024 * 1024 - 16 * 1024;
/** How many events the search for the last one of ours reads at a time. */
const HEAD_EVENTS = 16;

/**
 * Connects to the servers of `connection` (`esdb://HOST:2113?tls=false`, a cluster: `esdb://A:2113,B:2113`).
 *
 * @throws StoreRefused when the address, the certificate or the login will not do
 * @throws StoreUnavailable when no server answers within some ten seconds
 */
export async function openEventStoreDb(options: { connection: string }): Promise<EventStore> {
  const connection = new Connection(options.connection);
  const store = new EventStoreDb(connection);
  try {
    await store.head();
    connection.wasOpen = true;
    return store;
  } catch (fault) {
    await store.close();
    throw fault;
  }
}

/** How far a reader of the whole log goes, and what it leaves out. */
interface End {
  head: number;
  removed: ReadonlySet<string>;
}

class EventStoreDb implements EventStore {
  /** What a server takes by default: `--max-append-size`. */
  readonly appendBytesMax = 1024 * 1024;
  readonly #connection: Connection;
  readonly #appends: Appends;
  readonly #reads: Reads;
  readonly #own = new OwnAppends();
  readonly #removals: Removals;
  readonly #followers = new Set<Follower>();
  readonly #underWay = new Set<Promise<unknown>>();
  /** Readers of the whole log that are about to learn where it ends. */
  readonly #ends = new Set<Promise<End>>();
  #pendingBytes = 0;
  #closed: Promise<void> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#reads = new Reads(connection, () => this.#closed !== undefined);
    this.#appends = new Appends(connection, this.#reads);
    this.#removals = new Removals(connection, this.#appends, this.#reads);
  }

  async append(
    stream: string,
    expectedVersion: number,
    events: readonly NewEvent[],
  ): Promise<Appended> {
    this.#assertOpen();
    const checked = checkAppend(stream, expectedVersion, events);
    checkIsOurs(stream);
    return this.#finish(this.#append(stream, expectedVersion, checked));
  }

  async #append(
    stream: string,
    expectedVersion: number,
    checked: readonly Checked[],
  ): Promise<Appended> {
    const events = checked.map(proposedOf);
    const bytes = this.#takeIn(stream, events);
    this.#own.keep(checked);
    try {
      // An append that is called after `readAll` is not part of what that reads.
      await Promise.allSettled(this.#ends);
      const told = await this.#appends.send({ stream, expectedVersion, events });
      if (told.is === 'appended') return { version: told.version, position: told.position };
      if (told.is === 'removed')
        await this.#assertRemovedByUs(stream, expectedVersion + 1, checked[0]?.type ?? '');
      throw this.#refusal(stream, expectedVersion, bytes, told);
    } finally {
      this.#pendingBytes -= bytes;
    }
  }

  /** @throws UnreadableEvent when somebody deleted the stream by the means of the server: it can never go on */
  async #assertRemovedByUs(stream: string, version: number, type: string): Promise<void> {
    if ((await this.#removals.streams()).has(stream)) return;
    const why =
      'it cannot be written: the stream was deleted in EventStoreDB, which never takes its name again. Import a backup into an empty database';
    throw new UnreadableEvent({ stream, version, type }, why);
  }

  #takeIn(stream: string, events: readonly Proposed[]): number {
    const sizes = events.map(bytesOf);
    const largest = Math.max(...sizes);
    if (largest > EVENT_WIRE_BYTES_MAX)
      throw new AppendTooLarge(
        `${stream}: an event of ${largest} bytes; EventStoreDB takes ${EVENT_WIRE_BYTES_MAX}`,
      );
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes > PENDING_BYTES_MAX)
      throw new StoreUnavailable(
        `${this.#connection.where}: the server is too slow for what waits to be written`,
      );
    this.#pendingBytes += bytes;
    return bytes;
  }

  #refusal(
    stream: string,
    expected: number,
    bytes: number,
    told: Exclude<Told, { is: 'appended' }>,
  ): Error {
    switch (told.is) {
      case 'conflict':
        return new ConcurrencyConflict({ stream, expected, actual: told.actual });
      case 'too-large':
        return new AppendTooLarge(
          `${stream}: ${bytes} bytes in one append; EventStoreDB takes ${told.bytesMax}. Start it with a larger EVENTSTORE_MAX_APPEND_SIZE, up to 16000000`,
        );
      case 'removed':
        return expected === 0
          ? new BadAppend(`${stream} was removed from the log; its name is not used again`)
          : new ConcurrencyConflict({ stream, expected, actual: 0 });
    }
  }

  async *read(stream: string, after = 0): AsyncIterable<RecordedEvent> {
    let version = after;
    let page: Page;
    do {
      this.#assertOpen();
      page = await this.#reads.ofStream(stream, version);
      for (const event of page.events) yield recordedOf(event);
      version = page.events.at(-1)?.version ?? version;
    } while (!page.isLast);
  }

  async readRows(): Promise<undefined> {
    return undefined;
  }

  readAll(after = 0, limit = Number.POSITIVE_INFINITY): AsyncIterable<RecordedEvent> {
    const end = this.#end();
    this.#ends.add(end);
    const forget = () => this.#ends.delete(end);
    end.then(forget, forget);
    return this.#readUpTo(after, end, limit);
  }

  async *#readUpTo(after: number, end: Promise<End>, limit: number): AsyncIterable<RecordedEvent> {
    const { head, removed } = await end;
    let left = limit;
    let seen = after;
    let from = after;
    let isLast = false;
    while (left > 0 && from < head && !isLast) {
      this.#assertOpen();
      const page = await this.#pageFrom(from, from < after ? PAGE_EVENTS_MAX : left);
      for (const event of page?.events ?? []) {
        if (event.position <= seen || event.position > head || !isSeen(event, removed)) continue;
        if (left <= 0) return;
        left -= 1;
        seen = event.position;
        yield recordedOf(event);
      }
      isLast = page?.isLast ?? false;
      from = page?.events.at(-1)?.position ?? 0;
    }
  }

  /** Its first event is the one at `from` itself; undefined when no event has that position. */
  async #pageFrom(from: number, count: number): Promise<Page | undefined> {
    try {
      return await this.#reads.ofAll(from, 'forwards', Math.min(count, PAGE_EVENTS_MAX) + 1);
    } catch (fault) {
      if (fault instanceof NoSuchPosition && from > 0) return undefined;
      throw fault;
    }
  }

  subscribeAll(after: number, onEvents: (events: readonly RecordedEvent[]) => void): Subscription {
    this.#assertOpen();
    const removed = () => this.#removals.streams();
    const own = this.#own;
    const follower = new Follower({ connection: this.#connection, after, onEvents, own, removed });
    this.#followers.add(follower);
    const stop = () => {
      this.#followers.delete(follower);
      follower.stop();
    };
    return { caughtUp: follower.caughtUp, stop: async () => stop() };
  }

  async head(): Promise<number> {
    return (await this.#end()).head;
  }

  /** Of the last event that readers see; the server is asked, since others append too. */
  async #end(): Promise<End> {
    this.#assertOpen();
    const removed = await this.#removals.streams();
    let before = 0;
    let page: Page;
    do {
      page = await this.#reads.ofAll(before, 'backwards', HEAD_EVENTS);
      const seen = page.events.find((event) => isSeen(event, removed));
      if (seen !== undefined) return { head: seen.position, removed };
      before = page.events.at(-1)?.position ?? 0;
    } while (!page.isLast);
    return { head: 0, removed };
  }

  async remove(stream: string): Promise<void> {
    this.#assertOpen();
    return this.#finish(this.#removals.remove(stream));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    for (const follower of this.#followers) follower.stop();
    this.#reads.close();
    this.#appends.close();
    await this.#connection.close();
  }

  /** `close` waits for it. */
  #finish<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const forget = () => this.#underWay.delete(work);
    work.then(forget, forget);
    return work;
  }

  #assertOpen(): void {
    if (this.#closed !== undefined)
      throw new StoreUnavailable(`${this.#connection.where}: the store was closed`);
  }
}

const isSeen = (event: ServerEvent, removed: ReadonlySet<string>): boolean =>
  isOurs(event) && !removed.has(event.stream);
