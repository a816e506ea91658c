/** A job at one of its events, with the lab as it was then: from its events, or where they are very many from what is remembered of them. */
import { Moments, type Told, versionOf } from '../answers/moments.ts';
import type { LabMoment } from '../answers/views.ts';
import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import type { History } from './history/history.ts';
import { labMoment } from './lab-moment.ts';
import type { LabPast } from './lab-past.ts';
import { LONG_EVENTS, LongJobs } from './long-jobs.ts';
import type { ApiEngine } from './parts.ts';
import { ifReadable } from './readable.ts';
import { noSuchJob } from './schemas.ts';

interface Parts {
  engine: Pick<ApiEngine, 'allEvents' | 'jobEvents' | 'streamEvents'>;
  history: Pick<History, 'events' | 'file'>;
  labPast: Pick<LabPast, 'at'>;
}

export class JobPast {
  readonly #parts: Parts;
  readonly #long: LongJobs;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#long = new LongJobs(parts);
  }

  /**
   * @param at see `versionOf`
   * @throws ApiProblem `no-such-job`; `stopping` when the signal aborts first; AnswerRefused; UnreadableEvent
   */
  async told(id: number, at: string | undefined, signal: AbortSignal): Promise<Told> {
    const max = this.#long.knows(id) ? 1 : LONG_EVENTS;
    const events = await this.#parts.history.events(id, signal, max);
    if (events.length === 0) throw noSuchJob(id);
    if (events.length >= max)
      return this.#long.told(id, (job) => versionOf(at, job.count, (v) => job.timeOf(v)), signal);
    const moments = new Moments(events as RecordedEvent<JobEvent>[]);
    return moments.told(moments.versionOf(at));
  }

  /** The queue and the boards as they were then; `undefined`: the log cannot be read up to there. */
  async lab(
    id: number,
    { event, moment }: Told,
    signal: AbortSignal,
  ): Promise<LabMoment | undefined> {
    return ifReadable(async () => {
      const directory = await this.#parts.labPast.at(event.position, this.#parts, signal);
      return labMoment(directory, id, moment.job, event.meta.at);
    });
  }
}
