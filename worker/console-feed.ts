/**
 * The consoles of this worker's boards on their way to the server, as they grow, each with when its bytes came. What lies
 * here is what a server may still lack: a console that it has whole, of a member that is over, is removed.
 */
import { open, readdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { consoleBytes, consolePath } from '../dispatcher/console.ts';
import type { Log } from '../dispatcher/drivers/driver.ts';
import { timesFile } from '../wire/console-index.ts';
import { bodyOf } from '../wire/worker-frames.ts';
import { type Line, Refusal } from './line.ts';

const LOOK_EVERY_MS = 100;
const PART_BYTES = 64 * 1024;
/** A part with all its times fits into a frame. */
const TIMES_MAX = 10_000;

interface Console {
  job: number;
  device: string;
  path: string;
  /** So many bytes of it are at the server; `undefined`: it was not asked yet. */
  at: number | undefined;
  /** So many bytes of its index of times are. */
  timesAt: number;
  /** Behind them is a line that was begun: whoever wrote it may have been killed, and never end it. */
  timesBegun: number;
  feeding: Promise<void> | undefined;
  /** The server does not take it. */
  isRefused: boolean;
}

export interface ConsoleFeedOptions {
  dataDir: string;
  line: Pick<Line, 'ask' | 'isUp'>;
  /** Whether something may still be written to it. */
  isLive(job: number, device: string): boolean;
  log: Log;
}

export class ConsoleFeed {
  readonly #is: ConsoleFeedOptions;
  readonly #consoles = new Map<string, Console>();
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(is: ConsoleFeedOptions) {
    this.#is = is;
  }

  /** Takes up what an earlier life left, and feeds from then on. */
  async start(): Promise<void> {
    for (const { job, device } of await consolesLeft(this.#is.dataDir)) this.#of(job, device);
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Asks again how far the server is: it may be another one. */
  lineIsNew(): void {
    for (const console of this.#consoles.values()) console.at = undefined;
  }

  /**
   * Makes ready to write to a console: where the server has more of it than this worker, as after its disk was lost, it
   * goes on from there, so that no offset means two places.
   */
  async begin(job: number, device: string): Promise<void> {
    const console = this.#of(job, device);
    if (console.at !== undefined) return;
    const { size } = await this.#is.line.ask('console', this.#part(console, Buffer.alloc(0), []));
    if (consoleBytes(console.path) < size) {
      await (await open(console.path, 'a')).close();
      await truncate(console.path, size);
    }
  }

  #of(job: number, device: string): Console {
    const name = `${job} ${device}`;
    const known = this.#consoles.get(name);
    if (known !== undefined) return known;
    const path = consolePath(this.#is.dataDir, job, device);
    const fresh = {
      job,
      device,
      path,
      at: undefined,
      timesAt: 0,
      timesBegun: 0,
      feeding: undefined,
      isRefused: false,
    };
    this.#consoles.set(name, fresh);
    return fresh;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      if (this.#is.line.isUp) for (const console of this.#consoles.values()) this.#look(console);
      await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  #look(console: Console): void {
    if (console.feeding !== undefined || console.isRefused) return;
    const hasMore =
      console.at === undefined ||
      consoleBytes(console.path) > console.at ||
      consoleBytes(timesFile(console.path)) > console.timesAt + console.timesBegun;
    if (!hasMore && this.#is.isLive(console.job, console.device)) return;
    console.feeding = (hasMore ? this.#feed(console) : this.#end(console))
      .catch((error: unknown) => this.#failed(console, error))
      .finally(() => {
        console.feeding = undefined;
      });
  }

  #failed(console: Console, error: unknown): void {
    const { job, device } = console;
    if (error instanceof Refusal && error.code === 'no-such-member') {
      console.isRefused = true;
      this.#is.log.warn(
        { job, device },
        `the server does not take the console of ${device} in job ${job}: it stays in ${console.path} (${error.message})`,
      );
    } else
      this.#is.log.error(
        { job, device, err: error },
        'a console could not be sent; it is tried again',
      );
  }

  async #feed(console: Console): Promise<void> {
    const part = await readPart(console.path, console.at ?? 0);
    const { times, timesAt, begun } = await readTimes(timesFile(console.path), console.timesAt);
    const asked = this.#part(console, console.at === undefined ? Buffer.alloc(0) : part, times);
    const { size } = await this.#is.line.ask('console', asked);
    if (console.at === undefined && size === 0) console.timesAt = 0;
    else {
      console.timesAt = timesAt;
      console.timesBegun = begun;
    }
    console.at = size;
  }

  #part({ job, device, at = 0 }: Console, part: Buffer, times: [number, number][]) {
    return { job, device, at, body: bodyOf(part), times, clock: Date.now() };
  }

  async #end(console: Console): Promise<void> {
    const { job, device, path } = console;
    const { size } = await this.#is.line.ask('console-end', {
      job,
      device,
      size: consoleBytes(path),
    });
    if (size < consoleBytes(path)) console.at = undefined;
    else if (!this.#is.isLive(job, device)) {
      this.#consoles.delete(`${job} ${device}`);
      for (const file of [path, timesFile(path), `${path}.plan`, `${path}.answered`])
        await rm(file, { force: true });
    }
  }
}

const CONSOLE = /^(.+)\.console$/;

async function consolesLeft(dataDir: string): Promise<{ job: number; device: string }[]> {
  const jobs = await readdir(join(dataDir, 'jobs')).catch(() => []);
  const found: { job: number; device: string }[] = [];
  for (const name of jobs)
    for (const file of await readdir(join(dataDir, 'jobs', name)).catch(() => [])) {
      const device = CONSOLE.exec(file)?.[1];
      if (device !== undefined && /^[1-9]\d*$/.test(name))
        found.push({ job: Number(name), device });
    }
  return found;
}

async function readPart(path: string, at: number): Promise<Buffer> {
  if (consoleBytes(path) <= at) return Buffer.alloc(0);
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(PART_BYTES), 0, PART_BYTES, at);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The whole lines of an index from a byte on, and where the next one begins. */
async function readTimes(
  path: string,
  from: number,
): Promise<{ times: [number, number][]; timesAt: number; begun: number }> {
  const text = (await readPart(path, from)).toString('latin1');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const times = [...whole.matchAll(/^(\d{1,15}) (\d{1,15})$/gm)].map(
    ([, offset, ms]): [number, number] => [Number(offset), Number(ms)],
  );
  const begun = text.length - whole.length;
  return { times: times.slice(0, TIMES_MAX), timesAt: from + whole.length, begun };
}
