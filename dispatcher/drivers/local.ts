/**
 * The `local` driver: boards without hardware, on the worker itself. What all of them share is here: the console,
 * the scratch volume, deploy, boot, taking over after a crash. Their walls are a `Housing`.
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { cp, mkdir, readdir, realpath, rename, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { consoleBytes, consolePath, consoleTail, follow, note } from '../console.ts';
import { codeOf, messageOf, StepAborted, StepFailure, throwIfAborted } from '../failure.ts';
import { IMAGE_BYTES_MAX_DEFAULT, unpackImage } from '../image.ts';
import { lastLine } from '../programs.ts';
import { parseSignal } from '../signals.ts';
import { BoardFolder, type BoardState } from './board-folder.ts';
import { type BridgeWish, openBridge } from './bridge.ts';
import type { ActionMark, Driver, Holding, LabBoard, Limits, Log, Seat } from './driver.ts';
import { FETCH_MARK_VARIABLE, type Housing, type Launch, MARK_VARIABLE } from './housing.ts';
import { scratchBytes } from './mounts.ts';
import { namespaceHousing, namespacesLack } from './namespace-housing.ts';
import { plainHousing } from './plain-housing.ts';
import { openProcessLimit } from './process-limit.ts';
import { isAlive, killUntilNone, markedProcesses, processId } from './processes.ts';

export interface LocalOptions {
  boards: readonly LabBoard[];
  dataDir: string;
  /** The package's `board/` folder. */
  boardFiles: string;
  limits: Limits;
  allowFiles: readonly string[];
  bridge: BridgeWish;
  log: Log;
  /** `false`: plain boards, whatever is allowed. Absent: tried out. */
  namespaces?: boolean;
}

const FIRST_WORD_TIMEOUT_MS = 30_000;
const TYPE_RETRY_MS = 5;
const TYPE_TRIES_MAX = 2_000;

/** Tries out what this machine allows, and says once what is lost where it does not allow all. */
export async function openLocalDriver(options: LocalOptions): Promise<LocalDriver> {
  await mkdir(options.dataDir, { recursive: true });
  const dataDir = await realpath(options.dataDir);
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  const { consoleBytes: consoleBytesMax, processes } = options.limits;
  const lack = options.namespaces === false ? 'it was asked for' : await namespacesLack(dataDir);
  if (lack !== undefined) {
    options.log.warn(
      { why: lack },
      `local boards are plain processes (${lack}): they have no network, host name, root file system or ` +
        'process tree of their own, and no limit on processes; a script can reach this machine and other boards',
    );
    const devices = options.boards.map(({ name }) => name);
    const housing = plainHousing({ hash, devices, consoleBytes: consoleBytesMax });
    return new LocalDriver({ ...options, dataDir }, hash, housing);
  }
  const bridge = await openBridge(hash, options.bridge, options.boards);
  const processLimit = await openProcessLimit(hash, processes);
  if (processLimit.kind === 'none')
    options.log.warn(
      {},
      'no pids cgroup can be written and the kernel is older than 6.14: nothing limits the processes of a board',
    );
  const housing = namespaceHousing({
    hash,
    dataDir,
    bridge,
    processLimit,
    consoleBytes: consoleBytesMax,
    scratchBytes: scratchBytes(totalmem(), options.boards.length),
  });
  return new LocalDriver({ ...options, dataDir }, hash, housing);
}

export class LocalDriver implements Driver {
  readonly #options: LocalOptions;
  readonly #hash: string;
  readonly #housing: Housing;
  readonly #states = new Map<string, BoardState>();

  /** `options.dataDir` must be a real path; `hash` is its own. */
  constructor(options: LocalOptions, hash: string, housing: Housing) {
    this.#options = options;
    this.#hash = hash;
    this.#housing = housing;
  }

  get kind(): string {
    return this.#housing.kind;
  }

  get gateway(): { address: string } | undefined {
    return this.#housing.gateway;
  }

