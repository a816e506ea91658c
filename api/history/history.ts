/**
 * The past, for the API: every read of it goes through here. Reads come in turns (`reads.ts`), pages are shared
 * (`shared.ts`), and whoever has gone is not read for any more. What boards say never waits for any of it.
 */
import type { RecordedEvent } from '../../machines/events.ts';
import type { JobState } from '../../machines/job/job.ts';
import type { ApiEngine } from '../parts.ts';
import { stopping } from '../problems.ts';
import { type Page, pageEventsAfter, pageOf } from './pages.ts';
import { type Reader, Reads } from './reads.ts';
import { Shared } from './shared.ts';

type PastOf = Pick<ApiEngine, 'job' | 'directory' | 'jobEvents' | 'allEvents'>;

/** A job's events by version, or those of the whole log by position. */
export type Stream = { job: number } | 'all';

export class History {
  readonly #engine: PastOf;
  readonly #reads = new Reads();
  readonly #pages = new Shared<Page>();

  constructor(engine: PastOf) {
    this.#engine = engine;
  }

  /**
   * The page of events after a place. It ends where its reader's next one is shared by most.
   *
   * @param is.generation see `Shared.get`
   * @throws ApiProblem `stopping` when the signal aborts first
   */
  page(
    stream: Stream,
    after: number,
    is: { reader: Reader; generation?: number; signal: AbortSignal },
  ): Promise<Page> {
    const name = stream === 'all' ? `${after}` : `${stream.job}/${after}`;
    return this.#pages.get(name, is, (signal) =>
      this.#reads.run(is.reader, signal, () => this.#read(stream, after)),
    );
  }

  #read(stream: Stream, after: number): Promise<Page> {
    const eventsMax = pageEventsAfter(after);
    if (stream === 'all')
      return pageOf(
        this.#engine.allEvents(after, eventsMax),
        eventsMax,
        ({ position }) => position,
      );
    return pageOf(this.#engine.jobEvents(stream.job, after), eventsMax, ({ version }) => version);
  }

  /** All events of a job, or the first of them. @throws ApiProblem `stopping` as `page` does */
  events(id: number, signal: AbortSignal, eventsMax = Number.POSITIVE_INFINITY) {
    return this.#reads.run('request', signal, async () => {
      const events: RecordedEvent[] = [];
      for await (const event of this.#engine.jobEvents(id)) {
        if (signal.aborted) throw stopping();
        if (events.push(event) >= eventsMax) break;
      }
      return events;
    });
  }

  /** Something else of the past, that lies beside the log. @throws ApiProblem `stopping` as `page` does */
  file<T>(signal: AbortSignal, read: () => Promise<T>): Promise<T> {
    return this.#reads.run('request', signal, read);
  }

  /** See `Engine.job`. One that is over is read from the log. @throws ApiProblem `stopping` as `page` does */
  job(id: number, signal: AbortSignal): Promise<JobState | undefined> {
    if (this.#engine.directory.jobs.has(id)) return this.#engine.job(id);
    return this.#reads.run('request', signal, () => this.#engine.job(id));
  }
}
