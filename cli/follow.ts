/** Events as they are read and told: pages of the past, live streams, and types that are not known here. */
import { type RecordedEvent, UnreadableEvent } from '../machines/events.ts';
import { parseEvent } from '../machines/versions.ts';
import { EventPage, type Received } from './answers.ts';
import type { Client } from './client.ts';
import type { Progress } from './pages/progress.ts';

const PAGE_EVENTS = 1000;

/** The path of a job's events, or of all events. */
export const eventsPath = (job: number | undefined): string =>
  job === undefined ? '/api/events' : `/api/jobs/${job}/events`;

/** The events that are there now, page by page, in order. `after`: a version, or for all events a position. */
export async function* recordedEvents(
  client: Client,
  job: number | undefined,
  after: number,
): AsyncGenerator<Received> {
  let from: number | undefined = after;
  while (from !== undefined) {
    const query = `?after=${from}&limit=${PAGE_EVENTS}`;
    const page: EventPage = await client.json(`${eventsPath(job)}${query}`, EventPage);
    yield* page.events;
    // A page that leads nowhere is the last one.
    from = page.next !== undefined && page.next > from ? page.next : undefined;
  }
}

/** The event when this version knows its type and shape; `undefined` when a newer version wrote it. */
export function readEvent(received: Received): RecordedEvent | undefined {
  try {
    const { event, meta } = parseEvent({ ...received, data: received.data });
    const { stream, version, position } = received;
    return { ...event, id: String(received.id), meta, stream, version, position };
  } catch (error) {
    if (error instanceof UnreadableEvent) return undefined;
    throw error;
  }
}

/**
 * Tells a job's progress until the job has ended.
 *
 * @param tell is handed text of whole lines
 * @param isPatient wait for the server if it is away even at the first attempt
 */
export async function followJob(
  client: Client,
  job: number,
  progress: Progress,
  tell: (text: string) => Promise<void> | void,
  isPatient = false,
): Promise<void> {
  for await (const received of client.follow(eventsPath(job), 0, isPatient)) {
    const event = readEvent(received);
    const text = event === undefined ? '' : progress(event);
    if (text !== '') await tell(text);
  }
}
