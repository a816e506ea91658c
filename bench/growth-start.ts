/**
 * One log of `growth.ts`, measured in a process of its own, so that the memory is that of a server that has just
 * started. `node growth-start.js FOLDER JOBS` sends its parent the figures.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Engine } from '../engine/engine.ts';
import { applyToDirectory, emptyDirectory } from '../projections/directory.ts';
import { fileCheckpoints } from '../store/checkpoints.ts';
import type { EventStore } from '../store/port.ts';
import { openSqliteStore } from '../store/sqlite/sqlite.ts';

const JOBS_SHOWN = 200;
const MIB = 1024 * 1024;

/** Times in milliseconds, rates in events a second, memory in MiB. */
export interface Grown {
  events: number;
  startMs: number;
  /** Resident, of the whole process. */
  memoryStarted: number;
  /** The same after some finished jobs were shown. */
  memoryShown: number;
  shownMs: number[];
  bytesAnEvent: number;
  fold: number;
  parse: number;
}

const memory = () => process.memoryUsage().rss / MIB;

async function measured(folder: string, jobs: number): Promise<Grown> {
  const file = join(folder, 'muster.db');
  const { size } = await stat(file);
  const from = performance.now();
  const store = await openSqliteStore({ file });
  const engine = new Engine({ store, checkpoints: fileCheckpoints(join(folder, 'checkpoints')) });
  await engine.start();
  const startMs = performance.now() - from;
  const memoryStarted = memory();
  const shownMs = await showJobs(engine, jobs);
  const memoryShown = memory();
  await engine.stop();
  const { events, fold, parse } = await rebuilt(store);
  await store.close();
  const bytesAnEvent = size / events;
  return { events, startMs, memoryStarted, memoryShown, shownMs, bytesAnEvent, fold, parse };
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

const [folder = '', jobs] = process.argv.slice(2);
process.send?.(await measured(folder, Number(jobs)));
process.disconnect();
