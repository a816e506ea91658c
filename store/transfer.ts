/**
 * The log as a file of lines, for export, import and the archive: one JSON document a line, an event each, and after
 * them a line that says how many there were, so that a file that was cut off is not taken for a whole one. A file may
 * hold several such sections one after another.
 *
 * Events keep their ids, streams and versions. Positions are each store's own: the order of the lines stands for them.
 */
import { z } from 'zod';
import {
  type NewEvent,
  type RecordedEvent,
  type StreamEvent,
  UnreadableEvent,
} from '../machines/events.ts';
import { parseEvent } from '../machines/versions.ts';
import { BadAppend } from './edge.ts';
import { linesOf } from './lines.ts';
import { AppendTooLarge, ConcurrencyConflict, type EventStore } from './port.ts';

/** Events of one stream that follow one another go into one append, up to this many. */
const APPEND_EVENTS_MAX = 1_000;

const EventLine = z.strictObject({
  stream: z.string(),
  version: z.int().positive(),
  id: z.string(),
  type: z.string(),
  data: z.unknown(),
  meta: z.unknown(),
});
const EndLine = z.strictObject({ end: z.strictObject({ events: z.int().nonnegative() }) });

/** The file, or what it would do to the log, is wrong. The message says where. */
export class TransferRefused extends Error {
  override readonly name = 'TransferRefused';
  readonly code = 'transfer-refused';
}

export function eventLine({ stream, version, id, type, data, meta }: RecordedEvent): string {
  return `${JSON.stringify({ stream, version, id, type, data, meta })}\n`;
}

/** Ends a section. */
export const endLine = (events: number): string => `${JSON.stringify({ end: { events } })}\n`;

/** Some lines at a time: a write call an event would take longer than all the rest. */
const CHUNK_CHARS = 64 * 1024;

/** The text of a section. `onProgress` is told how many events are in it by now. */
export async function* exportText(
  events: AsyncIterable<RecordedEvent>,
  onProgress: (events: number) => void,
): AsyncIterable<string> {
  let count = 0;
  let chunk = '';
  for await (const event of events) {
    chunk += eventLine(event);
    count += 1;
    if (chunk.length < CHUNK_CHARS) continue;
    yield chunk;
    chunk = '';
    onProgress(count);
  }
  yield chunk + endLine(count);
  onProgress(count);
}

/** An event of a file, and the number of its line. */
export interface FileEvent {
  line: number;
  event: StreamEvent;
}

/**
 * The events of a file, in order.
 *
 * @throws TransferRefused for a line that is no event, and when the file was cut off
 */
export async function* readEvents(file: string): AsyncIterable<FileEvent> {
  const at = { file, line: 0, events: 0, isWhole: false };
  for await (const text of linesOf(file)) {
    at.line += 1;
    const is = readLine(text, at);
    at.isWhole = 'end' in is;
    if ('end' in is) checkEnd(is.end.events, at);
    else yield { line: at.line, event: is.event };
    at.events = 'end' in is ? 0 : at.events + 1;
  }
  if (!at.isWhole)
    throw new TransferRefused(
      `${file} ends after line ${at.line} without its last line, which counts the events: it was cut off. Export it again`,
    );
}

interface Place {
  file: string;
  line: number;
}

function readLine(text: string, at: Place): { event: StreamEvent } | { end: { events: number } } {
  const json = parseJson(text, at);
  const end = EndLine.safeParse(json);
  if (end.success) return end.data;
  const is = EventLine.safeParse(json);
  if (!is.success) throw refused(at, `no event: ${z.prettifyError(is.error)}`);
  try {
    const { event, meta } = parseEvent(is.data);
    const { id, stream, version } = is.data;
    return { event: { ...event, id, meta, stream, version } };
  } catch (error) {
    throw error instanceof UnreadableEvent ? refused(at, error.message) : error;
  }
}

