/**
 * Work that may wait, on the thread that also answers boards: it is done in slices, in the order in which it was
 * asked for, and between two slices whatever else there is to do has its turn.
 */

/** Of one turn of the event loop: a verb that comes meanwhile waits no longer for it. */
const SLICE_MS_MAX = 2;
/** Between two slices, while there is more to do: boards come as they like. */
const REST_MS = 2;

export class Turns {
  readonly #waiting = new Set<() => void>();
  #isRunning = false;

  /**
   * Runs `work` when it is its turn.
   *
   * @returns what it returned; `undefined`, without running it, once the signal has aborted
   */
  run<T>(signal: AbortSignal, work: () => T): Promise<T | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const turn = () => {
        signal.removeEventListener('abort', leave);
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      };
      const leave = () => {
        this.#waiting.delete(turn);
        resolve(undefined);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.add(turn);
      if (!this.#isRunning) setImmediate(() => this.#slice());
      this.#isRunning = true;
    });
  }

  #slice(): void {
    const end = performance.now() + SLICE_MS_MAX;
    for (const turn of this.#waiting) {
      this.#waiting.delete(turn);
      turn();
      if (performance.now() >= end) break;
    }
    this.#isRunning = this.#waiting.size > 0;
    if (this.#isRunning) setTimeout(() => this.#slice(), REST_MS);
  }
}
