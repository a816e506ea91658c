/** Server-Sent Events: a stream of the log to one client, from any place in it, for as long as it likes. */
import type { RecordedEvent } from '../machines/events.ts';
import { ANY_STREAM, type EventTail } from './event-tail.ts';
import type { Streaming } from './streaming.ts';

/** A silent stream says that it lives; it also looks at the log, should a wake have been missed. */
const HEARTBEAT_MS = 15_000;
/** Events that are read before they are written out. */
export const READ_EVENTS_MAX = 100;

export const EVENT_STREAM = 'text/event-stream';

/** What is streamed. Places are versions of one stream, or positions of the log. */
export interface Source {
  /** Absent: the whole log. */
  stream?: string;
  after: number;
  read(after: number): AsyncIterable<RecordedEvent>;
  placeOf(event: RecordedEvent): number;
  /** What the last words are, when nothing more can come; asked before each look at the log. */
  lastWords(): Promise<string | undefined>;
}

/** Writes a source out until it ends or the client goes. The caller ends the response. */
export async function streamEvents(
  out: Streaming,
  tail: EventTail,
  source: Source,
  heartbeatMs = HEARTBEAT_MS,
): Promise<void> {
  let { after } = source;
  let isNew = true;
  let wake = () => {};
  const stop = tail.onNew(source.stream ?? ANY_STREAM, () => {
    isNew = true;
    wake();
  });
  try {
    while (out.isOpen) {
      isNew = false;
      const lastWords = await source.lastWords();
      const events = await firstOf(source.read(after), READ_EVENTS_MAX);
      for (const event of events) {
        await out.write(eventText(source.placeOf(event), event));
        if (!out.isOpen) return;
        after = source.placeOf(event);
      }
      if (events.length === READ_EVENTS_MAX) continue;
      if (lastWords !== undefined) return await out.write(lastWords);
      // An event can be read a moment before the engine's own state has it: its end is asked for once more.
      if (isNew || events.length > 0) continue;
      await out.sleep(heartbeatMs, (up) => {
        wake = up;
      });
      if (!isNew) await out.write(': alive\n\n');
    }
  } finally {
    stop();
  }
}

const eventText = (place: number, event: RecordedEvent): string =>
  `id: ${place}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** At most so many of an iterable, which is closed then. */
async function firstOf<T>(from: AsyncIterable<T>, count: number): Promise<T[]> {
  const out: T[] = [];
  for await (const each of from) if (out.push(each) >= count) break;
  return out;
}

export const allOf = <T>(from: AsyncIterable<T>): Promise<T[]> =>
  firstOf(from, Number.POSITIVE_INFINITY);
