/** Runs its steps, one run at a time, whenever something may have changed; a store that is away only delays it. */
import type { Clock } from './clock.ts';

/** After a failure of the store, the loop tries again after this long. */
const RETRY_MS = 1_000;

/** Does what there is to do; answers when it is to be woken at the latest, milliseconds since the epoch. */
export type LoopStep = () => Promise<number | null>;

export class Loop {
  readonly #clock: Clock;
  readonly #steps: readonly LoopStep[];
  readonly #onFailure: (error: unknown) => void;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #callOff: (() => void) | undefined;

  constructor(clock: Clock, steps: readonly LoopStep[], onFailure: (error: unknown) => void) {
    this.#clock = clock;
    this.#steps = steps;
    this.#onFailure = onFailure;
  }

  /** Something may have changed. */
  wake(): void {
    this.#again = true;
    if (this.#stopped || this.#running !== undefined) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      // Somebody may have called between the last look and now.
      if (this.#again) this.wake();
    });
  }

  /** Lets the step that runs end; none begins after it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#callOff?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        let next: number | null = null;
        for (const step of this.#steps) {
          if (this.#stopped) return;
          const at = await step();
          if (at !== null) next = Math.min(next ?? at, at);
        }
        if (next !== null) this.#wakeAt(next);
      } catch (error) {
        this.#onFailure(error);
        this.#wakeAt(this.#clock.now() + RETRY_MS);
      }
    }
  }

  #wakeAt(at: number): void {
    this.#callOff?.();
    this.#callOff = this.#clock.after(Math.max(0, at - this.#clock.now()), () => this.wake());
  }
}
