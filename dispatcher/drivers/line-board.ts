/**
 * Boards at the far end of a line: a program of the worker has their console, and all that is done on them is typed
 * there. What all of them share is here: whose they are, power, login, the shell, how files get there. What the line
 * is, and where power and images come from, is a `LineKind`.
 */
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Power } from '../../machines/events.ts';
import { consoleBytes, consoleTail, note } from '../console.ts';
import { codeOf, messageOf, StepAborted, StepFailure, throwIfAborted } from '../failure.ts';
import { lastLine, runProgram, shellQuoted } from '../programs.ts';
import {
  loopAnswer,
  loopLine,
  markAnswer,
  markLine,
  placeScript,
  setupScript,
} from './board-shell.ts';
import { readyLine, typeText, untilReady } from './console-pump.ts';
import { Dialogue } from './dialogue.ts';
import type {
  ActionMark,
  Driver,
  DriverContext,
  Holding,
  LabBoard,
  OpenConsole,
  Seat,
} from './driver.ts';
import { EndWatch } from './end-watch.ts';
import { Holdings } from './holdings.ts';
import { aroundBoard } from './lab-commands.ts';
import { endBoard } from './launch.ts';
import type { LineKind, LineSeat } from './line-kind.ts';
import { type LineParts, openLine } from './line-start.ts';
import { logIn } from './login.ts';
import { openOperatorLine } from './operator-line.ts';
import { isAlive, markOf } from './processes.ts';
import { TearDowns } from './tear-downs.ts';
import { typeArchive } from './typed-archive.ts';

const LOOP_ANSWER_MS = 20_000;
const HAND_MS = 600_000;
/** A board that starts anew before it has a shell is let do so this often. */
const STARTS_MAX = 3;

export class LineDriver implements Driver {
  readonly #context: DriverContext;
  readonly #kind: LineKind;
  readonly #holdings: Holdings;
  /** What is known of the consoles of actions that run; by device. */
  readonly #tearDowns: TearDowns;
  /** Boards of an earlier life whose shell may still run an action: what is typed comes after it. */
  readonly #mayBeBusy = new Set<string>();
  readonly #watches = new Map<string, { job: number; watch: EndWatch }>();

