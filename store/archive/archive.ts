/**
 * Retention: the streams of jobs that ended long ago go into files beside the log, and only then out of the log.
 *
 * `archive/jobs-YYYY-MM.jsonl`, by the month in which a job ended, is what `muster import` reads (transfer.ts).
 * `archive/index` says where each job is (archive-index.ts).
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { evolveJob, initialJob, isOver, type JobState } from '../../machines/job/job.ts';
import { jobStream } from '../../machines/names.ts';
import { appendDurably, makeFolder } from '../durable-file.ts';
import type { EventStore } from '../port.ts';
import { endLine, eventLine } from '../transfer.ts';
import { ALL_ARE_OUT, type ArchiveIndex, archiveOf, indexOf, readIndex } from './archive-index.ts';

/** Jobs that share the syncs of their files. */
const BATCH_JOBS_MAX = 100;
const BATCH_BYTES_MAX = 16 * 1024 * 1024;
/** How much is read at a time to find where a file's last whole line or section ends. */
const TAIL_BYTES = 1024 * 1024;
/** How the last line of a whole part begins, in the archive and in the index. */
const END_LINE_BEGINS = '{"end":';
const ANY_LINE = '';

export interface ArchiveOptions {
  dataDir: string;
  /** Jobs that ended before this go; milliseconds since the epoch. */
  endedBefore: number;
  /** The highest number ever given. */
  jobCount: number;
  /** Whether the engine still speaks of a job, for it is not over or its boards are not back. */
  isInUse(job: number): boolean;
  signal?: AbortSignal;
}

export interface Archived {
  jobs: number;
  events: number;
}

/**
 * Archives the jobs that ended before a time, oldest first, and removes their streams. A job is out of the log only
 * after its events are durable in the archive; after a crash at any moment, run it again.
 *
 * @throws StoreUnavailable when the archive or the log cannot be written; what was not archived is still in the log
 */
export async function archiveJobs(store: EventStore, options: ArchiveOptions): Promise<Archived> {
  const dir = archiveOf(options.dataDir);
  const index = await readIndex(dir);
  for (const job of index.perhapsInLog) await store.remove(jobStream(job));
  const done: Archived = { jobs: 0, events: 0 };
  const batch: OldJob[] = [];
  for await (const job of oldJobs(store, options, index)) {
    batch.push(job);
    if (isFull(batch)) await archive(store, dir, batch.splice(0), done);
    if (options.signal?.aborted) break;
  }
  await archive(store, dir, batch, done);
  return done;
}

interface OldJob {
  id: number;
  file: string;
  events: number;
  lines: string;
}

const isFull = (batch: readonly OldJob[]): boolean =>
  batch.length >= BATCH_JOBS_MAX ||
  batch.reduce((sum, { lines }) => sum + lines.length, 0) >= BATCH_BYTES_MAX;

/** Numbers are given in order of time: the first job that was submitted too late is the end of the search. */
async function* oldJobs(
  store: EventStore,
  { endedBefore, jobCount, isInUse }: ArchiveOptions,
  archived: ArchiveIndex,
): AsyncIterable<OldJob> {
  for (let id = 1; id <= jobCount; id += 1) {
    const last = archived.lastFrom(id);
    if (last !== undefined) id = last;
    if (last !== undefined || isInUse(id)) continue;
    let state: JobState = initialJob;
    const events: RecordedEvent[] = [];
    for await (const event of store.read(jobStream(id))) {
      if (event.version === 1 && event.meta.at >= endedBefore) return;
      state = evolveJob(state, event as RecordedEvent<JobEvent>);
      events.push(event);
    }
    const endedAt = events.at(-1)?.meta.at ?? 0;
    if (!isOver(state) || endedAt >= endedBefore) continue;
    const month = new Date(endedAt).toISOString().slice(0, 7);
    const lines = events.map(eventLine).join('') + endLine(events.length);
    yield { id, file: `jobs-${month}.jsonl`, events: events.length, lines };
  }
}

/** Into the files, then into the index, then out of the log; each step is durable before the next one. */
async function archive(
  store: EventStore,
  dir: string,
  batch: readonly OldJob[],
  done: Archived,
): Promise<void> {
  if (batch.length === 0) return;
  await makeFolder(dir);
  for (const file of new Set(batch.map((job) => job.file))) {
    const lines = batch.filter((job) => job.file === file).map((job) => job.lines);
    await append(join(dir, file), lines.join(''), END_LINE_BEGINS);
  }
  const index = indexOf(dir);
  await append(index, batch.map(({ id, file }) => `${id} ${file}\n`).join(''), ANY_LINE);
  for (const { id } of batch) await store.remove(jobStream(id));
  await append(index, `${ALL_ARE_OUT}\n`, ANY_LINE);
  done.jobs += batch.length;
  done.events += batch.reduce((sum, { events }) => sum + events, 0);
}

/** Appends after the last whole part of a file: what a crash left behind it was never counted on. */
async function append(file: string, text: string, lastLineBegins: string): Promise<void> {
  await cutTorn(file, lastLineBegins);
  await appendDurably(file, 'the archive', text);
}

async function cutTorn(file: string, lastLineBegins: string): Promise<void> {
  const size = await stat(file).then(
    (is) => is.size,
    () => 0,
  );
  if (size === 0) return;
  const handle = await open(file, 'r+');
  try {
    const end = await endOfWhole(handle, size, lastLineBegins);
    if (end < size) await handle.truncate(end);
  } finally {
    await handle.close();
  }
}

/** Where the last line ends that is whole and begins like this. */
async function endOfWhole(handle: FileHandle, size: number, begins: string): Promise<number> {
  for (let window = TAIL_BYTES; ; window *= 4) {
    const from = Math.max(0, size - window);
    const bytes = Buffer.alloc(size - from);
    await handle.read(bytes, 0, bytes.length, from);
    const text = `\n${bytes.toString('latin1')}`;
    for (let at = text.length; at > 0; ) {
      at = text.lastIndexOf(`\n${begins}`, at - 1);
      const end = at === -1 ? -1 : text.indexOf('\n', at + 1);
      // The line feed before the text stands for a line's beginning only where the file begins.
      if (end !== -1 && (at > 0 || from === 0)) return from + end;
    }
    if (from === 0) return 0;
  }
}