  /** What git and the like carry in their environment, so that they are found after a crash. */
  get fetchMark(): Record<string, string> {
    return { [FETCH_MARK_VARIABLE]: this.#hash };
  }

  addressOf(device: string): string | undefined {
    return this.#housing.addressOf(device);
  }

  async takeOver(): Promise<Holding[]> {
    await killUntilNone('fetches', async () => {
      const found = await markedProcesses(FETCH_MARK_VARIABLE, this.#hash);
      return found.map(({ pid }) => pid);
    });
    const boardsDir = this.#boardsDir;
    await mkdir(boardsDir, { recursive: true, mode: 0o700 });
    for (const device of await readdir(boardsDir)) {
      const state = await this.#folder(device).read();
      const known = this.#options.boards.some(({ name }) => name === device);
      if (state !== undefined && known) this.#states.set(device, state);
      else await this.#clearAway(device);
    }
    const kept = new Set(this.#states.keys());
    const strays = await markedProcesses(MARK_VARIABLE, `${this.#hash}/`);
    for (const device of new Set(strays.map(({ value }) => value.slice(this.#hash.length + 1))))
      if (!kept.has(device)) await this.#clearAway(device);
    await this.#housing.sweep(kept);
    return [...this.#states].map(([device, { job, lease }]) => ({ device, job, lease }));
  }

  /** What belongs to nobody. One that does not go away is no reason not to start. */
  async #clearAway(device: string): Promise<void> {
    try {
      await this.tearDown(device);
    } catch (error) {
      this.#options.log.error(
        { device, err: error },
        'a board of an earlier life does not go away',
      );
    }
  }

  holding(device: string): Holding | undefined {
    const state = this.#states.get(device);
    return state === undefined ? undefined : { device, job: state.job, lease: state.lease };
  }

  async deploy(seat: Seat, image: string, signal: AbortSignal): Promise<void> {
    await this.tearDown(seat.device);
    await this.#save(seat.device, { job: seat.job, lease: seat.lease });
    const refusal = this.#housing.refuses(image);
    if (refusal !== undefined) throw new StepFailure('image-refused', `image ${image}: ${refusal}`);
    if (image !== 'host:')
      await unpackImage(image, this.#folder(seat.device).image, {
        allowFiles: this.#options.allowFiles,
        bytesMax: this.#options.limits.imageBytes ?? IMAGE_BYTES_MAX_DEFAULT,
        mark: this.fetchMark,
        signal,
        note: (line) => note(this.consoleFile(seat), line),
      });
    throwIfAborted(signal);
    await this.#save(seat.device, { job: seat.job, lease: seat.lease, image });
  }

  async boot(
    seat: Seat,
    image: string,
    environment: string,
    signal: AbortSignal,
  ): Promise<{ address?: string }> {
    const { device, job, lease } = seat;
    if (this.#stateOf(seat)?.image !== image) await this.deploy(seat, image, signal);
    await this.#housing.powerOff(device, this.#stateOf(seat));
    await this.#save(device, { job, lease, image });
    await this.#layOut(seat, environment);
    try {
      await this.#powerOn(seat, image, signal);
    } catch (error) {
      await this.#housing.powerOff(device, this.#stateOf(seat));
      await this.#save(device, { job, lease, image });
      throw error;
    }
    const address = this.addressOf(device);
    return address === undefined ? {} : { address };
  }

  alive(seat: Seat): boolean {
    const process = this.#stateOf(seat)?.process;
    return process !== undefined && isAlive(process);
  }

  home(seat: Seat): string {
    return this.#housing.homeOf(seat, this.#folder(seat.device));
  }

  variables(seat: Seat): readonly (readonly [string, string])[] {
    return this.#housing.variables(seat, this.#folder(seat.device));
  }

  async staging(seat: Seat): Promise<string> {
    const folder = this.#folder(seat.device);
    await this.#housing.prepare(folder);
    await folder.layOut();
    const path = join(folder.staging, randomBytes(6).toString('hex'));
    await mkdir(path);
    return path;
  }

  /**
   * A rename follows no link, so that a board cannot lead the worker out of the folder. What stood there before is
   * put aside and not deleted: to walk through a folder that a board is changing could be led astray.
   */
  async hand(seat: Seat, path: string, name: string): Promise<void> {
    const folder = this.#folder(seat.device);
    const place = join(folder.share, name);
    const aside = join(folder.staging, `old-${randomBytes(6).toString('hex')}`);
    await rename(place, aside).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
    try {
      await rename(path, place);
    } catch (error) {
      throw new StepFailure(
        'install-failed',
        `cannot lay ${this.home(seat)}/${name} on the board: ${messageOf(error)}`,
      );
    }
  }

  async type(seat: Seat, line: string): Promise<void> {
    const bytes = Buffer.from(`${line}\n`);
    for (let tried = 0; tried < TYPE_TRIES_MAX; tried += 1) {
      if (this.#typeOnce(seat, bytes)) return;
      if (!this.alive(seat)) break;
      await delay(TYPE_RETRY_MS);
    }
    throw new StepFailure('board-gone', `nobody reads the console of ${seat.device}`);
  }

  /** `false`: nobody has the other end open, or it takes no more now. A line is written whole or not at all. */
  #typeOnce(seat: Seat, bytes: Buffer): boolean {
    let fd: number | undefined;
    try {
      fd = openSync(
        this.#folder(seat.device).input,
        constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW,
      );
      return writeSync(fd, bytes) === bytes.length;
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENXIO' || code === 'EAGAIN' || code === 'ENOENT') return false;
      throw error;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  actionMark(seat: Seat): ActionMark | undefined {
    return this.#stateOf(seat)?.action;
  }

  async setActionMark(seat: Seat, mark: ActionMark | undefined): Promise<void> {
    const state = this.#stateOf(seat);
    if (state === undefined) return;
    const { action: _, ...rest } = state;
    await this.#save(seat.device, mark === undefined ? rest : { ...rest, action: mark });
  }

  async tearDown(device: string): Promise<void> {
    const folder = this.#folder(device);
    await this.#housing.powerOff(device, this.#states.get(device) ?? (await folder.read()));
    await this.#housing.dispose(folder);
    await folder.remove();
    this.#states.delete(device);
  }

  async close(): Promise<void> {
    if (this.#states.size > 0) return;
    await this.#housing.close();
  }

  consoleFile(seat: Seat): string {
    return consolePath(this.#options.dataDir, seat.job, seat.device);
  }

  get #boardsDir(): string {
    return join(this.#options.dataDir, 'boards');
  }

  #folder(device: string): BoardFolder {
    return new BoardFolder(this.#boardsDir, device);
  }

  #stateOf(seat: Seat): BoardState | undefined {
    const state = this.#states.get(seat.device);
    return state?.job === seat.job && state.lease === seat.lease ? state : undefined;
  }

  async #save(device: string, state: BoardState): Promise<void> {
    this.#states.set(device, state);
    await this.#folder(device).write(state);
  }

  /** What every board has in MUSTER_HOME from its start: the verbs, their library, and how to reach the server. */
  async #layOut(seat: Seat, environment: string): Promise<void> {
    for (const name of ['bin', 'lib']) {
      const staging = await this.staging(seat);
      const source = join(this.#options.boardFiles, name);
      await cp(source, join(staging, name), { recursive: true, dereference: true });
      await this.hand(seat, join(staging, name), name);
    }
    const staging = await this.staging(seat);
    await writeFile(join(staging, 'env'), environment, { mode: 0o600 });
    await this.hand(seat, join(staging, 'env'), 'env');
  }

  async #powerOn(seat: Seat, image: string, signal: AbortSignal): Promise<void> {
    const { device } = seat;
    const folder = this.#folder(device);
    const consoleFile = this.consoleFile(seat);
    const from = consoleBytes(consoleFile);
    const seconds = this.#options.limits.bootSeconds;
    const limit = AbortSignal.timeout(seconds * 1_000);
    const either = AbortSignal.any([signal, limit]);
    try {
      const launch = await this.#housing.launch({ seat, folder, image, consoleFile });
      await this.#start(seat, launch, either);
      const boot = randomBytes(8).toString('hex');
      // A script that signals its whole process group shall not end the console's shell with it.
      await this.type(seat, `trap : HUP INT TERM; echo '<MUSTER_BOARD_READY ${boot}>'`);
      await this.#untilReady(seat, from, boot, either);
    } catch (error) {
      if (signal.aborted) throw new StepAborted();
      const tail = lastLine(await consoleTail(consoleFile, from)).slice(0, 300);
      const said = tail === '' ? '' : `; the last line of its console: ${tail}`;
      const why = limit.aborted ? `not within ${seconds} s` : messageOf(error);
      throw new StepFailure('boot-failed', `the board did not boot: ${why}${said}`);
    }
  }

  /** Starts the launcher, takes the board's first word (its pid), plugs it in and lets it go on. */
  async #start(seat: Seat, launch: Launch, signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    const child = spawn('sh', ['-c', launch.script, 'sh', ...launch.args], {
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      env: launch.environment,
      cwd: '/',
    });
    child.unref();
    child.on('error', () => undefined);
    const line = child.stdio[3] as Duplex;
    try {
      const launcher = child.pid === undefined ? undefined : processId(child.pid);
      const state = this.#stateOf(seat);
      if (state === undefined) throw new StepAborted();
      if (launcher !== undefined) await this.#save(seat.device, { ...state, launcher });
      const pid = await firstWord(line, signal);
      const process = processId(pid);
      if (process === undefined) throw new StepFailure('board-gone', 'it ended at once');
      await this.#save(seat.device, { ...state, ...(launcher ? { launcher } : {}), process });
      await this.#housing.connect(seat.device, pid);
      await new Promise((written) => line.write('go\n', written));
    } finally {
      line.on('error', () => undefined);
      line.destroy();
    }
  }

  async #untilReady(seat: Seat, from: number, boot: string, signal: AbortSignal): Promise<void> {
    let gone = false;
    const onIdle = () => {
      if (gone) throw new StepFailure('board-gone', 'its first process ended');
      gone = !this.alive(seat);
    };
    const options = { bytesMax: this.#options.limits.consoleBytes, signal, onIdle };
    for await (const line of follow(this.consoleFile(seat), from, options)) {
      const found = parseSignal(line.text);
      if (found?.is === 'board-ready' && found.boot === boot) return;
    }
  }
}

/** The pid that the board says of itself. */
function firstWord(line: Duplex, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = '';
    const settle = (act: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      line.removeAllListeners('data');
      act();
    };
    const fail = (why: string) => settle(() => reject(new StepFailure('board-gone', why)));
    const onAbort = () => settle(() => reject(new StepAborted()));
    const timer = setTimeout(() => fail('it did not start'), FIRST_WORD_TIMEOUT_MS);
    signal.addEventListener('abort', onAbort, { once: true });
    line.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const match = /^(\d+)\n/.exec(text);
      if (match?.[1] !== undefined) settle(() => resolve(Number(match[1])));
    });
    line.once('close', () => fail('it ended before it started'));
    line.once('error', (error) => fail(messageOf(error)));
  });
}
