/**
 * Reports on their way to the server: many at once, because each is durable only some milliseconds later, and in their
 * order. What cannot be now is tried again as long as the step is owed.
 */
import { setTimeout as delay } from 'node:timers/promises';

const IN_FLIGHT_MAX = 64;
/** More than these are not read from a console before the server has taken some. */
const WAITING_MAX = 512;
const RETRY_MS = 1_000;

export class Outbox<T> {
  readonly #send: (item: T) => Promise<'done' | 'again'>;
  readonly #signal: AbortSignal;
  #waiting: T[] = [];
  #pumping: Promise<void> | undefined;
  #failed: { error: unknown } | undefined;

  /** @param send what it throws ends everything, and is thrown to whoever adds or waits */
  constructor(send: (item: T) => Promise<'done' | 'again'>, signal: AbortSignal) {
    this.#send = send;
    this.#signal = signal;
  }

  /** Resolves when there is room for the next one. */
  async add(item: T): Promise<void> {
    this.#rethrow();
    this.#waiting.push(item);
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined;
    });
    if (this.#waiting.length >= WAITING_MAX) await this.settled();
  }

  /** Resolves when all that was added is with the server. */
  async settled(): Promise<void> {
    await this.#pumping;
    this.#rethrow();
  }

  #rethrow(): void {
    if (this.#failed !== undefined) throw this.#failed.error;
  }

  async #pump(): Promise<void> {
    try {
      // Whoever adds in the same turn goes along.
      await Promise.resolve();
      while (this.#waiting.length > 0) {
        const flight = this.#waiting.slice(0, IN_FLIGHT_MAX);
        const ends = await Promise.all(flight.map((item) => this.#send(item)));
        const again = flight.filter((_, index) => ends[index] === 'again');
        this.#waiting.splice(0, flight.length, ...again);
        if (again.length > 0)
          await delay(RETRY_MS, undefined, { signal: this.#signal }).catch(() => undefined);
      }
    } catch (error) {
      this.#failed = { error };
      this.#waiting = [];
    }
  }
}
