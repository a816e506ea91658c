/**
 * The consoles of boards behind a worker, as they come over its line: appended to the same files, beside the same index of
 * times, that a board of this server writes. A part that comes twice is written once.
 */
import { appendFile, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ConsoleCopies } from '../api/worker-parts.ts';
import { consoleBytes, consolePath } from '../dispatcher/console.ts';
import { timesFile } from '../wire/console-index.ts';

/** Consoles that are written to at once; more are looked up again. */
const KNOWN_MAX = 10_000;

/** One console: what is written of it goes one after another. */
interface Copy {
  writing: Promise<unknown>;
  /** The last line of its index. */
  offset: number;
  ms: number;
}

export function consoleCopies(dataDir: string): ConsoleCopies {
  const copies = new Map<string, Copy>();
  const inTurn = <T>(path: string, act: (copy: Copy) => Promise<T>): Promise<T> => {
    const copy = copies.get(path) ?? { writing: Promise.resolve(), offset: 0, ms: 0 };
    copies.delete(path);
    copies.set(path, copy);
    const [oldest] = copies.keys();
    if (copies.size > KNOWN_MAX && oldest !== undefined) copies.delete(oldest);
    const done = copy.writing.then(() => act(copy));
    copy.writing = done.catch(() => undefined);
    return done;
  };
  return {
    append({ job, device }, at, part, came) {
      const path = consolePath(dataDir, job, device);
      return inTurn(path, async (copy) => {
        const size = consoleBytes(path);
        const fresh = at > size ? new Uint8Array() : part.subarray(size - at);
        if (fresh.length === 0) return size;
        if (size === 0) await mkdir(dirname(path), { recursive: true, mode: 0o755 });
        await appendFile(path, fresh);
        await appendTimes(path, copy, came);
        return size + fresh.length;
      });
    },
    end(job, device) {
      const path = consolePath(dataDir, job, device);
      return inTurn(path, async () => {
        const size = consoleBytes(path);
        if (size > 0) await synced(path);
        return size;
      });
    },
  };
}

/** It is for people who ask later: what keeps it from being written is no fault of the console. */
async function appendTimes(
  path: string,
  copy: Copy,
  came: readonly (readonly [number, number])[],
): Promise<void> {
  let lines = '';
  for (const [offset, ms] of came) {
    if (offset <= copy.offset) continue;
    // Clocks are compared anew with each part: none goes back.
    copy.ms = Math.max(copy.ms, Math.round(ms));
    copy.offset = offset;
    lines += `${copy.offset} ${copy.ms}\n`;
  }
  if (lines !== '') await appendFile(timesFile(path), lines).catch(() => undefined);
}

async function synced(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
