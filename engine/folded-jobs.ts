/** Jobs that no stream holds: each is folded when somebody asks for it, and the latest that are over are kept. */
import { type JobEvent, notTaken, type RecordedEvent } from '../machines/events.ts';
import { evolveJob, initialJob, isOver, type JobState } from '../machines/job/job.ts';
import { jobStream } from '../machines/names.ts';
import type { EventStore } from '../store/port.ts';

/** How many stay folded for whoever asks for one again. */
const KEPT_MAX = 50;

export class FoldedJobs {
  readonly #store: Pick<EventStore, 'read'>;
  readonly #kept = new Map<number, JobState>();

  constructor(store: Pick<EventStore, 'read'>) {
    this.#store = store;
  }

  /** Its state is `none` where there is no such job. @throws UnreadableEvent */
  async job(id: number): Promise<JobState> {
    const state = this.#kept.get(id) ?? (await this.#fold(id));
    if (isOver(state)) this.#keep(id, state);
    return state;
  }

  async #fold(id: number): Promise<JobState> {
    let state = initialJob;
    for await (const event of this.#store.read(jobStream(id)))
      try {
        state = evolveJob(state, event as RecordedEvent<JobEvent>);
      } catch (error) {
        throw notTaken(event, error);
      }
    return state;
  }

  #keep(id: number, state: JobState): void {
    this.#kept.set(id, state);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_MAX && oldest !== undefined) this.#kept.delete(oldest);
  }
}
