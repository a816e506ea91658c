/**
 * Boards at the far end of a line: a program of the worker has their console, and all that is done on them is typed
 * there. What all of them share is here: whose they are, power, login, the shell, how files get there. What the line
 * is, and where power and images come from, is a `LineKind`.
 */
import { randomBytes } from 'node:crypto';
import { cp, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Login } from '../../submission/lab-drivers.ts';
import { consoleBytes, consoleTail, note } from '../console.ts';
import { messageOf, StepAborted, StepFailure, throwIfAborted } from '../failure.ts';
import { assignments, lastLine, runProgram, shellQuoted } from '../programs.ts';
import type { BoardFolder } from './board-folder.ts';
import {
  loopAnswer,
  loopLine,
  markAnswer,
  markLine,
  placeScript,
  setupScript,
} from './board-shell.ts';
import type { BoardEnd } from './bridge.ts';
import { consoleBlocks, PUMP, readyLine, typeText, untilReady } from './console-pump.ts';
import { Dialogue } from './dialogue.ts';
import type { ActionMark, Driver, DriverContext, Holding, LabBoard, Seat } from './driver.ts';
import { Holdings } from './holdings.ts';
import { endBoard, startBoard } from './launch.ts';
import { logIn } from './login.ts';
import { isAlive, MARK_VARIABLE, markOf } from './processes.ts';

/** A board in the hands of a member, as a kind sees it. */
export interface LineSeat {
  seat: Seat;
  folder: BoardFolder;
  board: LabBoard | undefined;
  signal: AbortSignal;
  /** A line for the member's console. */
  note(line: string): Promise<void>;
}

export interface LineKind {
  readonly boardsAre: string;
  readonly gateway: { address: string } | undefined;
  addressOf(device: string): string | undefined;
  login(board: LabBoard | undefined): Login;
  /** Readies an image in the board's folder. @throws StepFailure, StepAborted */
  deploy(at: LineSeat, image: string): Promise<void>;
  /** The program on whose input and output the console is; power comes with it, or with `powerOn`. */
  program(at: LineSeat, image: string): Promise<string[]>;
  /** Between the line's start and the word to go on. */
  connect(at: LineSeat): Promise<void>;
  /** Where the board is on a network of the worker's. */
  network(seat: Seat): { end: BoardEnd; hosts: string } | undefined;
  /** The command of the board that prints the archive; `undefined`: it is to be typed. */
  carry(at: LineSeat, archive: string): Promise<string | undefined>;
  letReach(urls: readonly string[]): Promise<void>;
  /** The line is closed, nothing of it prints any more. */
  powerOff(device: string): Promise<void>;
  takeOver(kept: readonly Holding[]): Promise<void>;
  close(): Promise<void>;
}

/** In the folder of the volume. $@: the program with the console. */
const LINE_LAUNCH = `
cd "$volume" || exit 1
${PUMP}`;
const LINE_INIT = `
printf '%s\\n' "$$" >&3
read -r go <&3 || exit 1
exec 3>&-
exec <>in
exec "$@"
`;
const LOOP_ANSWER_MS = 20_000;
const HAND_MS = 600_000;
/** A board that starts anew before it has a shell is let do so this often. */
const STARTS_MAX = 3;

export class LineDriver implements Driver {
  readonly #context: DriverContext;
  readonly #kind: LineKind;
  readonly #holdings: Holdings;

  constructor(context: DriverContext, kind: LineKind) {
    this.#context = context;
    this.#kind = kind;
    this.#holdings = new Holdings(context);
  }

  get boardsAre(): string {
    return this.#kind.boardsAre;
  }

  get gateway(): { address: string } | undefined {
    return this.#kind.gateway;
  }

  addressOf(device: string): string | undefined {
    return this.#kind.addressOf(device);
  }

  async takeOver(): Promise<Holding[]> {
    const found = await this.#holdings.takeOver((device) => this.tearDown(device));
    await this.#kind.takeOver(found);
    return found;
  }

  holding(device: string): Holding | undefined {
    return this.#holdings.holding(device);
  }

  async deploy(seat: Seat, image: string, signal: AbortSignal): Promise<void> {
    const { device, job, lease } = seat;
    await this.tearDown(device);
    await this.#holdings.save(device, { job, lease });
    await this.#kind.deploy(this.#at(seat, signal), image);
    throwIfAborted(signal);
    await this.#holdings.save(device, { job, lease, image });
  }

