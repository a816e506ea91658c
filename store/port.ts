/**
 * The log, as the engine needs it. One small interface, one contract suite (`test/store/contract.ts`), one
 * meaning in every adapter:
 *
 * - a stream's *version* is the number of its events; version 0 = no stream;
 * - a *position* orders all events of the log; it only grows and may have gaps; 0 = before the first;
 * - `append` is atomic, and durable when its promise resolves;
 * - appending the same event ids again at the same expected version succeeds, once (a lost answer).
 */
import type { EventType, NewEvent, RecordedEvent } from '../machines/events.ts';

export const APPEND_EVENTS_MAX = 20_000;

export interface Appended {
  /** Of the stream, after the append. */
  version: number;
  /** Of the last event appended. */
  position: number;
}

export interface EventStore {
  /** JSON bytes of the events of one append above which it may be refused; absent: no limit that matters. */
  readonly appendBytesMax?: number;
  /**
   * @param expectedVersion the version at which the events were decided
   * @throws ConcurrencyConflict when the stream is at another version; nothing was appended
   * @throws AppendTooLarge when the store takes no append of this size; nothing was appended
   * @throws StoreUnavailable when it cannot be made durable now (disk full, server away); nothing was appended,
   *   or it was and the answer was lost: appending the same ids again tells
   */
  append(stream: string, expectedVersion: number, events: readonly NewEvent[]): Promise<Appended>;
  /** The events of one stream with a version above `after`, in order. No stream: none. */
  read(stream: string, after?: number): AsyncIterable<RecordedEvent>;
  /**
   * The next of them as text, for whoever only hands them on: checked to be whole, of types that are known, and read as
   * they are written, but not each against its schema. `undefined`: read them as events, which also tells what is wrong;
   * for a store that has no text of its own, always.
   */
  readRows(stream: string, after: number): Promise<Rows | undefined>;
  /**
   * All events with a position above `after`, in order, up to the end of the log at the time of the call.
   * `after`: 0, or the position of an event.
   */
  readAll(after?: number, limit?: number): AsyncIterable<RecordedEvent>;
  /**
   * All events with a position above `after`, history and live joined without a hole and without a repeat.
   * `onEvents` is called with one or more events at a time, in order, never before they are durable.
   *
   * @param needless types of which history may be left out, where that spares a store work; never an event that a
   *   newer version of Muster wrote
   */
  subscribeAll(
    after: number,
    onEvents: (events: readonly RecordedEvent[]) => void,
    needless?: ReadonlySet<EventType>,
  ): Subscription;
  /** Position of the last event of the log; 0 when it is empty. */
  head(): Promise<number>;
  /**
   * Takes a whole stream out of the log, for retention: it reads as empty from then on. Its name is never used
   * again (a job's number is never given twice), positions of other events stay as they are. No stream: nothing.
   */
  remove(stream: string): Promise<void>;
  /** Lets what is under way finish, then lets go of the file or the connection. */
  close(): Promise<void>;
}

/** Some events of one stream as text. */
export interface Rows {
  /** The version and the type of the last one; 0 and empty when there are none. */
  last: number;
  lastType: string;
  /**
   * JSON arrays with commas between them, in one line: `version, type, at, position, actor, data`, and an object with the
   * rarer parts of `meta`, where there are any. Type and actor are numbers of `names`, or the names themselves.
   */
  rows: string;
  /** JSON: an object. */
  names: string;
  /** There were no more events after these. */
  isLast: boolean;
}

export interface Subscription {
  /** Resolves once all history up to the time of the call was delivered. */
  caughtUp: Promise<void>;
  stop(): Promise<void>;
}

export class ConcurrencyConflict extends Error {
  override readonly name = 'ConcurrencyConflict';
  readonly code = 'concurrency-conflict';
  readonly stream: string;
  readonly expected: number;
  readonly actual: number;
  constructor(is: { stream: string; expected: number; actual: number }) {
    super(`${is.stream} is at version ${is.actual}, not ${is.expected}`);
    this.stream = is.stream;
    this.expected = is.expected;
    this.actual = is.actual;
  }
}

/** To try again does not help, a smaller request does, or a store that is told to take more. */
export class AppendTooLarge extends Error {
  override readonly name = 'AppendTooLarge';
  readonly code = 'append-too-large';
}

export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  readonly code = 'store-unavailable';
}

/** The log cannot be opened at all: another process holds it, or a newer version wrote it. */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused';
  readonly code = 'store-refused';
}
