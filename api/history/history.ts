/**
 * The past, for the API: every read of it goes through here. Reads come in turns (`reads.ts`), pages are shared
 * (`shared.ts`), and whoever has gone is not read for any more. What boards say never waits for any of it.
 */
import type { RecordedEvent } from '../../machines/events.ts';
import type { JobState } from '../../machines/job/job.ts';
import { jobStream } from '../../machines/names.ts';
import type { ApiEngine } from '../parts.ts';
import { stopping } from '../problems.ts';
import { Cursors, leave } from './cursors.ts';
import {
  type Page,
  pageEventsAfter,
  pageOf,
  RowsPiece,
  rowsOf,
  rowText,
  wholeText,
} from './pages.ts';
import { type Reader, Reads } from './reads.ts';
import { Shared } from './shared.ts';

type PastOf = Pick<
  ApiEngine,
  'job' | 'directory' | 'jobEvents' | 'streamEvents' | 'streamRows' | 'allEvents'
>;

/** Who reads, and until when. `generation`: see `Shared.get`. */
export interface Reading {
  reader: Reader;
  generation?: number;
  signal: AbortSignal;
}

/** A job's events by version, or those of the whole log by position. */
export type Stream = { job: number } | 'all';

type TextOf = (event: RecordedEvent) => string;

export class History {
  readonly #engine: PastOf;
  readonly #reads = new Reads();
  readonly #pages = new Shared<Page>();
  readonly #rows = new Shared<RowsPiece>();
  readonly #cursors = new Cursors();

  constructor(engine: PastOf) {
    this.#engine = engine;
  }

  /**
   * The page of events after a place. It ends where its reader's next one is shared by most.
   *
   * @throws ApiProblem `stopping` when the signal aborts first
   */
  page(stream: Stream, after: number, is: Reading): Promise<Page> {
    const name = stream === 'all' ? `${after}` : `${stream.job}/${after}`;
    return this.#pages.get(name, is, (signal) =>
      this.#reads.run(is.reader, signal, () => this.#read(stream, after)),
    );
  }

  /** A job's events after a version as rows. @throws ApiProblem `stopping` as `page` does */
  rows(job: number, after: number, is: Reading): Promise<RowsPiece> {
    return this.#rows.get(`${job}/${after}`, is, (signal) =>
      this.#reads.run(is.reader, signal, async () => {
        const rows = await this.#engine.streamRows(jobStream(job), after);
        if (rows !== undefined) return new RowsPiece(rows);
        return rowsOf(await this.#readJob(job, after, rowText));
      }),
    );
  }

  async #read(stream: Stream, after: number): Promise<Page> {
    if (stream !== 'all') return this.#readJob(stream.job, after, wholeText);
    const eventsMax = pageEventsAfter(after);
    const events = this.#engine.allEvents(after, eventsMax)[Symbol.asyncIterator]();
    const page = await pageOf(events, eventsMax, ({ position }) => position, wholeText);
    leave(events);
    return page;
  }

  async #readJob(job: number, after: number, textOf: TextOf): Promise<Page> {
    const left = this.#cursors.take(`${job}/${after}`);
    const page = left && (await this.#pageFrom(left, job, after, textOf).catch(() => undefined));
    // What was read ahead may have ended before the last that is there now.
    if (page?.isLast === false) return page;
    const events = this.#engine.streamEvents(jobStream(job), after);
    return this.#pageFrom(events[Symbol.asyncIterator](), job, after, textOf);
  }

  async #pageFrom(
    events: AsyncIterator<RecordedEvent>,
    job: number,
    after: number,
    textOf: TextOf,
  ): Promise<Page> {
    const page = await pageOf(events, pageEventsAfter(after), ({ version }) => version, textOf);
    const last = page.events.at(-1);
    if (!page.isLast && last !== undefined) this.#cursors.keep(`${job}/${last.place}`, events);
    return page;
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
