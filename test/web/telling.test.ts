/** The page tells every event in the words of the command line. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { RecordedEvent, WaitVerb } from '../../machines/events.ts';
import { newMemory, tell, sentence as told } from '../../projections/telling.ts';
import { sentence } from '../../web/job/telling.ts';
import { samples } from '../projections/samples.ts';

const folder = new URL('../histories/', import.meta.url);
const histories = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));

const eventsOf = (name: string): RecordedEvent[] =>
  readFileSync(new URL(name, folder), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RecordedEvent)
    // The first line says what the file is.
    .filter((event) => event.type !== undefined);

describe('the words of the page', () => {
  it.each(histories)('are those of the command line for every event of %s', (name) => {
    const memory = newMemory();
    const waits = new Map<string, { verb: WaitVerb; message: string }>();
    for (const event of eventsOf(name)) {
      if (event.type === 'WaitStarted') waits.set(`${event.stream} ${event.data.wait}`, event.data);
      const here = sentence(event, (wait) => waits.get(`${event.stream} ${wait}`));
      expect(here).toBe(told(tell(event, memory)));
    }
  });

  it.each(Object.entries(samples))('are those of the command line for %s', (type, data) => {
    const stream = type.startsWith('Worker')
      ? 'worker-a'
      : type.startsWith('Device')
        ? 'device-a'
        : 'job-1';
    const event = { type, data, stream } as RecordedEvent;
    expect(sentence(event, () => undefined)).toBe(told(tell(event, newMemory())));
  });
});
