/** Time that passes only when a test says so, shared by every engine that is given it. */
import type { Clock } from '../../engine/clock.ts';

interface Timer {
  due: number;
  callback: () => void;
}

/** Resolves when everything that waits for promises alone has run: in memory nothing waits for more. */
export const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class VirtualClock {
  #now: number;
  #timers: Timer[] = [];

  constructor(now = 1_700_000_000_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /**
   * One process's own view of the time: `stop` is the end of that process, and none of its timers fires any more.
   * `aheadMs`: how far its clock is ahead of the others.
   */
  process(aheadMs = 0): { clock: () => Clock; stop: () => void } {
    const own = new Set<Timer>();
    let isOver = false;
    const after = (ms: number, callback: () => void) => {
      const timer = { due: this.#now + ms, callback };
      if (!isOver) this.#timers.push(timer);
      own.add(timer);
      return () => this.#drop([timer]);
    };
    const stop = () => {
      isOver = true;
      this.#drop([...own]);
    };
    const turnsEnd = () => Promise.resolve();
    return { clock: () => ({ now: () => this.#now + aheadMs, after, turnsEnd }), stop };
  }

  /** A clock for one engine that lives as long as the test. */
  readonly clock = (): Clock => this.process().clock();

  /** Lets so much time pass, timer by timer, each with all that follows from it. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await quiet();
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.due > end) break;
      this.#now = Math.max(this.#now, next.due);
      this.#drop([next]);
      next.callback();
      await quiet();
    }
    this.#now = end;
    await quiet();
  }

  /** The machine slept for so long: what came due meanwhile fires now, all of it late. */
  async jump(ms: number): Promise<void> {
    this.#now += ms;
    await this.pass(0);
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers)
      if (first === undefined || timer.due < first.due) first = timer;
    return first;
  }

  #drop(timers: readonly Timer[]): void {
    this.#timers = this.#timers.filter((timer) => !timers.includes(timer));
  }
}
