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
import { type BoardHands, HandsRefused } from '../wire/board-hands.ts';
import type { LabChange } from '../wire/lab-change.ts';
import type { Owed, ServerPort } from '../wire/server-port.ts';
import { consoleBytes, consolePath } from './console.ts';
import type { Driver, Holding, Log } from './drivers/driver.ts';
import { FETCH_MARK_VARIABLE, killUntilNone, markedProcesses } from './drivers/processes.ts';
import {
  changeBetween,
  type Generation,
  type GenerationOptions,
  type LabPart,
  openGeneration,
  registrations,
  sayingOnce,
} from './generation.ts';
import { Lane } from './lane.ts';
import type { StepContext } from './member-step.ts';
import type { Operator } from './operator.ts';
import { Places } from './places.ts';
import { meaningOf } from './refusals.ts';

export interface DispatcherOptions extends LabPart {
  server: ServerPort;
  /** The server's data folder; boards and consoles live in it. Made when it is not there. */
  dataDir: string;
  /** The package's `board/` folder: what runs on a board. */
  boardFiles: string;
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
  /**
   * Takes the boards and limits of a lab's file that was read again. A board that somebody has stays as it is until it is
   * nobody's.
   *
   * @param opened called when the drivers are open, before a board can have a job: `gateway` may be another
   * @throws what opening a driver or registering says; nothing has changed then
   */
  change(lab: LabPart, opened: () => Promise<void>): Promise<LabChange>;
  /** What an operator does with a board that no job has. */
  readonly hands: BoardHands;
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
  const is = { ...options, dataDir, hash, log: sayingOnce(options.log) };
  const places = await Places.in(dataDir);
  const order = await places.order(options.boards, new Set());
  return new Hands(is, places, await openGeneration(is, options, order));
}

/** A board of this worker, by which reading of the lab's file. */
interface Seated {
  lane: Lane;
  generation: Generation;
  /** How it will be for a job that waits until it is nobody's. */
  next?: Generation;
}

class Hands implements Dispatcher {
  readonly #options: Omit<DispatcherOptions, keyof LabPart> & GenerationOptions;
  readonly #places: Places;
  /** As the lab's file was read last. */
  #now: Generation;
  /** With earlier readings that boards are still by, and one that is being taken. */
  readonly #generations = new Set<Generation>();
  /** By device. */
  readonly #boards = new Map<string, Seated>();
  readonly #stopped = new AbortController();
  #unsubscribe: (() => void) | undefined;
  #found: Promise<readonly FoundBoard[]> | undefined;
  #asking: Promise<void> | undefined;
  #askAgain = false;
  /** The server has not said yet whether it takes the file that was read last. */
  #isChanging = false;

