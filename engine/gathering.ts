/**
 * Whom the next append of a stream waits for, where an append takes long.
 *
 * Whoever speaks while an append is under way waits for its end. If the next append began then, those who speak again and
 * again would become two halves that take turns, each waiting for the append of the other. So those whom an append has
 * answered are given a moment to come again, and share the next one with those who wait.
 */
import type { Clock } from './clock.ts';

/** An append that took as long, in milliseconds: one less is worth the moment. */
export const LONG_MS_MIN = 2;
export const MOMENT_MS = 1;

export class Gathering {
  readonly #clock: Pick<Clock, 'after'>;
  /** How many of those whom the last append answered may still come. */
  #expected = 0;
  #callOff: (() => void) | undefined;
  #whenOver: (() => void) | undefined;

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  /** An append of `answered` commands took `ms`. */
  appended(answered: number, ms: number): void {
    this.#end();
    if (ms < LONG_MS_MIN) return;
    this.#expected = answered;
    this.#callOff = this.#clock.after(MOMENT_MS, () => this.#end());
  }

  /** One who was answered came again, or does not come: it waits for something else. */
  seen(): void {
    if (this.#expected > 0 && --this.#expected === 0) this.#end();
  }

  /** Resolves when nobody is waited for. */
  async gathered(): Promise<void> {
    if (this.#expected === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenOver = resolve;
    });
  }

  #end(): void {
    this.#expected = 0;
    this.#callOff?.();
    this.#callOff = undefined;
    this.#whenOver?.();
    this.#whenOver = undefined;
  }
}
