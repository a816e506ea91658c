/** Pages of events, as the text that goes out. */
import type { RecordedEvent } from '../../machines/events.ts';
import type { Rows } from '../../store/port.ts';
import type { Part } from './shared.ts';

/** Pages end at multiples of it, so that streams that began at different places come to share theirs. */
export const PAGE_EVENTS_MAX = 200;
/** A page ends early when its text is longer; one event alone may be more. */
const PAGE_CHARACTERS_MAX = 256 * 1024;

interface EventText {
  /** Its version in its stream, or its position in the log. */
  place: number;
  type: string;
  json: string;
}

/** What a stream goes on by. */
export interface Piece extends Part {
  /** The last event of it; absent: it has none. */
  readonly last: Pick<EventText, 'place' | 'type'> | undefined;
  /** As Server-Sent Events. */
  readonly sse: Buffer;
}

export class Page implements Piece {
  readonly events: readonly EventText[];
  /** There was nothing after these when they were read. */
  readonly isLast: boolean;
  #sse: Buffer | undefined;
  #json: Buffer | undefined;

  constructor(events: readonly EventText[], isLast: boolean) {
    this.events = events;
    this.isLast = isLast;
  }

  get last(): EventText | undefined {
    return this.events.at(-1);
  }

  get sse(): Buffer {
    this.#sse ??= Buffer.from(
      this.events
        .map(({ place, type, json }) => `id: ${place}\nevent: ${type}\ndata: ${json}\n\n`)
        .join(''),
    );
    return this.#sse;
  }

  /** As the members of a JSON array. */
  get json(): Buffer {
    this.#json ??= jsonOf(this.events);
    return this.#json;
  }

  /** About what it takes, in all forms. */
  get bytes(): number {
    return this.events.reduce((sum, { json }) => sum + 3 * json.length + 200, 200);
  }
}

export const jsonOf = (events: readonly EventText[]): Buffer =>
  Buffer.from(events.map(({ json }) => json).join(','));

/** How many events the page after a place has at most. */
export const pageEventsAfter = (after: number): number =>
  PAGE_EVENTS_MAX - (after % PAGE_EVENTS_MAX);

/**
 * Events of a job as rows of what a page of the web shows: without ids and causes, many in one Server-Sent Event. They go
 * out as the log has them, and a long job is read in a third of the time.
 */
export class RowsPiece implements Piece {
  readonly last: Piece['last'];
  readonly isLast: boolean;
  readonly sse: Buffer;

  constructor({ last, lastType, rows, names, isLast }: Rows) {
    this.last = last === 0 ? undefined : { place: last, type: lastType };
    this.isLast = isLast;
    const data = `{"names":${names},"rows":[${rows}]}`;
    this.sse = Buffer.from(last === 0 ? '' : `id: ${last}\nevent: rows\ndata: ${data}\n\n`);
  }

  get bytes(): number {
    return this.sse.length + 200;
  }
}

/** The rows of events that had to be read one by one. */
export function rowsOf({ events, last, isLast }: Page): RowsPiece {
  const rows = events.map(({ json }) => json).join(',');
  return new RowsPiece({
    ...{ last: last?.place ?? 0, lastType: last?.type ?? '' },
    ...{ rows, names: '{}', isLast },
  });
}

export const wholeText = (event: RecordedEvent): string => JSON.stringify(event);

/** As `Rows` of the store has it. */
export function rowText({ version, type, data, position, meta }: RecordedEvent): string {
  const { at, actor, causationId: _, correlationId: __, ...rest } = meta;
  const row = [version, type, at, position, actor, data];
  return JSON.stringify(Object.keys(rest).length === 0 ? row : [...row, rest]);
}

/** Makes a page of the next of these. */
export async function pageOf(
  events: AsyncIterator<RecordedEvent>,
  eventsMax: number,
  placeOf: (event: RecordedEvent) => number,
  textOf: (event: RecordedEvent) => string,
): Promise<Page> {
  const texts: EventText[] = [];
  let characters = 0;
  for (;;) {
    const { done, value: event } = await events.next();
    if (done === true) return new Page(texts, true);
    const json = textOf(event);
    texts.push({ place: placeOf(event), type: event.type, json });
    characters += json.length;
    if (texts.length >= eventsMax || characters >= PAGE_CHARACTERS_MAX)
      return new Page(texts, false);
  }
}
