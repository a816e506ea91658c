/** What a log costs: folding it again, starting on it, bytes an event. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Engine } from '../engine/engine.ts';
import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import { evolveJob, initialJob, type JobState } from '../machines/job/job.ts';
import { jobOf } from '../machines/names.ts';
import { memoryCheckpoints } from '../store/checkpoints.ts';
import type { EventStore } from '../store/port.ts';
import { openSqliteStore } from '../store/sqlite/sqlite.ts';
import { median, ms, perSecond, table, times } from './figures.ts';
import { pumped } from './messages.ts';
import { startMuster } from './muster-process.ts';
import { doorsOf, groupSizes } from './peers/muster.ts';

const BOARDS = 128;
const IN_FLIGHT = 16;
/** For how many seconds messages are sent to make each log. */
const LOG_SECONDS = [1, 8];
const RUNS = 3;

/** A row a log. All of its jobs are alive: the start has to fold every one of them. */
export async function rebuildTable(newFolder: () => Promise<string>): Promise<string> {
  const rows: string[][] = [];
  for (const seconds of LOG_SECONDS) {
    const folder = await newFolder();
    await writeLog(folder, seconds);
    rows.push(await measured(join(folder, 'muster.db')));
  }
  return table(
    [
      'events in the log',
      'read and folded, events/s',
      'JSON.parse alone, events/s',
      'ratio',
      'start, ms',
      'bytes an event',
    ],
    rows,
  );
}

async function writeLog(folder: string, seconds: number): Promise<void> {
  const muster = await startMuster({ folder, sizes: groupSizes(BOARDS), workers: BOARDS });
  const undo: (() => unknown)[] = [];
  const { line } = await doorsOf(muster, BOARDS, undo);
  await pumped(line, IN_FLIGHT, seconds);
  for (const step of undo) await step();
  await muster.stop();
}

async function measured(file: string): Promise<string[]> {
  const { size } = await stat(file);
  const store = await openSqliteStore({ file });
  const texts: string[] = [];
  for await (const event of store.readAll()) texts.push(JSON.stringify(event));
  const parse = await rateOf(texts.length, async () => {
    for (const text of texts) JSON.parse(text);
  });
  const fold = await rateOf(texts.length, () => foldAll(store));
  const starts: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const engine = new Engine({ store, checkpoints: memoryCheckpoints() });
    const from = performance.now();
    await engine.start();
    starts.push(performance.now() - from);
    await engine.stop();
  }
  await store.close();
  return [
    perSecond(texts.length),
    perSecond(fold),
    perSecond(parse),
    times(fold / parse),
    ms(median(starts)),
    String(Math.round(size / texts.length)),
  ];
}

async function foldAll(store: EventStore): Promise<void> {
  const jobs = new Map<string, JobState>();
  for await (const event of store.readAll()) {
    if (jobOf(event.stream) === undefined) continue;
    const state = jobs.get(event.stream) ?? initialJob;
    jobs.set(event.stream, evolveJob(state, event as RecordedEvent<JobEvent>));
  }
}

async function rateOf(events: number, run: () => Promise<void>): Promise<number> {
  const rates: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const from = performance.now();
    await run();
    rates.push((events / (performance.now() - from)) * 1000);
  }
  return median(rates);
}