  async boot(
    seat: Seat,
    image: string,
    environment: string,
    signal: AbortSignal,
  ): Promise<{ address?: string }> {
    const { device, job, lease } = seat;
    if (this.#holdings.stateOf(seat)?.image !== image) await this.deploy(seat, image, signal);
    await this.powerOff(device);
    await this.#holdings.save(device, { job, lease, image });
    try {
      await this.#powerOn(seat, image, environment, signal);
    } catch (error) {
      await this.powerOff(device);
      await this.#holdings.save(device, { job, lease, image });
      throw error;
    }
    const address = this.addressOf(device);
    return address === undefined ? {} : { address };
  }

  alive(seat: Seat): boolean {
    const process = this.#holdings.stateOf(seat)?.process;
    return process !== undefined && isAlive(process);
  }

  home(seat: Seat): string {
    const { home = '' } = this.#kind.login(this.#board(seat.device));
    return `${home}/lava-${seat.job}`;
  }

  letReach(urls: readonly string[]): Promise<void> {
    return this.#kind.letReach(urls);
  }

  variables(): readonly (readonly [string, string])[] {
    return [];
  }

  async staging(seat: Seat): Promise<string> {
    const folder = this.#holdings.folder(seat.device);
    await folder.layOut();
    const path = join(folder.staging, randomBytes(6).toString('hex'));
    await mkdir(path);
    return path;
  }

  async hand(seat: Seat, made: string, name: string): Promise<void> {
    const staging = await this.staging(seat);
    try {
      await rename(made, join(staging, name));
      await this.#carry(seat, staging, [name], new AbortController().signal);
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  }

  async type(seat: Seat, line: string): Promise<void> {
    await this.#press(seat, `${line}\n`);
  }

  actionMark(seat: Seat): ActionMark | undefined {
    return this.#holdings.stateOf(seat)?.action;
  }

  async setActionMark(seat: Seat, mark: ActionMark | undefined): Promise<void> {
    const state = this.#holdings.stateOf(seat);
    if (state === undefined) return;
    const { action: _, ...rest } = state;
    await this.#holdings.save(seat.device, mark === undefined ? rest : { ...rest, action: mark });
  }

  async powerOff(device: string): Promise<void> {
    const state = this.#holdings.state(device) ?? (await this.#holdings.folder(device).read());
    await endBoard(this.#context.hash, device, state);
    await this.#kind.powerOff(device);
  }

  async tearDown(device: string): Promise<void> {
    await this.powerOff(device);
    await this.#holdings.forget(device);
  }

  async close(): Promise<void> {
    if (this.#holdings.devices.size > 0) return;
    await this.#kind.close();
  }

  async #press(seat: Seat, text: string): Promise<void> {
    const { input } = this.#holdings.folder(seat.device);
    if (!(await typeText(input, text, () => this.alive(seat))))
      throw new StepFailure('board-gone', `nobody reads the console of ${seat.device}`);
  }

  #board(device: string): LabBoard | undefined {
    return this.#context.boards.find(({ name }) => name === device);
  }

  #consoleFile(seat: Seat): string {
    return this.#context.consoleFile(seat.job, seat.device);
  }

  #at(seat: Seat, signal: AbortSignal): LineSeat {
    return {
      ...{ seat, signal, folder: this.#holdings.folder(seat.device) },
      board: this.#board(seat.device),
      note: (line) => note(this.#consoleFile(seat), line),
    };
  }

  #talk(seat: Seat, signal: AbortSignal): Dialogue {
    const file = this.#consoleFile(seat);
    return new Dialogue(file, consoleBytes(file), {
      bytesMax: this.#context.limits.consoleBytes,
      signal,
      isAlive: () => this.alive(seat),
    });
  }

  async #powerOn(seat: Seat, image: string, environment: string, signal: AbortSignal) {
    const consoleFile = this.#consoleFile(seat);
    await mkdir(dirname(consoleFile), { recursive: true });
    const from = consoleBytes(consoleFile);
    const seconds = this.#context.limits.bootSeconds;
    const limit = AbortSignal.timeout(seconds * 1_000);
    const either = AbortSignal.any([signal, limit]);
    try {
      await this.#reachShell(seat, image, either);
      await this.#layOut(seat, environment, either);
      const boot = randomBytes(8).toString('hex');
      const readyFrom = consoleBytes(consoleFile);
      await this.type(seat, readyLine(boot));
      await untilReady(consoleFile, readyFrom, boot, {
        bytesMax: this.#context.limits.consoleBytes,
        signal: either,
        isAlive: () => this.alive(seat),
      });
    } catch (error) {
      if (signal.aborted) throw new StepAborted();
      const tail = lastLine(await consoleTail(consoleFile, from)).slice(0, 300);
      const said = tail === '' ? '' : `; the last line of its console: ${tail}`;
      const why = limit.aborted ? `not within ${seconds} s` : messageOf(error);
      throw new StepFailure('boot-failed', `the board did not boot: ${why}${said}`);
    }
  }

