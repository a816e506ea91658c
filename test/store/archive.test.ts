/** Retention: jobs go into the archive before they leave the log, whatever happens in between. */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { archiveJobs } from '../../store/archive/archive.ts';
import { archivedIn, readIndex } from '../../store/archive/archive-index.ts';
import type { EventStore } from '../../store/port.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite.ts';
import { importEvents, readEvents } from '../../store/transfer.ts';
import { collect, idsOf, type Undo, undoAll } from './events.ts';
import { finishedJob, runningJob } from './jobs.ts';

const undo: Undo = [];
afterEach(() => undoAll(undo));

const JANUARY = Date.UTC(2026, 0, 15);
const MARCH = Date.UTC(2026, 2, 15);

async function lab(): Promise<{ dataDir: string; store: EventStore }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'muster-archive-'));
  undo.push(() => rmSync(dataDir, { recursive: true, force: true }));
  const store = await openSqliteStore({ file: join(dataDir, 'muster.db') });
  undo.push(() => store.close());
  return { dataDir, store };
}

const options = (dataDir: string, jobCount: number) => ({
  dataDir,
  jobCount,
  endedBefore: Date.UTC(2026, 1, 1),
  isInUse: () => false,
});

const jobEvents = (store: EventStore, id: number) => collect(store.read(`job-${id}`));

it('archives jobs that ended before the limit, and no other ones', async () => {
  const { dataDir, store } = await lab();
  const old = finishedJob(1, JANUARY);
  await store.append('job-1', 0, old);
  await store.append('job-2', 0, runningJob(2, JANUARY));
  await store.append('job-3', 0, finishedJob(3, JANUARY));
  await store.append('job-4', 0, finishedJob(4, MARCH));
  const isInUse = (job: number) => job === 3;
  const done = await archiveJobs(store, { ...options(dataDir, 4), isInUse });
  expect(done).toEqual({ jobs: 1, events: old.length });
  expect(await jobEvents(store, 1)).toEqual([]);
  for (const kept of [2, 3, 4]) expect(await jobEvents(store, kept)).not.toEqual([]);
  const file = join(dataDir, 'archive', 'jobs-2026-01.jsonl');
  expect(await archivedIn(dataDir, 1)).toBe(file);
  expect(await archivedIn(dataDir, 2)).toBeUndefined();
  expect(idsOf((await collect(readEvents(file))).map(({ event }) => event))).toEqual(idsOf(old));
});

it('brings an archived job back with muster import, and leaves it there the next time', async () => {
  const { dataDir, store } = await lab();
  const old = finishedJob(1, JANUARY);
  await store.append('job-1', 0, old);
  await archiveJobs(store, options(dataDir, 1));
  const file = (await archivedIn(dataDir, 1)) ?? '';
  await importEvents(store, file, 1, () => {});
  expect(idsOf(await jobEvents(store, 1))).toEqual(idsOf(old));
  expect(await archiveJobs(store, options(dataDir, 1))).toEqual({ jobs: 0, events: 0 });
  expect(await jobEvents(store, 1)).toHaveLength(old.length);
});

it('loses nothing in a crash between any two of its steps, and takes up where it was', async () => {
  const steps = ['before the archive', 'before the index', 'before the removal'];
  for (const [crash] of steps.entries()) {
    const { dataDir, store } = await lab();
    const jobs = [1, 2, 3].map((id) => finishedJob(id, JANUARY));
    for (const [at, events] of jobs.entries()) await store.append(`job-${at + 1}`, 0, events);
    const archive = join(dataDir, 'archive', 'jobs-2026-01.jsonl');
    const index = join(dataDir, 'archive', 'index');
    const failing: EventStore = Object.assign(Object.create(store), {
      append: store.append.bind(store),
      read: store.read.bind(store),
      remove: async () => {
        throw new Error('killed');
      },
    });
    await expect(archiveJobs(failing, options(dataDir, 3))).rejects.toThrow('killed');
    // What a kill may leave behind: whole files, or the torn end of what was being written.
    if (crash === 0) truncateSync(archive, readFileSync(archive).length - 7);
    if (crash <= 1) writeFileSync(index, '1');
    await archiveJobs(store, options(dataDir, 3));
    for (const [at, events] of jobs.entries()) {
      expect(await jobEvents(store, at + 1)).toEqual([]);
      expect(await archivedIn(dataDir, at + 1)).toBe(archive);
      expect(events.length).toBeGreaterThan(0);
    }
    const kept = new Set((await collect(readEvents(archive))).map(({ event }) => event.id));
    expect(jobs.flat().every(({ id }) => kept.has(id))).toBe(true);
    const { events } = await importEvents(store, archive, 1, () => {});
    expect(events).toBeGreaterThanOrEqual(jobs.flat().length);
    for (const [at, is] of jobs.entries())
      expect(idsOf(await jobEvents(store, at + 1))).toEqual(idsOf(is));
  }
});

it('never removes a job when the archive cannot be written', async () => {
  const { dataDir, store } = await lab();
  await store.append('job-1', 0, finishedJob(1, JANUARY));
  writeFileSync(join(dataDir, 'archive'), 'a file where the folder should be');
  await expect(archiveJobs(store, options(dataDir, 1))).rejects.toThrow(/archive/);
  expect(await jobEvents(store, 1)).not.toEqual([]);
});

it('finds a job in a large index, and is not fooled by a torn line', async () => {
  const { dataDir, store } = await lab();
  await store.append('job-1', 0, finishedJob(1, JANUARY));
  await archiveJobs(store, options(dataDir, 1));
  appendFileSync(join(dataDir, 'archive', 'index'), '12');
  expect(await archivedIn(dataDir, 12)).toBeUndefined();
  expect(await archivedIn(dataDir, 1)).toMatch(/jobs-2026-01/);
});

it('keeps of a long index only its runs, and finds each job of it, beyond every block', async () => {
  const { dataDir } = await lab();
  const dir = join(dataDir, 'archive');
  mkdirSync(dir);
  const jobs = Array.from({ length: 60_000 }, (_, at) => at + 1).filter((job) => job !== 30_000);
  const lines = [
    ...jobs.map((job) => `${job} jobs-2026-01.jsonl`),
    '.',
    '30000 jobs-2026-02.jsonl',
  ];
  writeFileSync(join(dir, 'index'), `${lines.join('\n')}\n600`);
  const index = await readIndex(dir);
  expect([1, 29_999, 30_000, 30_001, 60_000, 60_001].map((job) => index.lastFrom(job))).toEqual([
    29_999,
    29_999,
    30_000,
    60_000,
    60_000,
    undefined,
  ]);
  expect(index.perhapsInLog).toEqual([30_000]);
  for (const job of [1, 12_345, 29_999, 30_001, 60_000])
    expect(await archivedIn(dataDir, job)).toBe(join(dir, 'jobs-2026-01.jsonl'));
  expect(await archivedIn(dataDir, 30_000)).toBe(join(dir, 'jobs-2026-02.jsonl'));
  expect(await archivedIn(dataDir, 600_000)).toBeUndefined();
});
