/**
 * Jobs of very many events, at any of them: read from the log once, bit by bit, so that boards and others have their turns;
 * from then on any of their events costs the few that lie before it.
 */

import { setImmediate as turn } from 'node:timers/promises';
import type { Told } from '../answers/moments.ts';
import { KEPT_EVERY, Recollection } from '../answers/recollection.ts';
import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import type { History } from './history/history.ts';
import type { ApiEngine } from './parts.ts';

type Event = RecordedEvent<JobEvent>;

/** A job of fewer events is read whole each time. */
export const LONG_EVENTS = 5_000;
/** Read in one turn of the readers. */
const PIECE_EVENTS = 2_000;
/** Folded in one turn of the event loop: boards wait no longer for it. */
const SLICE_EVENTS = 200;
/** Of all jobs that are remembered. */
const REMEMBERED_EVENTS_MAX = 3_000_000;

interface Long {
  recollection: Recollection;
  /** What is under way for it: one reads at a time. */
  busy: Promise<unknown>;
}

export class LongJobs {
  readonly #engine: Pick<ApiEngine, 'jobEvents'>;
  readonly #history: Pick<History, 'file'>;
  /** The one that was asked for last is the last. */
  readonly #jobs = new Map<number, Long>();

  constructor(parts: { engine: Pick<ApiEngine, 'jobEvents'>; history: Pick<History, 'file'> }) {
    this.#engine = parts.engine;
    this.#history = parts.history;
  }

  /** Whether a job is remembered. */
  knows(id: number): boolean {
    return this.#jobs.has(id);
  }

  /**
   * An event of a job with how all stood after it.
   *
   * @param versionOf which event is meant
   * @throws ApiProblem `stopping` when the signal aborts first; AnswerRefused; UnreadableEvent
   */
  async told(
    id: number,
    versionOf: (recollection: Recollection) => number,
    signal: AbortSignal,
  ): Promise<Told> {
    const { recollection } = await this.#upToNow(id, signal);
    const version = versionOf(recollection);
    const from = recollection.near(version);
    const events = await this.#read(id, from.event, version - from.event, signal);
    return recollection.told(from, events);
  }

  async #upToNow(id: number, signal: AbortSignal): Promise<Long> {
    const long = this.#jobs.get(id) ?? {
      recollection: new Recollection(),
      busy: Promise.resolve(),
    };
    this.#jobs.delete(id);
    this.#jobs.set(id, long);
    this.#forget();
    const read = long.busy.catch(() => {}).then(() => this.#catchUp(id, long.recollection, signal));
    long.busy = read;
    await read;
    return long;
  }

  async #catchUp(id: number, recollection: Recollection, signal: AbortSignal): Promise<void> {
    for (;;) {
      const events = await this.#read(id, recollection.count, PIECE_EVENTS, signal);
      for (const [at, event] of events.entries()) {
        if (at > 0 && at % SLICE_EVENTS === 0) await turn();
        recollection.take(event);
      }
      if (events.length < PIECE_EVENTS) return;
    }
  }

  async #read(id: number, after: number, count: number, signal: AbortSignal): Promise<Event[]> {
    const out: Event[] = [];
    while (out.length < count) {
      const size = Math.min(PIECE_EVENTS, count - out.length);
      const piece = await this.#history.file(signal, () =>
        piecesOf(this.#engine.jobEvents(id, after + out.length), size),
      );
      out.push(...piece);
      if (piece.length < size) break;
    }
    return out;
  }

  #forget(): void {
    let room = REMEMBERED_EVENTS_MAX;
    for (const [id, { recollection }] of [...this.#jobs].reverse()) {
      if (room < 0) this.#jobs.delete(id);
      // The smallest ones cost something too.
      room -= Math.max(recollection.count, KEPT_EVERY);
    }
  }
}

async function piecesOf(events: AsyncIterable<RecordedEvent>, max: number): Promise<Event[]> {
  const out: Event[] = [];
  for await (const event of events) if (out.push(event as Event) >= max) break;
  return out;
}
