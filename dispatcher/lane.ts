/** One board of the worker, brought to what the server owes its member: one thing at a time, and the end at once. */
import { setTimeout as delay } from 'node:timers/promises';
import { HandsRefused } from '../wire/board-hands.ts';
import type { Owed } from '../wire/server-port.ts';
import { consoleTail, note } from './console.ts';
import { ConsoleTimes } from './console-times.ts';
import type { Driver, Holding } from './drivers/driver.ts';
import { messageOf, StepAborted } from './failure.ts';
import { runStep, type StepContext, type Task } from './member-step.ts';
import { Operator } from './operator.ts';
import { BoardLine } from './transport/board-line.ts';

const RETRY_MS = 1_000;

interface LaneOptions {
  device: string;
  /** What the lab names for its type. */
  image: string;
  context: Omit<StepContext, 'line'>;
  driver: Driver;
  stopped: AbortSignal;
  /** Ask the server anew. */
  ask(): void;
  /** It has nothing to do any more. */
  idle(): void;
}

/** Does one thing at a time, until what is there is what is wanted. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #times = new ConsoleTimes();
  readonly #line = new BoardLine();
  #wanted: Owed | undefined;
  #running: { step: string; controller: AbortController } | undefined;
  /** The step that ended last: a server that did not yet see its report may still name it. */
  #ended: string | undefined;
  #working: Promise<void> | undefined;
  #lookAgain = false;
  #halting: Promise<void> | undefined;
  /** For whoever wants the board while no job has it. */
  readonly operator: Operator;

  constructor(options: LaneOptions) {
    this.#options = options;
    const { device, driver, stopped, context } = options;
    this.operator = new Operator({
      ...{ device, driver, stopped, log: context.log, consoleBytesMax: context.consoleBytesMax },
      under: () => this.#under(),
      idle: () => {
        if (this.isIdle) options.idle();
      },
    });
    options.stopped.addEventListener('abort', this.#breakOff);
  }

  readonly #breakOff = (): void => this.#running?.controller.abort();

  /** Another one has the board from now on. */
  leave(): void {
    this.#options.stopped.removeEventListener('abort', this.#breakOff);
  }

  want(owed: Owed | undefined): void {
    this.#wanted = owed;
    if (this.#running !== undefined && this.#running.step !== stepName(owed))
      this.#running.controller.abort();
    const here = this.driver.holding(this.#options.device);
    if (here !== undefined && !isOf(here, owed)) this.#powerOff();
    this.#look();
  }

  /** Whether it does this, or has the board for it. */
  isAt(owed: Owed | undefined): boolean {
    if (owed === undefined) return false;
    const here = this.driver.holding(this.#options.device);
    return here === undefined ? this.#wanted?.lease === owed.lease : isOf(here, owed);
  }

  /** Nobody has the board, and nothing is done to it. */
  get isIdle(): boolean {
    const isHeld = this.driver.holding(this.#options.device) !== undefined;
    const isAtWork = this.#working !== undefined || this.#halting !== undefined;
    return this.#wanted === undefined && !isHeld && !isAtWork && !this.operator.isBusy;
  }

  get driver(): Driver {
    return this.#options.driver;
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#working;
    await this.#halting;
    if (!this.#options.stopped.aborted) return;
    await this.operator.leave('');
    this.#line.close();
    await this.#times.stop();
  }

  /** What is under way of a job that is over. @throws HandsRefused when a job has the board */
  #under(): Promise<void> | undefined {
    const { device, stopped } = this.#options;
    if (stopped.aborted) throw new HandsRefused('worker-away', 'its worker is stopping');
    const job = this.#wanted?.job;
    if (job !== undefined)
      throw new HandsRefused('not-idle', `job ${job} has ${device}: cancel it first`);
    return this.#working ?? this.#halting;
  }

  /**
   * The board's member has ended, or it never was one's: nothing of it runs on while a step here still winds down, or
   * the server is asked for the last words. What fails here is tried again when the board is taken down.
   */
  #powerOff(): void {
    this.#halting ??= this.driver
      .powerOff(this.#options.device)
      .catch(() => undefined)
      .finally(() => {
        this.#halting = undefined;
        if (this.isIdle) this.#options.idle();
      });
  }

  #look(): void {
    this.#lookAgain = true;
    if (this.#working !== undefined || this.#options.stopped.aborted) return;
    this.#working = this.#work().finally(() => {
      this.#working = undefined;
      if (this.#lookAgain) this.#look();
      else if (this.isIdle) this.#options.idle();
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
    if (here !== undefined && !isOf(here, owed)) {
      await this.#takeDown(here);
      this.#lookAgain = true;
      return;
    }
    if (owed !== undefined) await this.operator.leave(`job ${owed.job} has the board now`);
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
      const { url } = await context.server.access(owed.job, owed.device);
      await this.driver.letReach(url.split(' '));
      await this.#times.watch(context.consoleFile(owed.job, owed.device));
      await runStep({ ...context, line: this.#line }, owed, controller.signal);
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

  /** The end of all that runs on it, then the last words on its console, then the end of the board. */
  async #takeDown(here: Holding): Promise<void> {
    const { context, driver, device } = this.#options;
    this.#line.close();
    await this.#halting;
    await driver.powerOff(device);
    const ended = await context.server.ended(here.job, device);
    if (ended !== undefined && ended.lines.length > 0)
      await lastWords(context.consoleFile(here.job, device), ended.lines);
    await this.#times.stop();
    await driver.tearDown(device);
  }
}

const isOf = (here: Holding, owed: Owed | undefined): boolean =>
  owed?.job === here.job && owed.lease === here.lease;

/** A take-down that was broken off, or failed, is done again: what it said stands there already. */
async function lastWords(consoleFile: string, lines: readonly string[]): Promise<void> {
  const said = lines.map((line) => `muster: ${line}\n`).join('');
  const end = await consoleTail(consoleFile, 0, { bytes: Buffer.byteLength(said) });
  if (end !== said) await note(consoleFile, ...lines);
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
