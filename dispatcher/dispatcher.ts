/**
 * The hands: drives the boards of one worker through what the server owes their members.
 *
 * Nothing is remembered. Whenever something may have changed, `owed()` is asked again, and each board is brought
 * to what its entry says: a step runs, or is broken off, or the board is taken down. One board, one thing at a time.
 */
import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { BoardRegistration, ServerPort } from '../wire/server-port.ts';
import { consoleBytes, consolePath } from './console.ts';
import type { Driver, DriverContext, Holding, LabBoard, Limits, Log } from './drivers/driver.ts';
import { boardsLeft } from './drivers/holdings.ts';
import { FETCH_MARK_VARIABLE, killUntilNone, markedProcesses } from './drivers/processes.ts';
import type { Registry } from './drivers/registry.ts';
import { Lane } from './lane.ts';
import type { StepContext } from './member-step.ts';

export interface DispatcherOptions {
  server: ServerPort;
  boards: readonly LabBoard[];
  /** The server's data folder; boards and consoles live in it. Made when it is not there. */
  dataDir: string;
  /** The package's `board/` folder: what runs on a board. */
  boardFiles: string;
  limits: Limits;
  /** Folders that `file:` images and definitions may come from. */
  allowFiles: readonly string[];
  /** The kinds of boards that can be driven here. */
  drivers: Registry;
  log: Log;
}

export interface Dispatcher {
  /** What the boards are, in a word of each of their drivers. */
  readonly boardsAre: string;
  /** Where the server must listen for its boards; `undefined`: they use the worker's own network. */
  readonly gateway: { address: string } | undefined;
  addressOf(device: string): string | undefined;
  /** Whose a board of this worker is; `undefined`: nobody's. */
  holding(device: string): Holding | undefined;
  consoleFile(job: number, device: string): string;
  /** In bytes; 0 when there is no console. */
  consoleSize(job: number, device: string): number;
  /** Takes over the boards of an earlier life, once, and says which are here. */
  takeOver(): Promise<readonly FoundBoard[]>;
  /** Takes over, registers, and works on what is owed from then on. */
  start(): Promise<void>;
  /** Lets go. Boards run on, for a server that comes back, unless `killBoards`. */
  stop(how: { killBoards: boolean }): Promise<void>;
}

/** A board of an earlier life. */
export interface FoundBoard extends Holding {
  /** Whether it runs, and knows where the server was when it booted. */
  isOn: boolean;
}

const RETRY_MS = 1_000;

/** Opens a driver for each kind of board; nothing runs before `start`. @throws StepFailure when one cannot be opened */
export async function createDispatcher(options: DispatcherOptions): Promise<Dispatcher> {
  await mkdir(options.dataDir, { recursive: true });
  const dataDir = await realpath(options.dataDir);
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  const is = { ...options, dataDir };
  return new Hands(is, hash, await openDrivers(is, hash));
}

/** By kind: those of the lab's boards, and those of boards that an earlier life left. */
async function openDrivers(options: DispatcherOptions, hash: string): Promise<Map<string, Driver>> {
  const { boards, dataDir, drivers } = options;
  const [anyKind = ''] = drivers.keys();
  const kinds = new Map(boards.map(({ name, driver }) => [name, driver]));
  const kindOf = (device: string) => kinds.get(device) ?? anyKind;
  const left = await boardsLeft(dataDir);
  const used = new Set([
    ...kinds.values(),
    ...[...left].map(([device, state]) => state?.driver ?? kindOf(device)),
  ]);
  const opened = new Map<string, Driver>();
  for (const [kind, open] of drivers) {
    if (!used.has(kind)) continue;
    const context: DriverContext = {
      ...{ kind, kindOf, dataDir, hash, boards: boards.filter(({ driver }) => driver === kind) },
      lab: boards,
      boardFiles: options.boardFiles,
      limits: options.limits,
      allowFiles: options.allowFiles,
      fetchMark: { [FETCH_MARK_VARIABLE]: hash },
      consoleFile: (job, device) => consolePath(dataDir, job, device),
      log: options.log,
    };
    opened.set(kind, await open(context));
  }
  return opened;
}

