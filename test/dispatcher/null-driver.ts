/**
 * Boards of the tests that are nothing but a shell each: a second kind, beside which `local` shows what is its own.
 * They have no name, network or root of their own, no image can be deployed on them, and they end with their worker.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { consoleBytes } from '../../dispatcher/console.ts';
import { readyLine, untilReady } from '../../dispatcher/drivers/console-pump.ts';
import type {
  ActionMark,
  Driver,
  DriverContext,
  Holding,
  Seat,
} from '../../dispatcher/drivers/driver.ts';
import { Holdings } from '../../dispatcher/drivers/holdings.ts';
import { MARK_VARIABLE, markOf } from '../../dispatcher/drivers/processes.ts';
import { StepAborted, StepFailure } from '../../dispatcher/failure.ts';
import { killGroup } from '../../dispatcher/programs.ts';

export const openNullDriver = async (context: DriverContext): Promise<Driver> =>
  new NullDriver(context);

class NullDriver implements Driver {
  readonly boardsAre = 'shells';
  readonly gateway = undefined;
  readonly #context: DriverContext;
  readonly #holdings: Holdings;
  /** Each with what writes its console. */
  readonly #shells = new Map<string, { shell: ChildProcess; file: WriteStream }>();

  constructor(context: DriverContext) {
    this.#context = context;
    this.#holdings = new Holdings(context);
  }

  addressOf(device: string): string | undefined {
    return this.#context.kindOf(device) === this.#context.kind ? '127.0.0.1' : undefined;
  }

  takeOver(): Promise<Holding[]> {
    return this.#holdings.takeOver((device) => this.tearDown(device));
  }

  holding(device: string): Holding | undefined {
    return this.#holdings.holding(device);
  }

  async deploy(seat: Seat, image: string): Promise<void> {
    await this.tearDown(seat.device);
    await this.#holdings.save(seat.device, { job: seat.job, lease: seat.lease });
    if (image !== 'host:')
      throw new StepFailure('image-refused', `image ${image}: a shell has no image`);
    await this.#holdings.save(seat.device, { job: seat.job, lease: seat.lease, image });
  }

  async boot(
    seat: Seat,
    image: string,
    environment: string,
    signal: AbortSignal,
  ): Promise<{ address?: string }> {
    if (this.#holdings.stateOf(seat)?.image !== image) await this.deploy(seat, image);
    await this.powerOff(seat.device);
    const home = this.home(seat);
    await mkdir(home, { recursive: true });
    for (const name of ['bin', 'lib'])
      await cp(join(this.#context.boardFiles, name), join(home, name), { recursive: true });
    const consoleFile = this.#context.consoleFile(seat.job, seat.device);
    await mkdir(dirname(consoleFile), { recursive: true });
    const from = consoleBytes(consoleFile);
    const mark = markOf(this.#context.hash, seat.device);
    const shell = spawn('sh', [], {
      detached: true,
      env: {
        ...{ PATH: `${home}/bin:${process.env.PATH ?? ''}`, MUSTER_HOME: home, HOME: home },
        [MARK_VARIABLE]: mark,
      },
    });
    const file = createWriteStream(consoleFile, { flags: 'a' });
    shell.stdout.pipe(file, { end: false });
    shell.stderr.pipe(file, { end: false });
    this.#shells.set(seat.device, { shell, file });
    const boot = randomBytes(8).toString('hex');
    try {
      shell.stdin.write(environment);
      await this.type(seat, readyLine(boot));
      const bytesMax = this.#context.limits.consoleBytes;
      const isAlive = () => this.alive(seat);
      await untilReady(consoleFile, from, boot, { bytesMax, signal, isAlive });
    } catch (error) {
      await this.powerOff(seat.device);
      if (signal.aborted) throw new StepAborted();
      throw error;
    }
    return { address: '127.0.0.1' };
  }

  alive(seat: Seat): boolean {
    const shell = this.#shells.get(seat.device)?.shell;
    const isRunning = shell?.exitCode === null && shell.signalCode === null;
    return this.#holdings.stateOf(seat) !== undefined && isRunning;
  }

  async gone(seat: Seat): Promise<string | undefined> {
    return this.alive(seat) ? undefined : 'the board ended';
  }

  home(seat: Seat): string {
    return join(this.#holdings.folder(seat.device).path, 'home');
  }

  async staging(seat: Seat): Promise<string> {
    const folder = join(
      this.#holdings.folder(seat.device).path,
      'made',
      randomBytes(6).toString('hex'),
    );
    await mkdir(folder, { recursive: true });
    return folder;
  }

  async hand(seat: Seat, made: string, name: string): Promise<void> {
    const place = join(this.home(seat), name);
    await rm(place, { recursive: true, force: true });
    await rename(made, place);
  }

  async letReach(): Promise<void> {}

  variables(): readonly (readonly [string, string])[] {
    return [];
  }

  async type(seat: Seat, line: string): Promise<void> {
    if (!this.alive(seat)) throw new StepFailure('board-gone', 'its shell has ended');
    this.#shells.get(seat.device)?.shell.stdin?.write(`${line}\n`);
  }

  actionMark(seat: Seat): ActionMark | undefined {
    return this.#holdings.stateOf(seat)?.action;
  }

  async setActionMark(seat: Seat, mark: ActionMark | undefined): Promise<void> {
    const state = this.#holdings.stateOf(seat);
    if (state !== undefined) await this.#holdings.save(seat.device, { ...state, action: mark });
  }

  async powerOff(device: string): Promise<void> {
    const running = this.#shells.get(device);
    if (running === undefined) return;
    this.#shells.delete(device);
    const { shell, file } = running;
    const isClosed = shell.exitCode !== null || shell.signalCode !== null;
    const gone = isClosed ? undefined : once(shell, 'close');
    if (shell.pid !== undefined && gone !== undefined) killGroup(shell.pid);
    await gone;
    // Its last words are in the file before the next shell has its first.
    await new Promise<void>((resolve) => file.end(resolve));
  }

  async tearDown(device: string): Promise<void> {
    await this.powerOff(device);
    await this.#holdings.forget(device);
  }

  async power(): Promise<void> {
    throw new StepFailure('not-possible', 'a shell has no power of its own');
  }

  async openConsole(): Promise<never> {
    throw new StepFailure('not-possible', 'a shell has no console but that of its job');
  }

  async close(): Promise<void> {
    for (const device of this.#shells.keys()) await this.powerOff(device);
  }
}
