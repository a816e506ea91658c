/**
 * `archive/index`, which says where each archived job is: `12 jobs-2026-01.jsonl`; a line `.` says that all jobs above
 * it are out of the log, so that after a crash only the few below the last one need a second look.
 *
 * It has a line a job for as long as the lab lives: it is read block by block, and what is kept of it are runs of
 * numbers that follow one another.
 */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';

/** A line of its own. */
export const ALL_ARE_OUT = '.';
const BLOCK_BYTES = 256 * 1024;

/** Jobs from `first` to `last`, all of them in the archive. */
interface Run {
  first: number;
  last: number;
}

export class ArchiveIndex {
  readonly #runs: Run[] = [];
  /** Those that a crash may have left in the log. */
  perhapsInLog: number[] = [];

  /** The last of the archived jobs that follow this one without a gap; undefined: it is not in the archive. */
  lastFrom(job: number): number | undefined {
    return this.#runs.find(({ first, last }) => first <= job && job <= last)?.last;
  }

  add(line: string): void {
    if (line === ALL_ARE_OUT) this.perhapsInLog = [];
    const job = Number.parseInt(line, 10);
    if (Number.isNaN(job)) return;
    this.perhapsInLog.push(job);
    const run = this.#runs.at(-1);
    if (run !== undefined && job === run.last + 1) run.last = job;
    else this.#runs.push({ first: job, last: job });
  }
}

export async function readIndex(dir: string): Promise<ArchiveIndex> {
  const index = new ArchiveIndex();
  for await (const block of blocksOf(indexOf(dir)))
    for (const line of block.split('\n')) index.add(line);
  return index;
}

/** The file in which a job was archived; undefined when it was not. */
export async function archivedIn(dataDir: string, job: number): Promise<string | undefined> {
  const dir = archiveOf(dataDir);
  for await (const block of blocksOf(indexOf(dir))) {
    const text = `\n${block}`;
    const at = text.indexOf(`\n${job} `);
    if (at === -1) continue;
    const [, file = ''] = text.slice(at + 1, text.indexOf('\n', at + 1)).split(' ');
    return join(dir, file);
  }
  return undefined;
}

export const archiveOf = (dataDir: string): string => join(dataDir, 'archive');
export const indexOf = (dir: string): string => join(dir, 'index');

/** The text of a file in blocks of whole lines; what was torn off its last line is not there. No file: nothing. */
async function* blocksOf(file: string): AsyncIterable<string> {
  let rest = '';
  try {
    const options = { encoding: 'latin1', highWaterMark: BLOCK_BYTES } as const;
    for await (const chunk of createReadStream(file, options)) {
      const text: string = rest + chunk;
      const end = text.lastIndexOf('\n') + 1;
      rest = text.slice(end);
      yield text.slice(0, end);
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code));