  constructor(
    options: Omit<DispatcherOptions, keyof LabPart> & GenerationOptions,
    places: Places,
    generation: Generation,
  ) {
    this.#options = options;
    this.#places = places;
    this.#now = generation;
    this.#generations.add(generation);
    // Every lane hears of the stop.
    setMaxListeners(0, this.#stopped.signal);
    for (const { name } of generation.boards) this.#seat(name, generation);
  }

  #seat(device: string, generation: Generation): Lane {
    const { server, log, dataDir, hash } = this.#options;
    const { allowFiles, limits } = generation;
    const board = generation.boards.find(({ name }) => name === device);
    const driver = generation.drivers.get(board?.driver ?? '');
    if (board === undefined || driver === undefined)
      throw new Error(`no driver for boards of the kind ${board?.driver}`);
    const context: Omit<StepContext, 'line'> = {
      ...{ server, driver, log, allowFiles },
      consoleBytesMax: limits.consoleBytes,
      sourceLimits: limits,
      gitConfigFile: join(dataDir, 'gitconfig'),
      fetchMark: { [FETCH_MARK_VARIABLE]: hash },
      consoleFile: (job, member) => this.consoleFile(job, member),
    };
    const ask = () => this.#ask();
    const idle = () => {
      if (this.#boards.get(device)?.generation !== this.#now) ask();
    };
    const { image } = board;
    const stopped = this.#stopped.signal;
    const lane = new Lane({ device, image, context, driver, stopped, ask, idle });
    this.#boards.set(device, { lane, generation });
    return lane;
  }

  get boardsAre(): string {
    return [...this.#now.drivers.values()].map(({ boardsAre }) => boardsAre).join(', ');
  }

  readonly hands: BoardHands = {
    power: async (device, power, signal) => this.#operator(device).power(power, signal),
    openConsole: async (device, user, operator) =>
      this.#operator(device).openConsole(user, operator),
  };

  #operator(device: string): Operator {
    const lane = this.#boards.get(device)?.lane;
    if (lane !== undefined) return lane.operator;
    throw new HandsRefused('not-possible', `${device} is no board of its worker any more`);
  }

  get #drivers(): Driver[] {
    return [...this.#generations].flatMap(({ drivers }) => [...drivers.values()]);
  }

  get gateway(): { address: string } | undefined {
    return this.#drivers.find(({ gateway }) => gateway !== undefined)?.gateway;
  }

  addressOf(device: string): string | undefined {
    return this.#boards.get(device)?.lane.driver.addressOf(device);
  }

  holding(device: string): Holding | undefined {
    return this.#boards.get(device)?.lane.driver.holding(device);
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
      const fetches = await markedProcesses(FETCH_MARK_VARIABLE, this.#options.hash);
      return fetches.map(({ pid }) => pid);
    });
    const found: FoundBoard[] = [];
    for (const driver of this.#drivers)
      for (const here of await driver.takeOver())
        found.push({ ...here, isOn: driver.alive({ ...here, group: [] }) });
    const devices = found.map(({ device }) => device);
    if (found.length > 0)
      this.#options.log.info({ boards: devices }, 'boards of an earlier life are here');
    return found;
  }

  async start(): Promise<void> {
    await this.takeOver();
    await this.#options.server.register(registrations(this.#now.boards));
    this.#unsubscribe = this.#options.server.onChange(() => this.#ask());
    await this.#reconcile();
  }

  async change(lab: LabPart, opened: () => Promise<void>): Promise<LabChange> {
    const before = this.#now;
    // A job may have a new board before the server's answer is here.
    this.#isChanging = true;
    try {
      const order = await this.#places.order(lab.boards, new Set(this.#boards.keys()));
      const next = await openGeneration(this.#options, lab, order);
      this.#generations.add(next);
      await opened();
      this.#take(next);
      await this.#options.server.register(registrations(lab.boards));
    } catch (error) {
      this.#take(before);
      throw error;
    } finally {
      this.#isChanging = false;
      this.#ask();
    }
    const held = [...this.#boards].filter(([, { lane }]) => !lane.isIdle).map(([device]) => device);
    return changeBetween(before.boards, lab.boards, new Set(held));
  }

  #take(generation: Generation): void {
    this.#now = generation;
    for (const { name } of generation.boards)
      if (!this.#boards.has(name)) this.#seat(name, generation);
    this.#ask();
  }

  async stop({ killBoards }: { killBoards: boolean }): Promise<void> {
    this.#stopped.abort();
    this.#unsubscribe?.();
    await this.#asking;
    const lanes = [...this.#boards].map(([device, { lane }]) => ({ device, lane }));
    await Promise.all(lanes.map(({ lane }) => lane.settled()));
    const isHeld = ({ device, lane }: (typeof lanes)[number]) =>
      lane.driver.holding(device) !== undefined;
    if (killBoards)
      // One that does not go away is no reason to leave the others.
      for (const { device, lane } of lanes.filter(isHeld))
        await lane.driver.tearDown(device).catch((error: unknown) => {
          this.#options.log.error({ device, err: error }, 'a board is left as it is');
        });
    // What boards share stays as long as one is left, whichever reading of the file it is of.
    if (!lanes.some(isHeld)) for (const driver of this.#drivers) await driver.close();
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
    for (const [device, board] of [...this.#boards])
      this.#bring(device, board, byDevice.get(device));
    this.#forget();
    for (const entry of owed)
      if (!this.#isChanging && !this.#boards.has(entry.device)) await this.#disown(entry);
  }

  /** Whoever has a board has it as it was when they got it; whoever comes then, as the lab's file said when they came. */
  #bring(device: string, board: Seated, owed: Owed | undefined): void {
    const { lane, generation } = board;
    if (generation === this.#now || lane.isAt(owed)) lane.want(owed);
    else if (!lane.isIdle) {
      if (owed !== undefined) {
        board.next ??= this.#now;
        void lane.operator.leave(`job ${owed.job} has the board now`);
      }
      lane.want(undefined);
    } else {
      const next = board.next ?? this.#now;
      lane.leave();
      this.#boards.delete(device);
      if (next.boards.some(({ name }) => name === device)) this.#seat(device, next).want(owed);
    }
  }

  /** Readings that no board is by any more, nor will be. */
  #forget(): void {
    const used = new Set([this.#now]);
    for (const { generation, next } of this.#boards.values())
      for (const one of [generation, next]) if (one !== undefined) used.add(one);
    if (!this.#isChanging)
      for (const one of this.#generations) if (!used.has(one)) this.#generations.delete(one);
  }

  /** It left the lab's file before its job began here, or while nobody was here. */
  async #disown({ job, device, lease }: Owed): Promise<void> {
    const reason = `${device} is not in the lab's file of its worker any more`;
    const command = { type: 'FailMember', member: device, reason, fault: 'worker' } as const;
    try {
      await this.#options.server.report(job, command, { key: `${job}.${device}.${lease}.gone` });
    } catch (error) {
      if (meaningOf(error) === 'again') throw error;
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
