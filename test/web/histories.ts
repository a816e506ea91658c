/** The jobs of the recorded histories, and what the page folds of them. */
import { readdirSync, readFileSync } from 'node:fs';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { JobFold } from '../../web/job/fold.ts';

const folder = new URL('../histories/', import.meta.url);
export const histories = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));

/** The jobs of a history, each with its events. */
export function jobsOf(name: string): RecordedEvent<JobEvent>[][] {
  const jobs = new Map<string, RecordedEvent<JobEvent>[]>();
  for (const line of readFileSync(new URL(name, folder), 'utf8').split('\n')) {
    const event = line === '' ? undefined : (JSON.parse(line) as RecordedEvent<JobEvent>);
    if (event?.stream?.startsWith('job-') !== true) continue;
    jobs.set(event.stream, [...(jobs.get(event.stream) ?? []), event]);
  }
  return [...jobs.values()];
}

export function foldOf(events: readonly RecordedEvent<JobEvent>[]): JobFold {
  const fold = new JobFold();
  for (const event of events) fold.take(event);
  return fold;
}
