/**
 * Where the next commit is made: in the deciding thread ("here"), where an append waits for the disk alone, or in the
 * log's thread ("there"), where it also waits for two threads to be woken and nobody else waits for the disk. What is
 * quicker is not a setting: it is measured with every commit, as moving estimates. Pure: times are arguments.
 */

export type Place = 'here' | 'there';

/** A group that waits to be committed. */
export interface Weight {
  events: number;
  /** Of its data. */
  bytes: number;
}

export interface Placing {
  /** @param now milliseconds, of a clock that only grows */
  next(group: Weight, now: number): Place;
  /** A group was committed here in `ms`. */
  wasHere(ms: number, now: number): void;
  /** A group was committed there: in `ms` by its own measure, and answered `crossingMs` later than that. */
  wasThere(group: Weight, ms: number, crossingMs: number): void;
  /** Another place must do what could not be done here: another process writes to the log, or the disk is full. */
  failedHere(now: number): void;
}

/** To write a larger group takes so long that the deciding thread had better decide meanwhile. */
export const HERE_EVENTS_MAX = 128;
export const HERE_BYTES_MAX = 256 * 1024;
/** A disk counts as fast below the first, and as slow above the second, milliseconds a commit. */
export const FAST_MS_MAX = 0.5;
export const SLOW_MS_MIN = 1;
/** Likewise, in times of what the crossing takes. */
const FAST_CROSSINGS_MAX = 4;
const SLOW_CROSSINGS_MIN = 8;
/** One commit here that took longer is enough: the boards waited for all of it. */
export const BLOCKED_MS_MAX = 10;
/** For how long there is none here then; twice as long each time, if the last time was not long ago. */
export const AWAY_MS = 1_000;
export const AWAY_MS_MAX = 60_000;
/**
 * Pages in the write-ahead log, as they are guessed, after which a group is made there: there it is looked whether they
 * are to go to the file, which takes long on any disk.
 */
export const HERE_PAGES_MAX = 4_000;
const PAGE_BYTES = 4096;
/** The ends of the three tables that every commit writes to. */
const COMMIT_PAGES = 3;
/** How much a new measure moves an estimate. A commit that is slower moves it faster. */
const UP = 1 / 4;
const DOWN = 1 / 16;

export class MeasuredPlacing implements Placing {
  #diskMs: number | undefined;
  #crossingMs: number | undefined;
  #isFast = false;
  #pages = 0;
  #awayUntil = Number.NEGATIVE_INFINITY;
  #awayMs = AWAY_MS;

  next(group: Weight, now: number): Place {
    const pages = COMMIT_PAGES + group.events + group.bytes / PAGE_BYTES;
    const isHere =
      this.#isFast &&
      now >= this.#awayUntil &&
      group.events <= HERE_EVENTS_MAX &&
      group.bytes <= HERE_BYTES_MAX &&
      this.#pages + pages <= HERE_PAGES_MAX;
    this.#pages = isHere ? this.#pages + pages : 0;
    return isHere ? 'here' : 'there';
  }

  wasHere(ms: number, now: number): void {
    this.#sawDisk(ms);
    if (ms > BLOCKED_MS_MAX) this.failedHere(now);
  }

  wasThere({ events, bytes }: Weight, ms: number, crossingMs: number): void {
    this.#crossingMs = moved(this.#crossingMs, crossingMs);
    // How long a large group takes says nothing of a small one.
    if (events <= HERE_EVENTS_MAX && bytes <= HERE_BYTES_MAX) this.#sawDisk(ms);
  }

  failedHere(now: number): void {
    const isAgain = now < this.#awayUntil + this.#awayMs;
    this.#awayMs = isAgain ? Math.min(2 * this.#awayMs, AWAY_MS_MAX) : AWAY_MS;
    this.#awayUntil = now + this.#awayMs;
  }

  #sawDisk(ms: number): void {
    this.#diskMs = moved(this.#diskMs, ms);
    const crossings = this.#diskMs / (this.#crossingMs ?? 0);
    if (this.#diskMs < FAST_MS_MAX && crossings < FAST_CROSSINGS_MAX) this.#isFast = true;
    if (this.#diskMs > SLOW_MS_MIN || crossings > SLOW_CROSSINGS_MIN) this.#isFast = false;
  }
}

const moved = (before: number | undefined, ms: number): number =>
  before === undefined ? ms : before + (ms - before) * (ms > before ? UP : DOWN);
