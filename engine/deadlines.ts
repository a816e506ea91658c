/** Turns deadlines that are due into commands. Which deadlines there are is derived from the jobs, never stored. */
import type { JobCommand } from '../machines/commands.ts';
import type { Clock } from './clock.ts';
import { CommandRefused } from './live-stream.ts';

export interface Due {
  id: string;
  due: number;
  command: JobCommand;
}

/** When a deadline could not be carried out (the store is away), it is tried again after this long. */
const RETRY_MS = 1_000;

export class Deadlines {
  readonly #clock: Clock;
  readonly #carryOut: (stream: string, deadline: Due) => Promise<void>;
  readonly #of = new Map<string, readonly Due[]>();
  /** What was due, or soon to be, when the door opened: nobody could do anything about it until then. */
  #putOff: { until: number; ids: ReadonlySet<string> } = { until: 0, ids: new Set() };
  #timer: { due: number; callOff: () => void } | undefined;
  #isOpen = false;
  #stopped = false;

  constructor(clock: Clock, carryOut: (stream: string, deadline: Due) => Promise<void>) {
    this.#clock = clock;
    this.#carryOut = carryOut;
  }

  /** What is due for this stream from now on; replaces what was said of it before. */
  set(stream: string, deadlines: readonly Due[]): void {
    if (deadlines.length === 0) this.#of.delete(stream);
    else
      this.#of.set(
        stream,
        deadlines.map((deadline) => this.#late(stream, deadline)),
      );
    for (const { due } of this.#of.get(stream) ?? []) this.#wakeAt(due);
  }

  /**
   * The door is open: what is due from now on comes to pass. What came due while nobody could answer, or would in a
   * moment, waits as long as a board has to come back (SEMANTICS 2.4).
   */
  open(graceMs: number): void {
    this.#isOpen = true;
    const ids = [...this.#of].flatMap(([stream, deadlines]) =>
      deadlines.map(({ id }) => `${stream} ${id}`),
    );
    this.#putOff = { until: this.#clock.now() + graceMs, ids: new Set(ids) };
    for (const [stream, deadlines] of this.#of) this.set(stream, deadlines);
  }

  #late(stream: string, deadline: Due): Due {
    const { until, ids } = this.#putOff;
    const isLate = deadline.due < until && ids.has(`${stream} ${deadline.id}`);
    return isLate ? { ...deadline, due: until } : deadline;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.callOff();
  }

  #wakeAt(due: number): void {
    if (this.#stopped || !this.#isOpen || (this.#timer && this.#timer.due <= due)) return;
    this.#timer?.callOff();
    const callOff = this.#clock.after(Math.max(0, due - this.#clock.now()), () => this.#fire());
    this.#timer = { due, callOff };
  }

  #fire(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [stream, deadlines] of this.#of) {
      const due = deadlines.filter((d) => d.due <= now);
      const later = deadlines.filter((d) => d.due > now);
      for (const { due } of later) next = Math.min(next, due);
      if (due.length === 0) continue;
      if (later.length > 0) this.#of.set(stream, later);
      else this.#of.delete(stream);
      for (const deadline of due) void this.#run(stream, deadline);
    }
    if (next < Number.POSITIVE_INFINITY) this.#wakeAt(next);
  }

  async #run(stream: string, deadline: Due): Promise<void> {
    try {
      await this.#carryOut(stream, deadline);
    } catch (error) {
      // Refused: what it was for has ended already.
      if (this.#stopped || error instanceof CommandRefused) return;
      const again = { ...deadline, due: this.#clock.now() + RETRY_MS };
      this.set(stream, [...(this.#of.get(stream) ?? []), again]);
    }
  }
}
