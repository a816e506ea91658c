/** What of the server's log is Muster's, and an event of it as the port knows it. */
import { type RecordedEvent, UnreadableEvent } from '../../machines/events.ts';
import { STREAM_KINDS, SUBMISSIONS, streamOf } from '../../machines/names.ts';
import { BadAppend, recordedFromStore, unreadableRecord } from '../edge.ts';
import type { ServerEvent } from './messages.ts';

/** Streams keep their names in the server, where people look for `job-12` in its own pages. */
export const PREFIXES: readonly string[] = STREAM_KINDS.map((kind) =>
  kind === SUBMISSIONS ? kind : `${kind}-`,
);
const MINE = PREFIXES.filter((prefix) => prefix !== SUBMISSIONS);

/** The others of the cluster would be appended and never found again: `readAll` shows our kinds only. */
export function checkIsOurs(stream: string): void {
  if (streamOf(stream) === undefined)
    throw new BadAppend(
      `${stream}: a stream in EventStoreDB is '${SUBMISSIONS}' or begins with ${MINE.join(', ')}`,
    );
}

/** Not the server's own mark in a stream that was removed, nor of a stream that only begins like one of ours. */
export const isOurs = ({ stream, type }: ServerEvent): boolean =>
  streamOf(stream) !== undefined && !type.startsWith('$');

/**
 * One of our events, as the port knows it.
 *
 * @throws UnreadableRecord for an event that another application wrote into a stream of ours
 */
export function recordedOf(event: ServerEvent): RecordedEvent {
  const meta = metaOf(event.meta);
  if (meta === undefined) {
    const why = `another application wrote it. Muster needs the streams ${MINE.map((prefix) => `${prefix}*`).join(', ')} and ${SUBMISSIONS} for itself: give it a cluster of its own`;
    throw unreadableRecord(new UnreadableEvent(event, why), event.position);
  }
  return recordedFromStore({ ...event, meta });
}

/** What every event of Muster says of itself; undefined when it is nothing of the kind. */
function metaOf(text: string): object | undefined {
  try {
    const meta: unknown = JSON.parse(text);
    const isOurs = typeof meta === 'object' && meta !== null && 'actor' in meta && 'at' in meta;
    return isOurs ? meta : undefined;
  } catch {
    return undefined;
  }
}
