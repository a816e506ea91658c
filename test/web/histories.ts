/** The jobs of the recorded histories, and what the page folds of them. */
import { readdirSync, readFileSync } from 'node:fs';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { JobFold } from '../../web/job/fold.ts';

const folder = new URL('../histories/', import.meta.url);
export const histories = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));

/** The streams of a history whose names begin so, each with its events. */
export function streamsOf(name: string, prefix: string): Map<string, RecordedEvent[]> {
  const streams = new Map<string, RecordedEvent[]>();
  for (const line of readFileSync(new URL(name, folder), 'utf8').split('\n')) {
    const event = line === '' ? undefined : (JSON.parse(line) as RecordedEvent);
    if (event?.stream?.startsWith(prefix) !== true) continue;
    streams.set(event.stream, [...(streams.get(event.stream) ?? []), event]);
  }
  return streams;
}

/** The jobs of a history, each with its events. */
export const jobsOf = (name: string): RecordedEvent<JobEvent>[][] =>
  [...streamsOf(name, 'job-').values()] as RecordedEvent<JobEvent>[][];

export function foldOf(events: readonly RecordedEvent<JobEvent>[]): JobFold {
  const fold = new JobFold();
  for (const event of events) fold.take(event);
  return fold;
}
