/** What a checkpoint of the directory keeps: all of it, wherever in a log it was made. */
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { directoryProjection } from '../../engine/directory-projection.ts';
import type { RecordedEvent } from '../../machines/events.ts';
import {
  applyToDirectory,
  directoryFromJson,
  directoryToJson,
  emptyDirectory,
} from '../../projections/directory.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { importEvents } from '../../store/transfer.ts';
import { collect } from '../store/events.ts';

const HISTORIES = new URL('../histories/', import.meta.url).pathname;
const EVERY_EVENTS = 25;

const files = readdirSync(HISTORIES).filter((name) => name.endsWith('.jsonl'));

async function eventsOf(file: string): Promise<RecordedEvent[]> {
  const store = openMemoryStore();
  await importEvents(store, `${HISTORIES}${file}`, 1, () => {});
  return collect(store.readAll());
}

/** At every so many events of a log. */
function expectKept(events: readonly RecordedEvent[]): void {
  const directory = emptyDirectory();
  for (const [at, event] of events.entries()) {
    applyToDirectory(directory, event);
    if (at % EVERY_EVENTS > 0) continue;
    const saved: unknown = JSON.parse(JSON.stringify(directoryToJson(directory)));
    expect(directoryFromJson(saved)).toEqual(directory);
  }
}

it.each(files)('is all of it: %s', async (file) => {
  expectKept(await eventsOf(file));
});

it.each(files)('is the same without what it has no need of: %s', async (file) => {
  const whole = emptyDirectory();
  const short = emptyDirectory();
  for (const event of await eventsOf(file)) {
    applyToDirectory(whole, event);
    if (!directoryProjection.needless.has(event.type)) applyToDirectory(short, event);
    expect(short).toEqual(whole);
  }
});

it.each(files)('is all of it, with jobs that were imported alone: %s', async (file) => {
  const events = await eventsOf(file);
  expectKept(events.filter(({ stream }) => stream.startsWith('job-')));
});
