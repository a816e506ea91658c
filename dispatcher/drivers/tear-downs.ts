/** What must be done before a board is free, and may not succeed: tried again by the lane, but not for ever. */
import type { Log } from './driver.ts';

const TRIES_MAX = 5;

export class TearDowns {
  readonly #log: Log;
  readonly #failed = new Map<string, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Does it. When it has failed often enough it is given up: the next boot of the board begins with the same, and says
   * so to whoever asked for it.
   */
  async do(device: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      const tried = (this.#failed.get(device) ?? 0) + 1;
      this.#failed.set(device, tried);
      if (tried < TRIES_MAX) throw error;
      const about = { device, err: error };
      this.#log.error(about, 'a board is given up as it is: it is not off, or not clean');
    }
    this.#failed.delete(device);
  }
}
