/** Pages of events, as the text that goes out. */
import type { RecordedEvent } from '../../machines/events.ts';
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

export class Page implements Part {
  readonly events: readonly EventText[];
  /** There was nothing after these when they were read. */
  readonly isLast: boolean;
  #sse: Buffer | undefined;
  #json: Buffer | undefined;

  constructor(events: readonly EventText[], isLast: boolean) {
    this.events = events;
    this.isLast = isLast;
  }

  /** As Server-Sent Events. */
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

/** `brief`: without ids, causes and its stream, which whoever asks for one stream knows. It is half as long. */
export type Form = 'whole' | 'brief';

function textOf(event: RecordedEvent, form: Form): string {
  if (form === 'whole') return JSON.stringify(event);
  const { type, data, version, position } = event;
  const { causationId: _, correlationId: __, ...meta } = event.meta;
  return JSON.stringify({ type, data, meta, version, position });
}

/** Makes a page of the next of these. */
export async function pageOf(
  events: AsyncIterator<RecordedEvent>,
  eventsMax: number,
  placeOf: (event: RecordedEvent) => number,
  form: Form,
): Promise<Page> {
  const texts: EventText[] = [];
  let characters = 0;
  for (;;) {
    const { done, value: event } = await events.next();
    if (done === true) return new Page(texts, true);
    const json = textOf(event, form);
    texts.push({ place: placeOf(event), type: event.type, json });
    characters += json.length;
    if (texts.length >= eventsMax || characters >= PAGE_CHARACTERS_MAX)
      return new Page(texts, false);
  }
}
