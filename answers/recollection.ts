/**
 * A job of very many events at any of them, without its events: what lies between two kept moments is read again. Built once,
 * by all of its events, and kept up with what happens.
 */
import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import { BarrierHistory } from '../projections/barriers.ts';
import { after, beforeAll, expectNext, type Moment, noSuchEvent, type Told } from './moments.ts';

type Event = RecordedEvent<JobEvent>;

/** How far apart the kept moments lie. */
export const KEPT_EVERY = 1_024;

export class Recollection {
  readonly #kept: Moment[] = [beforeAll];
  readonly #barriers = new BarrierHistory();
  /** When each event was. */
  readonly #times: number[] = [];
  #last = beforeAll;

  get count(): number {
    return this.#last.event;
  }

  /** One more event. @throws AnswerRefused `unreadable-event`; IllegalTransition */
  take(event: Event): void {
    expectNext(event, this.count);
    this.#last = after(this.#last, event);
    this.#barriers.take(event);
    this.#times.push(event.meta.at);
    if (this.count % KEPT_EVERY === 0) this.#kept.push(this.#last);
  }

  /** When an event was, by its version. */
  timeOf(version: number): number {
    return this.#times[version - 1] ?? 0;
  }

  /** The last kept moment before an event. @throws AnswerRefused `no-such-event` */
  near(version: number): Moment {
    if (version < 1 || version > this.count) return noSuchEvent(version, this.count);
    return this.#kept[Math.floor((version - 1) / KEPT_EVERY)] ?? beforeAll;
  }

  /**
   * An event with how all stood after it.
   *
   * @param from what `near` gave
   * @param events those after `from`, up to this one, in their order
   */
  told(from: Moment, events: readonly Event[]): Told {
    let moment = from;
    for (const event of events) {
      expectNext(event, moment.event);
      moment = after(moment, event);
    }
    const event = events.at(-1) ?? noSuchEvent(from.event + 1, this.count);
    return { event, moment, barriers: this.#barriers, count: this.count };
  }
}
