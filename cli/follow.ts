/** Events as they are read and told: pages of the past, live streams, and types that are not known here. */
import { type JobEvent, type RecordedEvent, UnreadableEvent } from '../machines/events.ts';
import { parseEvent } from '../machines/versions.ts';
import { EventPage, type Received } from './answers.ts';
import type { Client } from './client.ts';
import { CliFailure, EXIT } from './exit.ts';
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

/** All events of a job that are there now. @throws CliFailure `newer-events` */
export async function allEvents(client: Client, job: number): Promise<RecordedEvent<JobEvent>[]> {
  const events: RecordedEvent<JobEvent>[] = [];
  for await (const received of recordedEvents(client, job, 0)) events.push(knownEvent(received));
  return events;
}

/** An event of a job. @throws CliFailure `newer-events`: nothing after one that is not understood can be told */
export function knownEvent(received: Received): RecordedEvent<JobEvent> {
  const event = readEvent(received);
  if (event !== undefined) return event as RecordedEvent<JobEvent>;
  const message = `event ${received.version} (${received.type}) is not one that this version of muster knows: use a newer one`;
  throw new CliFailure({ code: 'newer-events', exit: EXIT.failed, message });
}
