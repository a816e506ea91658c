/**
 * Requests that are held until their wait ends. A wait lives in the log; here is only who is on the line for it.
 *
 * A wait without anybody on the line for `RESUME_GRACE_MS` is given up (SEMANTICS 2.3, "A verb that was killed"):
 * until then its board may come back to it with the key of the request. Nobody is given up before the door is open,
 * through which boards come back (2.4, "Coming back").
 */
import type { JobEvent } from '../machines/events.ts';
import type { WaitEnd } from '../wire/board-answers.ts';
import type { Clock } from './clock.ts';

/** What a wait asks for, as `WaitStarted` recorded it. */
export type Asked = Extract<JobEvent, { type: 'WaitStarted' }>['data'];

/** How long a wait stays open with nobody on the line. */
export const RESUME_GRACE_MS = 10_000;

interface Held {
  /** Known once somebody was on the line. */
  asked: Asked | undefined;
  holders: Set<(end: WaitEnd) => void>;
  callOff: (() => void) | undefined;
}

export class Waiters {
  readonly #clock: Clock;
  readonly #giveUp: (stream: string, wait: number) => void;
  readonly #held = new Map<string, Held>();
  #isOpen = false;

  constructor(clock: Clock, giveUp: (stream: string, wait: number) => void) {
    this.#clock = clock;
    this.#giveUp = giveUp;
  }

  /** Boards can come back from now on. */
  open(): void {
    this.#isOpen = true;
    for (const [key, held] of this.#held)
      if (held.holders.size === 0 && held.callOff === undefined) this.#startGrace(key, held);
  }

  /** How many waits have somebody on the line. */
  get count(): number {
    let n = 0;
    for (const { holders } of this.#held.values()) if (holders.size > 0) n++;
    return n;
  }

  /**
   * Holds on to an open wait. Resolves with its end, or with `undefined` when the signal aborts first: the
   * caller went away, or has to come again.
   */
  hold(stream: string, asked: Asked, signal: AbortSignal): Promise<WaitEnd | undefined> {
    const { wait } = asked;
    const key = keyOf(stream, wait);
    const held = this.#of(key);
    held.asked = asked;
    held.callOff?.();
    held.callOff = undefined;
    return new Promise((resolve) => {
      const leave = () => {
        held.holders.delete(answer);
        if (held.holders.size === 0) this.#startGrace(key, held);
        resolve(undefined);
      };
      const answer = (end: WaitEnd) => {
        signal.removeEventListener('abort', leave);
        resolve(end);
      };
      held.holders.add(answer);
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Whether somebody is on the line for a wait, or may come back to it here. */
  knows(stream: string, wait: number): boolean {
    return this.#held.has(keyOf(stream, wait));
  }

  /** Its board is on the line elsewhere now: here nobody gives it up. */
  leave(stream: string, wait: number): void {
    const key = keyOf(stream, wait);
    const held = this.#held.get(key);
    if (held === undefined || held.holders.size > 0) return;
    held.callOff?.();
    this.#held.delete(key);
  }

  /** A wait that is open in the log, with nobody on the line yet: its grace begins now, or when the door opens. */
  expect(stream: string, wait: number): void {
    const key = keyOf(stream, wait);
    const held = this.#of(key);
    if (held.holders.size === 0 && held.callOff === undefined) this.#startGrace(key, held);
  }

  /**
   * The wait has ended: answers everybody on the line. `undefined`: its own member has ended, and whoever is on the line
   * stays there unheard, until the board is off or the call has to be made again.
   */
  end(stream: string, wait: number, end: (asked: Asked) => WaitEnd | undefined): void {
    const key = keyOf(stream, wait);
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    held.callOff?.();
    if (held.holders.size === 0 || held.asked === undefined) return;
    const answer = end(held.asked);
    if (answer !== undefined) for (const holder of held.holders) holder(answer);
  }

  stop(): void {
    for (const held of this.#held.values()) held.callOff?.();
    this.#held.clear();
  }

  #of(key: string): Held {
    let held = this.#held.get(key);
    if (held === undefined) {
      held = { asked: undefined, holders: new Set(), callOff: undefined };
      this.#held.set(key, held);
    }
    return held;
  }

  #startGrace(key: string, held: Held): void {
    if (!this.#isOpen || this.#held.get(key) !== held) return;
    held.callOff = this.#clock.after(RESUME_GRACE_MS, () => {
      held.callOff = undefined;
      if (this.#held.get(key) !== held) return;
      const [stream = '', wait] = key.split(' ');
      this.#giveUp(stream, Number(wait));
    });
  }
}

/** No name of a stream has a blank. */
const keyOf = (stream: string, wait: number): string => `${stream} ${wait}`;