function parseJson(text: string, at: Place): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refused(at, `no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function checkEnd(counted: number, at: Place & { events: number }): void {
  if (counted !== at.events)
    throw refused(
      at,
      `${counted} events were written and ${at.events} are here: lines are missing`,
    );
}

const refused = ({ file, line }: Place, why: string): TransferRefused =>
  new TransferRefused(`${file} line ${line}: ${why}`);

export interface Imported {
  events: number;
  /** Of them, those that the log had already. */
  known: number;
  streams: number;
}

/**
 * Puts the events of a file into a log, in the file's order. Again, or after a break, it adds what is missing.
 *
 * @param inFlightMax appends under way at once: above 1 only for a store that commits in the order of the calls
 * @param onProgress is told how many events are in the log by now
 * @throws TransferRefused for a wrong file, and when a stream of the log holds other events than the file
 */
export async function importEvents(
  store: EventStore,
  file: string,
  inFlightMax: number,
  onProgress: (events: number) => void,
): Promise<Imported> {
  const done: Imported = { events: 0, known: 0, streams: 0 };
  const streams = new Set<string>();
  const underWay: Promise<void>[] = [];
  const head = await store.head();
  // One by one where the log may have part of a run: the rest of it comes before all that follows.
  let inFlight = 1;
  for await (const run of runsOf(readEvents(file))) {
    const appended = appendRun(store, file, run, head).then((known) => {
      done.events += run.length;
      done.known += known;
      if (known === 0) inFlight = inFlightMax;
      onProgress(done.events);
    });
    // It is awaited in its turn.
    appended.catch(() => {});
    underWay.push(appended);
    streams.add(run[0].event.stream);
    if (underWay.length >= inFlight) await underWay.shift();
  }
  await Promise.all(underWay);
  return { ...done, streams: streams.size };
}

type Run = [FileEvent, ...FileEvent[]];

/** Events that follow one another in the file and in their stream, together. */
async function* runsOf(events: AsyncIterable<FileEvent>): AsyncIterable<Run> {
  let run: Run | undefined;
  for await (const is of events) {
    const last = run?.at(-1)?.event;
    const follows = last?.stream === is.event.stream && last.version + 1 === is.event.version;
    if (run !== undefined && follows && run.length < APPEND_EVENTS_MAX) run.push(is);
    else {
      if (run !== undefined) yield run;
      run = [is];
    }
  }
  if (run !== undefined) yield run;
}

/** Appends what the log, which ended at `head`, does not have yet; returns how many events it had. */
async function appendRun(store: EventStore, file: string, run: Run, head: number): Promise<number> {
  const [first] = run;
  const { stream, version } = first.event;
  try {
    const { position } = await store.append(stream, version - 1, run.map(newEvent));
    return position <= head ? run.length : 0;
  } catch (error) {
    if (error instanceof BadAppend || error instanceof AppendTooLarge)
      throw refused({ file, line: first.line }, error.message);
    if (!(error instanceof ConcurrencyConflict)) throw error;
    const known = await knownOf(store, file, run);
    const rest = run.slice(known);
    if (rest.length > 0) await store.append(stream, version - 1 + known, rest.map(newEvent));
    return known;
  }
}

/** How many events of the run the stream has already. @throws TransferRefused when it has others there */
async function knownOf(store: EventStore, file: string, run: Run): Promise<number> {
  const [{ line, event }] = run;
  const { stream, version } = event;
  let known = 0;
  for await (const { id } of store.read(stream, version - 1)) {
    const is = run[known];
    if (is === undefined) break;
    if (is.event.id !== id)
      throw refused(
        { file, line: is.line },
        `${stream} has another event ${is.event.version} in this log; import into an empty log`,
      );
    known += 1;
  }
  if (known === 0)
    throw refused(
      { file, line },
      `${stream} does not go on with event ${version} in this log, or has that event elsewhere; import into an empty log`,
    );
  return known;
}

const newEvent = ({ event: { id, type, data, meta } }: FileEvent): NewEvent =>
  ({ id, type, data, meta }) as NewEvent;