  constructor(context: DriverContext, kind: LineKind) {
    this.#context = context;
    this.#kind = kind;
    this.#holdings = new Holdings(context);
    this.#tearDowns = new TearDowns(context.log);
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
    for (const { device } of found)
      if (this.#holdings.state(device)?.action !== undefined) this.#mayBeBusy.add(device);
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
    const failed = (error: unknown) => {
      if (codeOf(error) !== 'command-failed') throw error;
      throw new StepFailure('boot-failed', `the board did not boot: ${messageOf(error)}`);
    };
    if (this.#holdings.stateOf(seat)?.image !== image)
      await this.deploy(seat, image, signal).catch(failed);
    try {
      await this.#switchOff(device);
      await this.#holdings.save(device, { job, lease, image });
      const at = { ...this.#at(seat, signal), device, job };
      await aroundBoard(this.#context, 'pre_boot', at);
      await this.#powerOn(seat, image, environment, signal);
      await aroundBoard(this.#context, 'post_boot', at);
    } catch (error) {
      // Why it did not boot is said, and not that it cannot be switched off either: that is tried again.
      await this.powerOff(device);
      await this.#holdings.save(device, { job, lease, image });
      failed(error);
    }
    const address = this.addressOf(device);
    return address === undefined ? {} : { address };
  }

  alive(seat: Seat): boolean {
    const process = this.#holdings.stateOf(seat)?.process;
    return process !== undefined && isAlive(process);
  }

  async gone(seat: Seat): Promise<string | undefined> {
    let watch = this.#watches.get(seat.device);
    if (watch?.job !== seat.job) {
      const from = this.actionMark(seat)?.from ?? consoleBytes(this.#consoleFile(seat));
      const { bootloader, auto_login } = this.#kind.login(this.#board(seat.device));
      const prompts = [bootloader?.prompt, auto_login?.login_prompt].flatMap((word) => word ?? []);
      watch = { job: seat.job, watch: new EndWatch(this.#consoleFile(seat), from, prompts) };
      this.#watches.set(seat.device, watch);
    }
    return watch.watch.look(this.alive(seat) ? undefined : this.#kind.isClosed);
  }

  home(seat: Seat): string {
    const { home = '' } = this.#kind.login(this.#board(seat.device));
    return `${home}/lava-${seat.job}`;
  }

  letReach(urls: readonly string[]): Promise<void> {
    return this.#kind.letReach(urls);
  }

  variables(seat: Seat): readonly (readonly [string, string])[] {
    return this.#kind.variables?.(seat) ?? [];
  }

  async staging(seat: Seat): Promise<string> {
    const folder = this.#holdings.folder(seat.device);
    await folder.layOut();
    const path = join(folder.staging, randomBytes(6).toString('hex'));
    await mkdir(path);
    return path;
  }

  async hand(seat: Seat, made: string, name: string): Promise<void> {
    // A folder is handed for an action that begins: the one before it is through.
    if (name !== 'env') this.#mayBeBusy.delete(seat.device);
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
    this.#mayBeBusy.delete(seat.device);
    const state = this.#holdings.stateOf(seat);
    if (state === undefined) return;
    const { action: _, ...rest } = state;
    await this.#holdings.save(seat.device, mark === undefined ? rest : { ...rest, action: mark });
  }

  /** It prints nothing more. That it is off is seen to when it is taken down, and before it boots. */
  async powerOff(device: string): Promise<void> {
    await this.#switchOff(device).catch((error: unknown) => {
      if (codeOf(error) !== 'command-failed') throw error;
      this.#context.log.warn({ device, err: error }, 'a board cannot be switched off');
    });
  }

  async #switchOff(device: string): Promise<void> {
    this.#watches.delete(device);
    this.#mayBeBusy.delete(device);
    const state = this.#holdings.state(device) ?? (await this.#holdings.folder(device).read());
    await endBoard(this.#context.hash, device, state);
    await this.#kind.powerOff(device, state);
  }

  async tearDown(device: string): Promise<void> {
    const job = this.#holdings.holding(device)?.job;
    await this.#tearDowns.do(device, async () => {
      await this.#switchOff(device);
      if (job !== undefined) await aroundBoard(this.#context, 'cleanup', { device, job });
    });
    await this.#holdings.forget(device);
  }

  async close(): Promise<void> {
    if (this.#holdings.devices.size > 0) return;
    await this.#kind.close();
  }

  power(device: string, power: Power, signal: AbortSignal): Promise<void> {
    return this.#kind.power(device, power, {
      isOn: this.#holdings.state(device) !== undefined,
      off: () => this.#switchOff(device),
      signal,
    });
  }

  openConsole(device: string, signal: AbortSignal): Promise<OpenConsole> {
    return openOperatorLine(this.#parts, device, signal);
  }

  get #parts(): LineParts {
    return { context: this.#context, kind: this.#kind, holdings: this.#holdings };
  }

  /** As fast as the lab says that the line can take it. */
  async #press(seat: Seat, text: string): Promise<void> {
    const { input } = this.#holdings.folder(seat.device);
    const { character_delay_ms: delayMs = 0 } = this.#kind.login(this.#board(seat.device));
    for (const part of delayMs === 0 ? [text] : text) {
      if (!(await typeText(input, part, () => this.alive(seat))))
        throw new StepFailure('board-gone', `nobody reads the console of ${seat.device}`);
      if (delayMs > 0) await delay(delayMs);
    }
  }

  #board(device: string): LabBoard | undefined {
    return this.#context.boards.find(({ name }) => name === device);
  }

  #consoleFile(seat: Seat): string {
    return this.#holdings.consoleFile(seat);
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
    const startsMax = this.#kind.startsMax ?? STARTS_MAX;
    for (let started = 1; ; started += 1) {
      const talk = this.#talk(seat, signal);
      try {
        await this.#start(seat, image, signal);
        return await this.#logIn(seat, talk, signal);
      } catch (error) {
        const isEnd = error instanceof StepFailure && error.code === 'board-gone';
        if (!isEnd || startsMax === 1) throw error;
        if (started >= startsMax)
          throw new StepFailure(
            'boot-failed',
            `it started ${started} times, and ended each time before it had a shell`,
          );
        await this.powerOff(seat.device);
        const again = 'the board ended before it had a shell: starting it again';
        await note(this.#consoleFile(seat), again);
      }
    }
  }

  async #start(seat: Seat, image: string, signal: AbortSignal): Promise<void> {
    const at = this.#at(seat, signal);
    await openLine(this.#parts, at, image);
    await this.#kind.powerOn?.(at);
  }

  async #logIn(seat: Seat, talk: Dialogue, signal: AbortSignal): Promise<void> {
    const board = this.#board(seat.device);
    const nonce = randomBytes(4).toString('hex');
    const silentSeconds = this.#kind.silentSeconds?.(board);
    const reset = this.#kind.reset?.bind(this.#kind);
    await logIn({
      ...{ talk, nonce, login: this.#kind.login(board) },
      ...(silentSeconds === undefined ? {} : { silentSeconds }),
      ...(reset === undefined ? {} : { reset: () => reset(this.#at(seat, signal)) }),
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
      const place = placeScript(this.home(seat), names);
      if (this.#kind.deliver !== undefined) return await this.#kind.deliver(at, archive, place);
      const carried = await this.#kind.carry?.(at, archive);
      // Nothing can be typed at a board that is busy: it goes on with what it has.
      if (carried === undefined && this.#mayBeBusy.has(seat.device)) return;
      const command = carried ?? (await this.#typed(seat, archive, signal));
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

  async #typed(seat: Seat, archive: string, signal: AbortSignal): Promise<string> {
    const talk = this.#talk(seat, signal);
    const type = (line: string) => this.type(seat, line);
    const run = (line: string) => this.#run(seat, line, signal);
    return typeArchive({ talk, type, run }, this.home(seat), await readFile(archive));
  }

  /** Runs a line on the board's shell to its end. An action that runs already has the shell: then it comes after it. */
  async #run(seat: Seat, line: string, signal: AbortSignal): Promise<number> {
    const talk = this.#talk(seat, signal);
    const word = randomBytes(6).toString('hex');
    await this.type(seat, `${line};${markLine(word)}`);
    if (this.#mayBeBusy.has(seat.device)) return 0;
    const said = await talk.expect([markAnswer(word)], HAND_MS);
    if (said === undefined)
      throw new StepFailure('install-failed', 'the board does not answer on its console');
    return Number(said.match[1]);
  }
}
