/**
 * What a log that grew for years costs: the start of an engine on it, its memory, and any finished job, against the
 * number of events. The logs are made of past jobs of 50 events each, through the store's own append.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '../engine/engine.ts';
import { applyToDirectory, emptyDirectory } from '../projections/directory.ts';
import { fileCheckpoints } from '../store/checkpoints.ts';
import type { EventStore } from '../store/port.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { median, ms, perSecond, quantile, table, times } from './figures.ts';
import { PastLab } from './past-jobs.ts';

const JOB_EVENTS = 50;
const EVENTS_DEFAULT = 1_000_000;
/** Appends that are made before they are waited for: they share their commits. */
const JOBS_AT_ONCE = 200;
const JOBS_SHOWN = 200;
const STARTED = Date.UTC(2026, 0, 1);
const SECONDS_A_JOB = 60;

/**
 * Makes a log of that many events, and one of a tenth of it, and says what each costs.
 *
 * @returns the table, in Markdown
 */
export async function growthBench(
  say: (line: string) => void,
  events = EVENTS_DEFAULT,
): Promise<string> {
  const rows: string[][] = [];
  for (const size of [events / 10, events]) {
    const folder = await mkdtemp(join(tmpdir(), 'muster-growth-'));
    try {
      say(`making a log of ${perSecond(size)} events`);
      const jobs = await makeLog(folder, Math.ceil(size / JOB_EVENTS));
      rows.push(await measured(folder, jobs));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  const text = table(
    [
      'events',
      'finished jobs',
      'start from the checkpoint, ms',
      'memory after the start, MB',
      'a finished job, median ms',
      'p99 ms',
      'bytes an event',
      'rebuilt, events/s',
      'of JSON.parse alone',
    ],
    rows,
  );
  say(text);
  return text;
}

const logIn = (folder: string): string => join(folder, 'muster.db');

async function makeLog(folder: string, jobs: number): Promise<number> {
  const store = await openSqliteStore({ file: logIn(folder) });
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
  const engine = await started(folder, store);
  await engine.stop();
  await store.close();
  return jobs;
}

async function started(folder: string, store: EventStore): Promise<Engine> {
  const engine = new Engine({ store, checkpoints: fileCheckpoints(join(folder, 'checkpoints')) });
  await engine.start();
  return engine;
}

async function measured(folder: string, jobs: number): Promise<string[]> {
  const { size } = await stat(logIn(folder));
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const from = performance.now();
  const store = await openSqliteStore({ file: logIn(folder) });
  const engine = await started(folder, store);
  const startMs = performance.now() - from;
  const memory = process.memoryUsage().rss - before;
  const shown = await showJobs(engine, jobs);
  await engine.stop();
  const { events, fold, parse } = await rebuilt(store);
  await store.close();
  return [
    perSecond(events),
    perSecond(jobs),
    ms(startMs),
    (memory / 1024 / 1024).toFixed(0),
    ms(median(shown)),
    ms(quantile(shown, 0.99)),
    (size / events).toFixed(0),
    perSecond(fold),
    times(fold / parse),
  ];
}

/** How long each of some jobs takes that are spread over the whole log, in milliseconds. */
async function showJobs(engine: Engine, jobs: number): Promise<number[]> {
  const took: number[] = [];
  for (let shown = 0; shown < JOBS_SHOWN; shown += 1) {
    const id = 1 + ((shown * 7919) % jobs);
    const from = performance.now();
    const job = await engine.job(id);
    took.push(performance.now() - from);
    if (job?.state !== 'complete') throw new Error(`job ${id} is ${job?.state}`);
  }
  return took;
}

/** Events a second: the directory folded anew from the store, and JSON.parse alone over the same events. */
async function rebuilt(
  store: EventStore,
): Promise<{ events: number; fold: number; parse: number }> {
  const directory = emptyDirectory();
  let events = 0;
  let parseMs = 0;
  const from = performance.now();
  await store.subscribeAll(0, (some) => {
    for (const event of some) applyToDirectory(directory, event);
    events += some.length;
  }).caughtUp;
  const foldMs = performance.now() - from;
  for await (const event of store.readAll()) {
    const text = JSON.stringify(event);
    const begin = performance.now();
    JSON.parse(text);
    parseMs += performance.now() - begin;
  }
  return { events, fold: (events / foldMs) * 1000, parse: (events / parseMs) * 1000 };
}
