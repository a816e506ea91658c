/**
 * Boards at the far end of a line: a program of the worker has their console, and all that is done on them is typed
 * there. What all of them share is here: whose they are, power and login; their shell, and how files get there, is
 * `line-shell.ts`. What the line is, and where power and images come from, is a `LineKind`.
 */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Power } from '../../machines/events.ts';
import { consoleBytes, consoleTail, note } from '../console.ts';
import { codeOf, messageOf, StepAborted, StepFailure, throwIfAborted } from '../failure.ts';
import { lastLine } from '../programs.ts';
import { loopAnswer, loopLine } from './board-shell.ts';
import { readyLine, untilReady } from './console-pump.ts';
import type { Dialogue } from './dialogue.ts';
import type { ActionMark, Driver, DriverContext, Holding, OpenConsole, Seat } from './driver.ts';
import { EndWatch } from './end-watch.ts';
import { Holdings } from './holdings.ts';
import { aroundBoard } from './lab-commands.ts';
import { endBoard } from './launch.ts';
import type { LineKind } from './line-kind.ts';
import { LineShell } from './line-shell.ts';
import { type LineParts, openLine } from './line-start.ts';
import { logIn } from './login.ts';
import { openOperatorLine } from './operator-line.ts';
import { markOf } from './processes.ts';
import { TearDowns } from './tear-downs.ts';

const LOOP_ANSWER_MS = 20_000;
/** A board that starts anew before it has a shell is let do so this often. */
const STARTS_MAX = 3;

export class LineDriver implements Driver {
  readonly #context: DriverContext;
  readonly #kind: LineKind;
  readonly #holdings: Holdings;
  readonly #tearDowns: TearDowns;
  readonly #shell: LineShell;
  /** What is known of the consoles of actions that run; by device. */
  readonly #watches = new Map<string, { job: number; watch: EndWatch }>();

  constructor(context: DriverContext, kind: LineKind) {
    this.#context = context;
    this.#kind = kind;
    this.#holdings = new Holdings(context);
    this.#tearDowns = new TearDowns(context.log);
    this.#shell = new LineShell(this.#parts);
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
      if (this.#holdings.state(device)?.action !== undefined) this.#shell.mayBeBusy(device);
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
    await this.#kind.deploy(this.#shell.at(seat, signal), image);
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
      const at = { ...this.#shell.at(seat, signal), device, job };
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
    return this.#shell.alive(seat);
  }

  async gone(seat: Seat): Promise<string | undefined> {
    let watch = this.#watches.get(seat.device);
    if (watch?.job !== seat.job) {
      const from = this.actionMark(seat)?.from ?? consoleBytes(this.#shell.consoleFile(seat));
      const { bootloader, auto_login } = this.#kind.login(this.#shell.board(seat.device));
      const prompts = [bootloader?.prompt, auto_login?.login_prompt].flatMap((word) => word ?? []);
      watch = { job: seat.job, watch: new EndWatch(this.#shell.consoleFile(seat), from, prompts) };
      this.#watches.set(seat.device, watch);
    }
    return watch.watch.look(this.alive(seat) ? undefined : this.#kind.isClosed);
  }

  letReach(urls: readonly string[]): Promise<void> {
    return this.#kind.letReach(urls);
  }

  variables(seat: Seat): readonly (readonly [string, string])[] {
    return this.#kind.variables?.(seat) ?? [];
  }

  home(seat: Seat): string {
    return this.#shell.home(seat);
  }

  staging(seat: Seat): Promise<string> {
    return this.#shell.staging(seat);
  }

  hand(seat: Seat, made: string, name: string): Promise<void> {
    return this.#shell.hand(seat, made, name);
  }

  type(seat: Seat, line: string): Promise<void> {
    return this.#shell.type(seat, line);
  }

  actionMark(seat: Seat): ActionMark | undefined {
    return this.#holdings.stateOf(seat)?.action;
  }

  async setActionMark(seat: Seat, mark: ActionMark | undefined): Promise<void> {
    this.#shell.isFree(seat.device);
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
    this.#shell.isFree(device);
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

  async #powerOn(seat: Seat, image: string, environment: string, signal: AbortSignal) {
    const consoleFile = this.#shell.consoleFile(seat);
    await mkdir(dirname(consoleFile), { recursive: true });
    const from = consoleBytes(consoleFile);
    const seconds = this.#context.limits.bootSeconds;
    const limit = AbortSignal.timeout(seconds * 1_000);
    const either = AbortSignal.any([signal, limit]);
    try {
      await this.#reachShell(seat, image, either);
      await this.#shell.layOut(seat, environment, either);
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
      throw new StepFailure('boot-failed', `the board did not boot: ${why}${said}`, {
        cause: error,
      });
    }
  }

  /** One that ends before it has a shell is started again: it may have rebooted to go on. */
  async #reachShell(seat: Seat, image: string, signal: AbortSignal): Promise<void> {
    const startsMax = this.#kind.startsMax ?? STARTS_MAX;
    for (let started = 1; ; started += 1) {
      const talk = this.#shell.talk(seat, signal);
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
        await note(this.#shell.consoleFile(seat), again);
      }
    }
  }

  async #start(seat: Seat, image: string, signal: AbortSignal): Promise<void> {
    const at = this.#shell.at(seat, signal);
    await openLine(this.#parts, at, image);
    await this.#kind.powerOn?.(at);
  }

  async #logIn(seat: Seat, talk: Dialogue, signal: AbortSignal): Promise<void> {
    const board = this.#shell.board(seat.device);
    const nonce = randomBytes(4).toString('hex');
    const silentSeconds = this.#kind.silentSeconds?.(board);
    const reset = this.#kind.reset?.bind(this.#kind);
    await logIn({
      ...{ talk, nonce, login: this.#kind.login(board) },
      ...(silentSeconds === undefined ? {} : { silentSeconds }),
      ...(reset === undefined ? {} : { reset: () => reset(this.#shell.at(seat, signal)) }),
      type: (line) => this.type(seat, line),
      press: (characters) => this.#shell.press(seat, characters),
    });
    const mark = markOf(this.#context.hash, seat.device);
    await this.type(seat, loopLine({ home: this.home(seat), mark, job: seat.job, nonce }));
    if ((await talk.expect([loopAnswer(nonce)], LOOP_ANSWER_MS)) === undefined)
      throw new StepFailure('boot-failed', 'its shell does not take a command');
  }
}