class Hands implements Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #hash: string;
  /** By kind. */
  readonly #drivers: ReadonlyMap<string, Driver>;
  /** By device. */
  readonly #lanes = new Map<string, Lane>();
  readonly #stopped = new AbortController();
  #unsubscribe: (() => void) | undefined;
  #found: Promise<readonly FoundBoard[]> | undefined;
  #asking: Promise<void> | undefined;
  #askAgain = false;

  constructor(options: DispatcherOptions, hash: string, drivers: ReadonlyMap<string, Driver>) {
    this.#options = options;
    this.#hash = hash;
    this.#drivers = drivers;
    // Every lane hears of the stop.
    setMaxListeners(0, this.#stopped.signal);
    for (const { name, image, driver: kind } of options.boards) {
      const driver = drivers.get(kind);
      if (driver === undefined) throw new Error(`no driver for boards of the kind ${kind}`);
      this.#lanes.set(name, this.#lane(name, image, driver));
    }
  }

  #lane(device: string, image: string, driver: Driver): Lane {
    const { server, log, allowFiles, limits, dataDir } = this.#options;
    const context: Omit<StepContext, 'line'> = {
      ...{ server, driver, log, allowFiles },
      consoleBytesMax: limits.consoleBytes,
      sourceLimits: limits,
      gitConfigFile: join(dataDir, 'gitconfig'),
      fetchMark: { [FETCH_MARK_VARIABLE]: this.#hash },
      consoleFile: (job, member) => this.consoleFile(job, member),
    };
    const ask = () => this.#ask();
    return new Lane({ device, image, context, driver, stopped: this.#stopped.signal, ask });
  }

  get boardsAre(): string {
    return [...this.#drivers.values()].map(({ boardsAre }) => boardsAre).join(', ');
  }

  get gateway(): { address: string } | undefined {
    return [...this.#drivers.values()].find(({ gateway }) => gateway !== undefined)?.gateway;
  }

  addressOf(device: string): string | undefined {
    return this.#lanes.get(device)?.driver.addressOf(device);
  }

  holding(device: string): Holding | undefined {
    return this.#lanes.get(device)?.driver.holding(device);
  }

  consoleFile(job: number, device: string): string {
    return consolePath(this.#options.dataDir, job, device);
  }

  consoleSize(job: number, device: string): number {
    return consoleBytes(this.consoleFile(job, device));
  }

  takeOver(): Promise<readonly FoundBoard[]> {
    this.#found ??= this.#takeOver();
    return this.#found;
  }

  async #takeOver(): Promise<readonly FoundBoard[]> {
    await killUntilNone('fetches', async () => {
      const fetches = await markedProcesses(FETCH_MARK_VARIABLE, this.#hash);
      return fetches.map(({ pid }) => pid);
    });
    const found: FoundBoard[] = [];
    for (const driver of this.#drivers.values())
      for (const here of await driver.takeOver())
        found.push({ ...here, isOn: driver.alive({ ...here, group: [] }) });
    const devices = found.map(({ device }) => device);
    if (found.length > 0)
      this.#options.log.info({ boards: devices }, 'boards of an earlier life are here');
    return found;
  }

  async start(): Promise<void> {
    const { server, boards } = this.#options;
    await this.takeOver();
    await server.register(registrations(boards));
    this.#unsubscribe = server.onChange(() => this.#ask());
    await this.#reconcile();
  }

  async stop({ killBoards }: { killBoards: boolean }): Promise<void> {
    this.#stopped.abort();
    this.#unsubscribe?.();
    await this.#asking;
    await Promise.all([...this.#lanes.values()].map((lane) => lane.settled()));
    if (killBoards)
      for (const [device, { driver }] of this.#lanes)
        if (driver.holding(device) !== undefined)
          // One that does not go away is no reason to leave the others.
          await driver.tearDown(device).catch((error: unknown) => {
            this.#options.log.error({ device, err: error }, 'a board is left as it is');
          });
    for (const driver of this.#drivers.values()) await driver.close();
  }

  /** Asks what is owed, once for any number of changes that came meanwhile. */
  #ask(): void {
    this.#askAgain = true;
    if (this.#asking !== undefined || this.#stopped.signal.aborted) return;
    this.#asking = this.#askLoop().finally(() => {
      this.#asking = undefined;
      if (this.#askAgain) this.#ask();
    });
  }

  async #askLoop(): Promise<void> {
    while (this.#askAgain && !this.#stopped.signal.aborted) {
      this.#askAgain = false;
      try {
        await this.#reconcile();
      } catch (error) {
        this.#options.log.error({ err: error }, 'cannot learn what is owed; asking again');
        this.#askAgain = true;
        await pause(RETRY_MS, this.#stopped.signal);
      }
    }
  }

  async #reconcile(): Promise<void> {
    const owed = await this.#options.server.owed();
    const byDevice = new Map(owed.map((entry) => [entry.device, entry]));
    for (const [device, lane] of this.#lanes) lane.want(byDevice.get(device));
  }
}

/** Boards of the lab's file, as their worker announces them. */
export const registrations = (boards: DispatcherOptions['boards']): BoardRegistration[] =>
  boards.map(({ name, type, tags, driver }) => ({
    device: name,
    deviceType: type,
    tags: [...tags],
    driver,
  }));

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
