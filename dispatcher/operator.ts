/** What an operator does with one board of the worker while no job has it: its power, and one console. A job comes first. */
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Power } from '../machines/events.ts';
import { type BoardEnd, HandsRefused, type OperatorEnd } from '../wire/board-hands.ts';
import { consoleBytes } from './console.ts';
import type { Driver, Log, OpenConsole } from './drivers/driver.ts';
import { codeOf, messageOf, StepAborted } from './failure.ts';

const CHUNK_BYTES = 64 * 1024;
const POLL_MS_MIN = 10;
const POLL_MS_MAX = 100;

export interface OperatorOptions {
  device: string;
  driver: Driver;
  consoleBytesMax: number;
  stopped: AbortSignal;
  /** What of the last job is still under way there; `undefined`: nobody has the board. @throws HandsRefused when a job has it */
  under(): Promise<void> | undefined;
  /** The operator has nothing of it any more. */
  idle(): void;
  log: Log;
}

export class Operator {
  readonly #is: OperatorOptions;
  #session: { user: string; leave: AbortController; finished: Promise<void> } | undefined;
  /** Switches of the power that are under way, one after another. */
  #switching: Promise<unknown> | undefined;

  constructor(is: OperatorOptions) {
    this.#is = is;
  }

  get isBusy(): boolean {
    return this.#session !== undefined || this.#switching !== undefined;
  }

  /** @throws HandsRefused */
  async power(power: Power, signal: AbortSignal): Promise<void> {
    const { device, driver, stopped } = this.#is;
    // In one turn with what follows: a job may get the board in any other.
    for (let under = this.#is.under(); under !== undefined; under = this.#is.under()) await under;
    const before = this.#switching;
    const switched = (async () => {
      await before?.catch(() => undefined);
      await driver.power(device, power, AbortSignal.any([signal, stopped]));
    })();
    this.#switching = switched;
    try {
      await switched;
    } catch (error) {
      throw refusalOf(error, 'power-failed');
    } finally {
      if (this.#switching === switched) this.#switching = undefined;
      if (!this.isBusy) this.#is.idle();
    }
  }

  /** @throws HandsRefused */
  async openConsole(user: string, operator: OperatorEnd): Promise<BoardEnd> {
    const { device } = this.#is;
    // In one turn with what follows: a job may get the board in any other.
    for (let under = this.#is.under(); under !== undefined; under = this.#is.under()) await under;
    if (this.#session !== undefined)
      throw new HandsRefused('console-taken', `${this.#session.user} has the console of ${device}`);
    const leave = new AbortController();
    const opened = this.#open(leave.signal);
    const ended = { reason: '' };
    const finished = opened
      .then((console) => this.#pass(console, operator, leave.signal))
      .then(
        (reason) => {
          ended.reason = reason;
        },
        () => undefined,
      )
      .finally(() => {
        this.#session = undefined;
        if (!this.isBusy) this.#is.idle();
      });
    this.#session = { user, leave, finished };
    let console: OpenConsole;
    try {
      console = await opened;
    } catch (error) {
      if (leave.signal.aborted) throw new HandsRefused('not-idle', String(leave.signal.reason));
      throw refusalOf(error, 'console-failed');
    }
    void finished.then(() => operator.ended(ended.reason));
    return {
      type: (bytes) => type(console, bytes, operator),
      leave: () => this.#end(leave, finished, 'it was left'),
    };
  }

  /** A job has the board, or nobody will any more: the console ends, and a switch of the power is waited for. */
  async leave(reason: string): Promise<void> {
    if (this.#session !== undefined)
      await this.#end(this.#session.leave, this.#session.finished, reason);
    await this.#switching?.catch(() => undefined);
  }

  async #end(leave: AbortController, finished: Promise<void>, reason: string): Promise<void> {
    leave.abort(reason);
    await finished;
  }

  async #open(left: AbortSignal): Promise<OpenConsole> {
    const { device, driver, stopped } = this.#is;
    // Before a power that is switched is: nobody types at a board that is half on.
    await this.#switching?.catch(() => undefined);
    return driver.openConsole(device, AbortSignal.any([left, stopped]));
  }

  /** What the board prints goes to the operator until one of the two has enough. Says why it ended, when it is closed. */
  async #pass(console: OpenConsole, operator: OperatorEnd, left: AbortSignal): Promise<string> {
    const { device, consoleBytesMax: bytesMax, stopped, log } = this.#is;
    const signal = AbortSignal.any([left, stopped]);
    let reason: string;
    try {
      reason = await passOn(console, operator, { bytesMax, signal });
    } catch (error) {
      reason = messageOf(error);
    }
    if (left.aborted) reason = String(left.reason);
    else if (stopped.aborted) reason = 'whoever drives the board is stopping';
    try {
      await console.close();
    } catch (error) {
      const why = `it could not be closed well: ${messageOf(error)}`;
      log.error({ device, err: error }, `the console of ${device}: ${why}`);
      reason += `; ${why}`;
    }
    return reason;
  }
}

async function passOn(
  { file, gone }: OpenConsole,
  operator: OperatorEnd,
  { bytesMax, signal }: { bytesMax: number; signal: AbortSignal },
): Promise<string> {
  let at = 0;
  let pauseMs = POLL_MS_MIN;
  let over: string | undefined;
  const left = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  while (!signal.aborted) {
    const part = consoleBytes(file) > at ? await readPart(file, at) : Buffer.alloc(0);
    if (part.length > 0) {
      at += part.length;
      pauseMs = POLL_MS_MIN;
      // Whoever takes nothing holds nobody up who wants to end it.
      await Promise.race([operator.printed(part), left]);
      continue;
    }
    if (at >= bytesMax)
      return `the board printed more than ${bytesMax} bytes: open its console again`;
    // The last words of a board are read before its end is believed.
    if (over !== undefined) return over;
    over = gone();
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    pauseMs = Math.min(pauseMs * 1.5, POLL_MS_MAX);
  }
  return '';
}

async function readPart(path: string, at: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, at);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function type(console: OpenConsole, bytes: Uint8Array, operator: OperatorEnd): Promise<void> {
  if (console.gone() !== undefined || (await console.type(bytes))) return;
  if (console.gone() !== undefined) return;
  const lost = `\r\nmuster: the board does not read what is typed: up to ${bytes.length} bytes of it are lost\r\n`;
  await operator.printed(Buffer.from(lost));
}

/** What a driver says, as an operator hears it. */
function refusalOf(error: unknown, failed: 'power-failed' | 'console-failed'): HandsRefused {
  if (error instanceof HandsRefused) return error;
  if (error instanceof StepAborted)
    return new HandsRefused('worker-away', 'it was broken off: it may be half done');
  const code = codeOf(error) === 'not-possible' ? 'not-possible' : failed;
  return new HandsRefused(code, messageOf(error));
}