  /** One that ends before it has a shell is started again: it may have rebooted to go on. */
  async #reachShell(seat: Seat, image: string, signal: AbortSignal): Promise<void> {
    for (let started = 1; ; started += 1) {
      try {
        await this.#start(seat, image, signal);
        return await this.#logIn(seat, signal);
      } catch (error) {
        const isEnd = error instanceof StepFailure && error.code === 'board-gone';
        if (!isEnd) throw error;
        if (started >= STARTS_MAX)
          throw new StepFailure(
            'boot-failed',
            `it started ${started} times, and ended each time before it had a shell`,
          );
        await this.powerOff(seat.device);
        await note(
          this.#consoleFile(seat),
          'the board ended before it had a shell: starting it again',
        );
      }
    }
  }

  async #start(seat: Seat, image: string, signal: AbortSignal): Promise<void> {
    const at = this.#at(seat, signal);
    await at.folder.layOut();
    const program = await this.#kind.program(at, image);
    const facts = {
      volume: at.folder.volume,
      console: this.#consoleFile(seat),
      blocks: consoleBlocks(this.#context.limits.consoleBytes),
    };
    const launch = {
      script: assignments(facts) + LINE_LAUNCH,
      args: ['setsid', 'sh', '-c', LINE_INIT, 'sh', ...program],
      environment: {
        PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin',
        HOME: process.env.HOME ?? '/',
        TERM: 'dumb',
        [MARK_VARIABLE]: markOf(this.#context.hash, seat.device),
      },
    };
    const connect = () => this.#kind.connect(at);
    await startBoard(this.#holdings, seat, launch, { signal, connect });
  }

  async #logIn(seat: Seat, signal: AbortSignal): Promise<void> {
    const talk = this.#talk(seat, signal);
    const nonce = randomBytes(4).toString('hex');
    await logIn({
      ...{ talk, nonce, login: this.#kind.login(this.#board(seat.device)) },
      type: (line) => this.type(seat, line),
      press: (characters) => this.#press(seat, characters),
    });
    const mark = markOf(this.#context.hash, seat.device);
    await this.type(seat, loopLine({ home: this.home(seat), mark, job: seat.job, nonce }));
    if ((await talk.expect([loopAnswer(nonce)], LOOP_ANSWER_MS)) === undefined)
      throw new StepFailure('boot-failed', 'its shell does not take a command');
  }

  /** What every board has in MUSTER_HOME from its start, and its name and network. */
  async #layOut(seat: Seat, environment: string, signal: AbortSignal): Promise<void> {
    const staging = await this.staging(seat);
    for (const name of ['bin', 'lib'])
      await cp(join(this.#context.boardFiles, name), join(staging, name), {
        recursive: true,
        dereference: true,
      });
    await writeFile(join(staging, 'env'), environment, { mode: 0o600 });
    const setup = setupScript(seat.device, this.#kind.network(seat));
    await writeFile(join(staging, 'setup'), setup);
    await this.#carry(seat, staging, ['bin', 'lib', 'env', 'setup'], signal);
    await rm(staging, { recursive: true, force: true });
    await this.#run(seat, `sh ${shellQuoted(`${this.home(seat)}/setup`)}`, signal);
  }

  /** Has the board take what lies in a folder of the worker, each name in the place of what had it before. */
  async #carry(seat: Seat, from: string, names: readonly string[], signal: AbortSignal) {
    const at = this.#at(seat, signal);
    const archive = `${from}.tar`;
    try {
      const packed = await runProgram(
        'tar',
        ['--owner=0', '--group=0', '-C', from, '-cf', archive, '--', ...names],
        { timeoutMs: HAND_MS },
      );
      if (packed.status !== 0)
        throw new StepFailure('install-failed', `cannot pack files: ${lastLine(packed.stderr)}`);
      const command = await this.#kind.carry(at, archive);
      if (command === undefined) throw new StepFailure('install-failed', 'no way to the board');
      const place = placeScript(this.home(seat), names);
      const status = await this.#run(seat, `${command}|${place}`, signal);
      if (status !== 0)
        throw new StepFailure(
          'install-failed',
          `cannot lay ${names.map((name) => `${this.home(seat)}/${name}`).join(', ')} on the board: status ${status}`,
        );
    } finally {
      await rm(archive, { force: true });
    }
  }

  /** Runs a line on the board's shell to its end. An action that runs already has the shell: then it comes after it. */
  async #run(seat: Seat, line: string, signal: AbortSignal): Promise<number> {
    const talk = this.#talk(seat, signal);
    const word = randomBytes(6).toString('hex');
    await this.type(seat, `${line};${markLine(word)}`);
    if (this.actionMark(seat) !== undefined) return 0;
    const said = await talk.expect([markAnswer(word)], HAND_MS);
    if (said === undefined)
      throw new StepFailure('install-failed', 'the board does not answer on its console');
    return Number(said.match[1]);
  }
}

/** How large a file is, in bytes. */
export const bytesOf = async (file: string): Promise<number> => (await stat(file)).size;
