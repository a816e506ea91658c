/**
 * What every adapter checks at its edge, the same in all of them: what may be appended, and that what is read
 * is what this version of Muster can read (pair assertions, STYLE.md 8).
 */
import {
  type EventType,
  type Meta,
  type NewEvent,
  type RecordedEvent,
  UnreadableEvent,
} from '../machines/events.ts';
import { parseEvent } from '../machines/versions.ts';
import { APPEND_EVENTS_MAX } from './port.ts';

export const STREAM_NAME_BYTES_MAX = 512;
/** Of the JSON text of one event's data. A whole job document fits many times. */
export const EVENT_BYTES_MAX = 16 * 1024 * 1024;

/** Lower case only, so that one id has one spelling. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The caller is wrong, not the store: trying again never helps. Nothing was appended. */
export class BadAppend extends Error {
  override readonly name = 'BadAppend';
  readonly code = 'bad-append';
}

/** A new event that was checked, in the form in which it is stored. */
export interface Checked {
  id: string;
  type: EventType;
  /** JSON text. */
  data: string;
  /** What the text says, and nothing that the caller holds. */
  parsed: unknown;
  meta: Meta;
}

/**
 * Checks one append as a whole, before anything is written.
 *
 * @throws BadAppend for a stream, version, id or size that no adapter takes
 * @throws UnreadableEvent for an event that does not fit its schema
 */
export function checkAppend(
  stream: string,
  expectedVersion: number,
  events: readonly NewEvent[],
): Checked[] {
  checkStream(stream);
  if (!Number.isSafeInteger(expectedVersion) || expectedVersion < 0)
    throw new BadAppend(`${stream}: expected version ${expectedVersion} is not a count of events`);
  if (events.length === 0 || events.length > APPEND_EVENTS_MAX)
    throw new BadAppend(
      `${stream}: ${events.length} events in one append; it takes 1 to ${APPEND_EVENTS_MAX}`,
    );
  const ids = new Set<string>();
  return events.map((event, index) => {
    if (!UUID.test(event.id))
      throw new BadAppend(`${stream}: event id '${event.id}' is not a UUID in lower case`);
    if (ids.has(event.id))
      throw new BadAppend(`${stream}: event id ${event.id} comes twice in one append`);
    ids.add(event.id);
    return checkEvent(stream, expectedVersion + 1 + index, event);
  });
}

function checkStream(stream: string): void {
  const bytes = Buffer.from(stream, 'utf8');
  if (bytes.length === 0 || bytes.length > STREAM_NAME_BYTES_MAX)
    throw new BadAppend(
      `a stream name of ${bytes.length} bytes; it takes 1 to ${STREAM_NAME_BYTES_MAX}`,
    );
  // A lone surrogate has no UTF-8: two names would become one in the file.
  if (stream.includes('\0') || bytes.toString('utf8') !== stream)
    throw new BadAppend(`stream name ${JSON.stringify(stream)} is not plain Unicode text`);
}

function checkEvent(stream: string, version: number, raw: NewEvent): Checked {
  const { type, meta: said, data: given } = raw;
  const { event, meta } = parseEvent({ type, data: given, meta: said, stream, version });
  const data = JSON.stringify(event.data);
  // A string of n characters has at most 3n bytes: most events are small and need no exact count.
  if (data.length * 3 > EVENT_BYTES_MAX && Buffer.byteLength(data) > EVENT_BYTES_MAX)
    throw new BadAppend(
      `${stream}: an event of more than ${EVENT_BYTES_MAX} bytes (${event.type})`,
    );
  return { id: raw.id, type: event.type, data, parsed: event.data, meta };
}

/** What was just stored, as a reader will read it. It was checked on its way in. */
export const recordedLive = (
  { type, parsed, id, meta }: Checked,
  at: { stream: string; version: number; position: number },
): RecordedEvent => recorded(type, parsed, id, meta, at);

/** An event that cannot be read, with its place in the log: a reader can go on after it. */
export type UnreadableRecord = UnreadableEvent & { position: number };

export const isUnreadableRecord = (fault: unknown): fault is UnreadableRecord =>
  fault instanceof UnreadableEvent && 'position' in fault;

export const unreadableRecord = (fault: UnreadableEvent, position: number): UnreadableRecord =>
  Object.assign(fault, { position });

/**
 * One event as it lies in the store, on its way out.
 *
 * @throws UnreadableRecord when a newer version wrote it, or it was damaged
 */
export function recordedFromStore(raw: {
  id: string;
  type: string;
  data: string;
  meta: unknown;
  stream: string;
  version: number;
  position: number;
}): RecordedEvent {
  const { type, meta } = raw;
  return recordedFromParsed(type, parseJson(raw.data), raw.id, meta, raw);
}

/**
 * The same, of an event whose data is parsed already.
 *
 * @throws UnreadableRecord
 */
export function recordedFromParsed(
  type: string,
  data: unknown,
  id: string,
  meta: unknown,
  at: { stream: string; version: number; position: number },
): RecordedEvent {
  try {
    const { stream, version } = at;
    const parsed = parseEvent({ type, data, meta, stream, version });
    return recorded(parsed.event.type, parsed.event.data, id, parsed.meta, at);
  } catch (fault) {
    throw fault instanceof UnreadableEvent ? unreadableRecord(fault, at.position) : fault;
  }
}

/** Key by key: to spread the event here takes ten times as long as to check it. */
const recorded = (
  type: EventType,
  data: unknown,
  id: string,
  meta: Meta,
  { stream, version, position }: { stream: string; version: number; position: number },
): RecordedEvent => ({ type, data, id, meta, stream, version, position }) as RecordedEvent;

/** Damaged text becomes `undefined`, which no schema takes: the reader gets one kind of error. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
