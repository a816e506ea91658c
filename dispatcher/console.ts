/**
 * The console file of one member: append-only, everything its board printed and our own `muster: ...` lines.
 * It stays when the job is over; events carry offsets into it.
 */
import { createReadStream, type FSWatcher, statSync, watch } from 'node:fs';
import { appendFile, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ConsoleLine, LineCutter } from './console-lines.ts';
import { StepFailure, throwIfAborted } from './failure.ts';

const CHUNK_BYTES = 262_144;
const POLL_MS_MIN = 10;
const POLL_MS_MAX = 120;
/** What is printed in so short a time is read together. */
const TOGETHER_MS = 2;

export function consolePath(dataDir: string, job: number, device: string): string {
  return join(dataDir, 'jobs', String(job), `${device}.console`);
}

/** In bytes; 0 when there is no console yet. */
export function consoleBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Appends lines of ours, each on a line of its own even when the board stopped in the middle of one. */
export async function note(path: string, ...lines: string[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const lead = (await endsOpen(path)) ? '\n' : '';
  const text = lines.map((line) => `muster: ${line.replace(/[\r\n]+/g, ' ')}\n`).join('');
  await appendFile(path, lead + text);
}

async function endsOpen(path: string): Promise<boolean> {
  const size = consoleBytes(path);
  if (size === 0) return false;
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    return bytesRead === 1 && buffer[0] !== 10;
  } finally {
    await file.close();
  }
}

/** The end of a console, or what stands before `to`. At most `bytes` bytes, and nothing before `from`. */
export async function consoleTail(
  path: string,
  from: number,
  { bytes = 2_048, to = Number.POSITIVE_INFINITY } = {},
): Promise<string> {
  const size = Math.min(to, consoleBytes(path));
  const start = Math.max(from, size - bytes);
  if (size <= start) return '';
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(size - start),
      0,
      size - start,
      start,
    );
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await file.close();
  }
}

/** The number of the line in which a byte of a console stands, from 1. */
export async function lineAt(path: string, offset: number): Promise<number> {
  let lines = 1;
  if (offset === 0) return lines;
  for await (const chunk of createReadStream(path, { end: offset - 1 }) as AsyncIterable<Buffer>)
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
  return lines;
}

export interface FollowOptions {
  /** Of the whole console. */
  bytesMax: number;
  signal: AbortSignal;
  /** Called whenever all that is there was read; may throw to end the following. */
  onIdle(): void | Promise<void>;
  /** Whether the next line is wanted though it holds no signal. */
  wants?: () => boolean;
}

/**
 * Follows a console from an offset at which a line begins: each line that holds what looks like a signal, or is wanted
 * anyway, as it is completed.
 *
 * @throws StepAborted when `signal` fires; StepFailure `console-too-large`; what `onIdle` throws
 */
export async function* follow(
  path: string,
  from: number,
  { bytesMax, signal, onIdle, wants }: FollowOptions,
): AsyncGenerator<ConsoleLine> {
  const cutter = new LineCutter(from, wants);
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const growth = new Growth(path, signal);
  let pauseMs = POLL_MS_MIN;
  try {
    while (true) {
      throwIfAborted(signal);
      const before = cutter.position;
      if (consoleBytes(path) > before) {
        const file = await open(path, 'r');
        try {
          while (true) {
            const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, cutter.position);
            if (bytesRead === 0) break;
            yield* cutter.push(chunk.subarray(0, bytesRead));
            throwIfAborted(signal);
            // Here and not when it pauses: a board that prints without end never does.
            if (cutter.position >= bytesMax)
              throw new StepFailure(
                'console-too-large',
                `the board printed more than ${bytesMax} bytes on its console`,
              );
          }
        } finally {
          await file.close();
        }
        pauseMs = POLL_MS_MIN;
        continue;
      }
      await onIdle();
      await growth.wait(pauseMs);
      pauseMs = Math.min(pauseMs * 1.5, POLL_MS_MAX);
    }
  } finally {
    growth.close();
  }
}

/** Wakes whoever follows a file as soon as it grows, where the machine tells that. */
class Growth {
  readonly #signal: AbortSignal;
  #watcher: FSWatcher | undefined;
  #isGrown = false;
  #wake: (() => void) | undefined;

  constructor(path: string, signal: AbortSignal) {
    this.#signal = signal;
    try {
      this.#watcher = watch(path, { persistent: false }, () => {
        this.#isGrown = true;
        this.#wake?.();
      });
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // Not there yet, or too many are watched: it is looked at.
    }
  }

  /** Resolves when it has grown, after `ms` at the latest. */
  async wait(ms: number): Promise<void> {
    const late = new AbortController();
    this.#wake = () => late.abort();
    if (!this.#isGrown)
      await delay(ms, undefined, {
        signal: AbortSignal.any([this.#signal, late.signal]),
      }).catch(() => undefined);
    this.#wake = undefined;
    if (this.#isGrown) await delay(TOGETHER_MS);
    this.#isGrown = false;
  }

  close(): void {
    this.#watcher?.close();
  }
}
