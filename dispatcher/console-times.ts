/**
 * When the bytes of a console came: beside its file an index, `<console>.times`, of lines `OFFSET MILLISECONDS`: by that
 * time (since the epoch, of the worker's clock) so many bytes had come. Both only grow. It is for people who ask later:
 * what keeps it from being written is no fault of anybody's test.
 */
import { type FSWatcher, watch } from 'node:fs';
import { appendFile, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { timesFile } from '../wire/console-index.ts';
import { consoleBytes } from './console.ts';

/** Between two lines, at first; longer as the index grows. */
const EVERY_MS = 20;
const EVERY_GROWS_BYTES = 64 * 1024;
const LINE_BYTES_MAX = 64;

/** Keeps the index of the console that one board writes now. */
export class ConsoleTimes {
  readonly #now: () => number;
  #file: string | undefined;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #offset = 0;
  #at = 0;
  #indexBytes = 0;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** From now on it is this console. What came while nobody looked, came by now. */
  async watch(console: string): Promise<void> {
    if (this.#file === console) return;
    await this.stop();
    this.#file = console;
    try {
      await mkdir(dirname(console), { recursive: true, mode: 0o755 });
      await (await open(console, 'a')).close();
      await this.#readEnd(console);
      this.#watcher = watch(console, { persistent: false }, () => this.#changed());
      this.#watcher.on('error', () => this.#watcher?.close());
      this.#look();
    } catch {
      this.#file = undefined;
    }
  }

  /** What has come by now is in the index when this resolves. */
  async stop(): Promise<void> {
    this.#watcher?.close();
    this.#watcher = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#file !== undefined) this.#look();
    this.#file = undefined;
    await this.#writing;
  }

  async #readEnd(console: string): Promise<void> {
    const path = timesFile(console);
    this.#indexBytes = consoleBytes(path);
    this.#offset = 0;
    this.#at = 0;
    if (this.#indexBytes === 0) return;
    const from = Math.max(0, this.#indexBytes - LINE_BYTES_MAX);
    const handle = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(
        Buffer.alloc(LINE_BYTES_MAX),
        0,
        undefined,
        from,
      );
      const text = buffer.toString('latin1', 0, bytesRead);
      const [, offset = '0'] = /(?:^|\n)(\d+) \d+\n[^\n]*$/.exec(text) ?? [];
      this.#offset = Number(offset);
      // A crash may have torn its last line.
      if (!text.endsWith('\n')) await appendFile(path, '\n');
    } finally {
      await handle.close();
    }
  }

  #changed(): void {
    if (this.#timer !== undefined) return;
    const every = EVERY_MS * (1 + this.#indexBytes / EVERY_GROWS_BYTES);
    const wait = Math.max(0, this.#at + every - this.#now());
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#look();
      },
      Math.min(wait, every),
    ).unref();
  }

  #look(): void {
    const file = this.#file;
    if (file === undefined) return;
    const offset = consoleBytes(file);
    if (offset <= this.#offset) return;
    // A clock that was set back does not make the index go back.
    this.#at = Math.max(this.#at, Math.round(this.#now()));
    this.#offset = offset;
    const line = `${offset} ${this.#at}\n`;
    this.#indexBytes += line.length;
    this.#writing = this.#writing.then(() => appendFile(timesFile(file), line)).catch(() => {});
  }
}
