/**
 * Logs that earlier versions wrote, for ever: today's code reads every event of them, and folds each without a
 * complaint. Named with the version that wrote them; written by `muster export --all`. None is ever edited.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { schemas } from '../../machines/events.ts';
import { isOver } from '../../machines/job/job.ts';
import { narrator } from '../../projections/timeline.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { importEvents } from '../../store/transfer.ts';
import { LogChecker } from '../lab/invariants.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
const seen = new Set<string>();

describe('a log of the past', () => {
  it.each(files)('%s is read and folded by today’s code', async (file) => {
    const store = openMemoryStore();
    await importEvents(store, `${folder}${file}`, 1, () => {});
    const checker = new LogChecker();
    const tell = narrator();
    for await (const event of store.readAll()) {
      checker.take(event);
      expect(tell(event).lines.join('\n')).not.toMatch(/undefined/);
      seen.add(event.type);
    }
    checker.assertFinished();
    expect([...checker.jobs.values()].filter(isOver).length).toBeGreaterThan(3);
  });

  it('is there of everything that was ever written', () => {
    expect(Object.keys(schemas).filter((type) => !seen.has(type))).toEqual([]);
  });
});
