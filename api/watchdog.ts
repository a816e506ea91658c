/**
 * Watches the waits of all jobs that run: one that is longer than its like in the last runs of the same definition is named
 * while it waits. It looks now and then, at jobs with open waits alone, and reads what is new of them.
 */
import { CallsFold } from '../answers/calls.ts';
import type { LongWait } from '../answers/compared-views.ts';
import { longWaits } from '../answers/long-waits.ts';
import { definitionKey, type RunFacts } from '../answers/run-facts.ts';
import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import type { ApiEngine } from './parts.ts';
import type { PastRuns } from './past-runs.ts';

const LOOK_EVERY_MS = 2_000;
/** A wait is not looked at before. */
const YOUNG_MS = 2_000;
/** Jobs that one look reads events of. */
const JOBS_READ_MAX = 50;
/** Of one job, in one look. */
const EVENTS_READ_MAX = 20_000;

interface Watched {
  version: number;
  fold: CallsFold;
  past: readonly RunFacts[] | undefined;
}

interface Port {
  engine: Pick<ApiEngine, 'directory' | 'job' | 'jobEvents' | 'now'>;
  past: Pick<PastRuns, 'before'>;
  lookEveryMs?: number | undefined;
}

export class Watchdog {
  readonly #port: Port;
  readonly #watched = new Map<number, Watched>();
  readonly #stopped = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #waits: readonly LongWait[] = [];
  #isLooking = false;

  constructor(port: Port) {
    this.#port = port;
    this.#timer = setInterval(() => void this.look(), port.lookEveryMs ?? LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Those that are longer than usual, as of the last look. */
  get waits(): readonly LongWait[] {
    return this.#waits;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stopped.abort();
  }

  /** Looks now, unless it looks already. What cannot be read is looked at the next time. */
  async look(): Promise<void> {
    if (this.#isLooking || this.#stopped.signal.aborted) return;
    this.#isLooking = true;
    try {
      const found: LongWait[] = [];
      let room = JOBS_READ_MAX;
      const { jobs } = this.#port.engine.directory;
      for (const id of this.#watched.keys()) if (!jobs.has(id)) this.#watched.delete(id);
      for (const { id, state } of [...jobs.values()]) {
        if (state !== 'allocated' || room === 0 || this.#stopped.signal.aborted) continue;
        const waits = await this.#lookAt(id).catch(() => undefined);
        if (waits === undefined) continue;
        room--;
        found.push(...waits);
      }
      this.#waits = found;
    } finally {
      this.#isLooking = false;
    }
  }

  /** `undefined`: nothing of it has waited for long. */
  async #lookAt(id: number): Promise<LongWait[] | undefined> {
    const { engine, past } = this.#port;
    const job = await engine.job(id);
    const oldest = job?.conversation.waits[0]?.[0];
    const now = engine.now();
    if (job?.definition == null || oldest === undefined || now - oldest.since < YOUNG_MS)
      return undefined;
    const watched = this.#watched.get(id) ?? { version: 0, fold: new CallsFold(), past: undefined };
    this.#watched.set(id, watched);
    watched.past ??= await past.before(id, definitionKey(job.definition), this.#stopped.signal);
    if (watched.past.length === 0) return [];
    let room = EVENTS_READ_MAX;
    for await (const event of engine.jobEvents(id, watched.version)) {
      watched.fold.take(event as RecordedEvent<JobEvent>);
      watched.version = event.version;
      if (--room === 0) break;
    }
    return longWaits(id, job, watched.fold.boards, watched.past, now);
  }
}
