/**
 * What a log that grew for years costs: the start of an engine on it, its memory, and any finished job, against the
 * number of events. The logs are made of past jobs of 50 events each, through the store's own append.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '../engine/engine.ts';
import { fileCheckpoints } from '../store/checkpoints.ts';
import { openSqliteStore } from '../store/sqlite/sqlite.ts';
import { median, ms, perSecond, quantile, table, times } from './figures.ts';
import type { Grown } from './growth-start.ts';
import { PastLab } from './past-jobs.ts';

const JOB_EVENTS = 50;
/** Appends that are made before they are waited for: they share their commits. */
const JOBS_AT_ONCE = 200;
const STARTED = Date.UTC(2026, 0, 1);
const SECONDS_A_JOB = 60;

/**
 * Makes a log of that many events, and one of a tenth of it, and says what each costs.
 *
 * @returns the table, in Markdown
 */
export async function growthBench(say: (line: string) => void, events: number): Promise<string> {
  const rows: string[][] = [];
  for (const size of [events / 10, events]) {
    const folder = await mkdtemp(join(tmpdir(), 'muster-growth-'));
    try {
      say(`making a log of ${perSecond(size)} events`);
      const jobs = await makeLog(folder, Math.ceil(size / JOB_EVENTS));
      say('measuring it');
      rows.push(row(jobs, await measured(folder, jobs)));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return table(
    [
      'events',
      'finished jobs',
      'start from the checkpoint, ms',
      'memory after it, MiB',
      'after some jobs were shown',
      'a finished job, median ms',
      'p99 ms',
      'bytes an event',
      'rebuilt, events/s',
      'of JSON.parse alone',
    ],
    rows,
  );
}

async function makeLog(folder: string, jobs: number): Promise<number> {
  const store = await openSqliteStore({ file: join(folder, 'muster.db') });
  const lab = new PastLab(['panda01', 'panda02']);
  for (const { stream, expectedVersion, events } of lab.register(STARTED))
    await store.append(stream, expectedVersion, events);
  for (let from = 1; from <= jobs; from += JOBS_AT_ONCE) {
    const batch = Array.from({ length: Math.min(JOBS_AT_ONCE, jobs - from + 1) }, (_, at) =>
      lab.finished(from + at, STARTED + (from + at) * SECONDS_A_JOB * 1000),
    );
    await Promise.all(
      batch
        .flat()
        .map(({ stream, expectedVersion, events }) =>
          store.append(stream, expectedVersion, events),
        ),
    );
  }
  // Once as a server would: it leaves its checkpoint.
  const engine = new Engine({ store, checkpoints: fileCheckpoints(join(folder, 'checkpoints')) });
  await engine.start();
  await engine.stop();
  await store.close();
  return jobs;
}

async function measured(folder: string, jobs: number): Promise<Grown> {
  const child = fork(new URL('./growth-start.js', import.meta.url), [folder, String(jobs)]);
  const [grown] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the process that starts on the log ended with ${code}`);
    }),
  ]);
  return grown as Grown;
}

function row(jobs: number, grown: Grown): string[] {
  return [
    perSecond(grown.events),
    perSecond(jobs),
    ms(grown.startMs),
    grown.memoryStarted.toFixed(0),
    grown.memoryShown.toFixed(0),
    ms(median(grown.shownMs)),
    ms(quantile(grown.shownMs, 0.99)),
    grown.bytesAnEvent.toFixed(0),
    perSecond(grown.fold),
    times(grown.fold / grown.parse),
  ];
}
