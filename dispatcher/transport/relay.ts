/**
 * Carries the calls of one board from its console to the boards' door, and the answers back. What is decided is in
 * `exchange.ts` and `upstream-lines.ts`; here are the clock, the requests and the keyboard. It lives as long as its member
 * has the board; between two actions nobody listens, and nobody is given up for being silent then.
 */
import { readFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import type { Log } from '../drivers/driver.ts';
import { callDoor, type DoorAccess } from './door-call.ts';
import { type Effect, Exchange } from './exchange.ts';
import type { FramedCall } from './frames.ts';
import { type UpstreamCall, upstreamReply } from './upstream-lines.ts';

/** Lines that wait to be typed: a board that reads none of them asks again. */
const TYPED_MAX = 1_024;
/** Calls of LAVA's own scripts that are under way on one board. */
const UPSTREAM_MAX = 256;

export interface RelayOptions {
  session: string;
  /** In `lava-group` order: LAVA's own scripts call a member by its number there. */
  group: readonly string[];
  /** The console's file, as far as it was printed when listening began: what stood there was said to somebody else. */
  console: string;
  from: number;
  access(): Promise<DoorAccess>;
  type(line: string): Promise<void>;
  note(line: string): Promise<void>;
  log: Log;
}

export class Relay {
  readonly #is: RelayOptions;
  readonly #exchange: Exchange;
  readonly #closed = new AbortController();
  readonly #calls = new Map<string, AbortController>();
  readonly #upstream = new Set<string>();
  readonly #answered: Set<string>;
  #typing: Promise<void> = Promise.resolve();
  #typed = 0;
  #timer: NodeJS.Timeout | undefined;
  #isListening = false;

  constructor(is: RelayOptions) {
    this.#is = is;
    this.#exchange = new Exchange(is.session);
    this.#answered = answeredBefore(is.console);
  }

  /** An action begins: its console is read from now on. */
  listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#exchange.resume(Date.now());
    this.#wind();
  }

  /** It has ended: what is under way goes on, and nobody is asked for it. */
  rest(): void {
    this.#isListening = false;
    clearTimeout(this.#timer);
  }

  /** The member has no board any more. */
  close(): void {
    this.rest();
    this.#closed.abort();
  }

  /** A frame that stands at byte `at` of the console. */
  hear(text: string, at: number): void {
    if (at >= this.#is.from) this.#do(this.#exchange.hear(text, Date.now()));
  }

  /**
   * A call of LAVA's own scripts. They have no key: its place on the console is one, so that it counts once though the
   * console is read again. One that was answered then is not answered again.
   *
   * @param place the same whenever the console is read
   */
  async callUpstream(call: UpstreamCall, place: string): Promise<void> {
    if (this.#answered.has(place) || this.#upstream.has(place)) return;
    if (this.#upstream.size >= UPSTREAM_MAX) return;
    this.#upstream.add(place);
    const { name, verb, words } = call;
    const body = Buffer.from(words.map((word) => `${word.replaceAll('%', '%25')}\n`).join(''));
    const framed = { verb, key: `line.${this.#is.session}.${place}`, from: '', body };
    try {
      const answer = await callDoor(framed, () => this.#is.access(), this.#closed.signal);
      const numberOf = (device: string) => this.#is.group.indexOf(device) + 1;
      const reply = upstreamReply(name, answer, numberOf);
      if (!answer.startsWith('ok'))
        await this.#is.note(`LAVA_${name} ${words[0]}: ${answer.trim().replace(/^\w+ /, '')}`);
      else if (reply?.endsWith(' nack>'))
        await this.#is.note(`LAVA_${name} ${words[0]}: its data does not fit into a line`);
      if (reply !== undefined) await this.type(reply);
      await appendFile(answeredFile(this.#is.console), `${place}\n`);
    } catch (error) {
      if (!this.#closed.signal.aborted)
        this.#is.log.warn({ err: error, place }, 'a call on a console was not answered');
    } finally {
      this.#upstream.delete(place);
    }
  }

  /** Types a line, after those before it. Resolves when it is typed, or cannot be. */
  type(line: string): Promise<void> {
    if (this.#typed >= TYPED_MAX) return Promise.resolve();
    this.#typed += 1;
    this.#typing = this.#typing
      .then(() => (this.#closed.signal.aborted ? undefined : this.#is.type(line)))
      .catch((error: unknown) => {
        this.#is.log.warn({ err: error }, 'a board does not take what is typed on its console');
      })
      .finally(() => {
        this.#typed -= 1;
      });
    return this.#typing;
  }

  #do(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.do === 'type') void this.type(effect.line);
      else if (effect.do === 'call') void this.#call(effect.id, effect.call);
      else this.#calls.get(effect.id)?.abort();
    }
    this.#wind();
  }

  async #call(id: string, call: FramedCall): Promise<void> {
    const dropped = new AbortController();
    this.#calls.set(id, dropped);
    const signal = AbortSignal.any([this.#closed.signal, dropped.signal]);
    try {
      const answer = await callDoor(call, () => this.#is.access(), signal);
      this.#do(this.#exchange.answered(id, Buffer.from(answer), Date.now()));
    } catch (error) {
      if (!signal.aborted) this.#is.log.warn({ err: error, id }, 'a call on a console failed');
    } finally {
      if (this.#calls.get(id) === dropped) this.#calls.delete(id);
    }
  }

  #wind(): void {
    clearTimeout(this.#timer);
    const at = this.#isListening ? this.#exchange.nextAt : undefined;
    if (at === undefined) return;
    this.#timer = setTimeout(
      () => this.#do(this.#exchange.tick(Date.now())),
      Math.max(0, at - Date.now()),
    ).unref();
  }
}

const answeredFile = (console: string): string => `${console}.answered`;

function answeredBefore(console: string): Set<string> {
  try {
    return new Set(readFileSync(answeredFile(console), 'utf8').split('\n'));
  } catch {
    return new Set();
  }
}
