/** The engine's only source of time. Everything below it is told the time (STYLE.md 5). */

export interface Clock {
  /** Milliseconds since the epoch; never goes back. */
  now(): number;
  /** Calls back once after `ms`; returns the way to call it off. */
  after(ms: number, callback: () => void): () => void;
  /** Resolves when all that is ready now was taken in: what comes in one turn is decided, and made durable, together. */
  turnsEnd(): Promise<void>;
}

/** Node's timers take at most this many milliseconds; a longer wait is taken in legs. */
const TIMER_MS_MAX = 2_147_483_647;

/**
 * Wall time at the start, monotonic from then on: a wall clock that jumps moves no deadline.
 *
 * @param notBefore the time of the last event of the log: time goes on from there if the wall clock was set back
 */
export function systemClock(notBefore = 0): Clock {
  const start = Math.max(Date.now(), notBefore);
  const origin = performance.now();
  const now = () => Math.floor(start + performance.now() - origin);
  return {
    now,
    turnsEnd: turnsEnds(),
    after(ms, callback) {
      const due = now() + ms;
      let timer: NodeJS.Timeout;
      const arm = () => {
        const left = due - now();
        if (left <= 0) callback();
        else timer = setTimeout(arm, Math.min(Math.ceil(left), TIMER_MS_MAX));
      };
      timer = setTimeout(arm, Math.min(Math.max(0, Math.ceil(ms)), TIMER_MS_MAX));
      return () => clearTimeout(timer);
    },
  };
}

/** Of Node's event loop: when every socket that was ready was read. One callback ends the turn for all who wait. */
function turnsEnds(): () => Promise<void> {
  let waiting: (() => void)[] = [];
  const end = () => {
    const now = waiting;
    waiting = [];
    for (const resolve of now) resolve();
  };
  return () =>
    new Promise((resolve) => {
      if (waiting.length === 0) setImmediate(end);
      waiting.push(resolve);
    });
}
