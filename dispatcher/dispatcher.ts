/**
 * The hands: drives the boards of one worker through what the server owes their members.
 *
 * Nothing is remembered. Whenever something may have changed, `owed()` is asked again, and each board is brought
 * to what its entry says: a step runs, or is broken off, or the board is taken down. One board, one thing at a time.
 */
import { setMaxListeners } from 'node:events';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { BoardRegistration, Owed, ServerPort } from '../wire/server-port.ts';
import { consoleBytes, consolePath, note } from './console.ts';
import type { BridgeWish } from './drivers/bridge.ts';
import type { Holding, LabBoard, Limits, Log } from './drivers/driver.ts';
import { type LocalDriver, openLocalDriver } from './drivers/local.ts';
import { messageOf, StepAborted } from './failure.ts';
import { runStep, type StepContext, type Task } from './member-step.ts';

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
  bridge: BridgeWish;
  log: Log;
  /** `false`: plain boards, whatever this machine allows. Absent: it is tried out. */
  namespaces?: boolean;
}

export interface Dispatcher {
  /** `namespaces` or `plain`: what the boards are. */
  readonly kind: string;
  /** Where the server must listen for its boards; `undefined`: they use the worker's own network. */
  readonly gateway: { address: string } | undefined;
  addressOf(device: string): string | undefined;
  consoleFile(job: number, device: string): string;
  /** In bytes; 0 when there is no console. */
  consoleSize(job: number, device: string): number;
  /** Takes over the boards of an earlier life, registers, and works on what is owed from then on. */
  start(): Promise<void>;
  /** Lets go. Boards run on, for a server that comes back, unless `killBoards`. */
  stop(how: { killBoards: boolean }): Promise<void>;
}

const RETRY_MS = 1_000;

/** Makes the boards' network; nothing runs before `start`. @throws StepFailure when the network cannot be made */
export async function createDispatcher(options: DispatcherOptions): Promise<Dispatcher> {
  const driver = await openLocalDriver(options);
  const dataDir = await realpath(options.dataDir);
  return new Hands({ ...options, dataDir }, driver);
}

class Hands implements Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #driver: LocalDriver;
  readonly #lanes: Map<string, Lane>;
  readonly #stopped = new AbortController();
  #unsubscribe: (() => void) | undefined;
  #asking: Promise<void> | undefined;
  #askAgain = false;

  constructor(options: DispatcherOptions, driver: LocalDriver) {
    this.#options = options;
    this.#driver = driver;
    // Every lane hears of the stop.
    setMaxListeners(0, this.#stopped.signal);
    const context: StepContext = {
      server: options.server,
      driver,
      log: options.log,
      allowFiles: options.allowFiles,
      consoleBytesMax: options.limits.consoleBytes,
      gitConfigFile: join(options.dataDir, 'gitconfig'),
      fetchMark: driver.fetchMark,
      consoleFile: (job, device) => this.consoleFile(job, device),
    };
    this.#lanes = new Map(
      options.boards.map(({ name, image }) => [
        name,
        new Lane({
          device: name,
          image,
          context,
          driver,
          stopped: this.#stopped.signal,
          ask: () => this.#ask(),
        }),
      ]),
    );
  }

  get kind(): string {
    return this.#driver.kind;
  }

  get gateway(): { address: string } | undefined {
    return this.#driver.gateway;
  }

  addressOf(device: string): string | undefined {
    return this.#driver.addressOf(device);
  }

  consoleFile(job: number, device: string): string {
    return consolePath(this.#options.dataDir, job, device);
  }

  consoleSize(job: number, device: string): number {
    return consoleBytes(this.consoleFile(job, device));
  }

  async start(): Promise<void> {
    const { server, boards, log } = this.#options;
    const found = await this.#driver.takeOver();
    if (found.length > 0)
      log.info({ boards: found.map(({ device }) => device) }, 'boards of an earlier life are here');
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
      for (const device of this.#lanes.keys())
        if (this.#driver.holding(device) !== undefined) await this.#driver.tearDown(device);
    await this.#driver.close();
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

interface LaneOptions {
  device: string;
  /** What the lab names for its type. */
  image: string;
  context: StepContext;
  driver: LocalDriver;
  stopped: AbortSignal;
  /** Ask the server anew. */
  ask(): void;
}

/** One board: does one thing at a time, until what is there is what is wanted. */
class Lane {
  readonly #options: LaneOptions;
  #wanted: Owed | undefined;
  #running: { step: string; controller: AbortController } | undefined;
  /** The step that ended last: a server that did not yet see its report may still name it. */
  #ended: string | undefined;
  #working: Promise<void> | undefined;
  #lookAgain = false;

  constructor(options: LaneOptions) {
    this.#options = options;
    options.stopped.addEventListener('abort', () => this.#running?.controller.abort());
  }

  want(owed: Owed | undefined): void {
    this.#wanted = owed;
    if (this.#running !== undefined && this.#running.step !== stepName(owed))
      this.#running.controller.abort();
    this.#look();
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#working;
  }

  #look(): void {
    this.#lookAgain = true;
    if (this.#working !== undefined || this.#options.stopped.aborted) return;
    this.#working = this.#work().finally(() => {
      this.#working = undefined;
      if (this.#lookAgain) this.#look();
    });
  }

  async #work(): Promise<void> {
    while (this.#lookAgain && !this.#options.stopped.aborted) {
      this.#lookAgain = false;
      try {
        await this.#next();
      } catch (error) {
        const { device, context } = this.#options;
        context.log.error({ device, err: error }, `board ${device}: ${messageOf(error)}`);
        this.#lookAgain = true;
        await pause(RETRY_MS, this.#options.stopped);
      }
    }
  }

  async #next(): Promise<void> {
    const { driver, device, image } = this.#options;
    const owed = this.#wanted;
    const here = driver.holding(device);
    if (here !== undefined && (owed?.job !== here.job || owed.lease !== here.lease)) {
      await this.#takeDown(here);
      this.#lookAgain = true;
      return;
    }
    if (owed === undefined || owed.step.do === 'nothing') return;
    if (stepName(owed) === this.#ended) return;
    await this.#run({ ...owed, image: owed.image ?? image, isLabImage: owed.image === undefined });
  }

  async #run(owed: Task): Promise<void> {
    const { context, stopped, ask } = this.#options;
    const step = stepName(owed);
    const controller = new AbortController();
    this.#running = { step, controller };
    try {
      await runStep(context, owed, controller.signal);
      this.#ended = step;
      ask();
    } catch (error) {
      if (!(error instanceof StepAborted)) throw error;
      // The member ended while it worked, or another step is owed: either way the server knows more.
      if (!controller.signal.aborted) this.#ended = step;
      if (!stopped.aborted) ask();
    } finally {
      this.#running = undefined;
    }
  }

  /** The last words for the console, then the end of the board. */
  async #takeDown(here: Holding): Promise<void> {
    const { context, driver, device } = this.#options;
    const ended = await context.server.ended(here.job, device);
    if (ended !== undefined && ended.lines.length > 0)
      await note(context.consoleFile(here.job, device), ...ended.lines);
    await driver.tearDown(device);
  }
}

/** What a step is called while it is owed; the same for the same step, also after a restart. */
function stepName(owed: Owed | undefined): string {
  if (owed === undefined) return '';
  const which = owed.step.do === 'run' ? owed.step.index : owed.suitesBefore;
  return `${owed.job} ${owed.lease} ${owed.step.do} ${which}`;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
