/**
 * Subscriptions of an adapter that is the only writer of its log: history is read in pages, then the
 * subscriber is joined to what is appended live, without a hole and without a repeat.
 *
 * The join is safe because the head moves and the live listeners are called in one synchronous step
 * (`publish`), and a subscriber goes live in the same step that sees that it has reached the head.
 */
import type { EventType, RecordedEvent } from '../machines/events.ts';
import { StoreUnavailable, type Subscription } from './port.ts';

export type OnEvents = (events: readonly RecordedEvent[]) => void;
/** All events with a position above `after` and up to `upTo`, in order, in pages of some; the needless may be left out. */
export type ReadPages = (
  after: number,
  upTo: number,
  needless: ReadonlySet<EventType>,
) => AsyncIterable<readonly RecordedEvent[]>;

interface Subscriber {
  /** Position of the last event that was delivered. */
  cursor: number;
  onEvents: OnEvents;
  needless: ReadonlySet<EventType>;
  stopped: boolean;
}

export class Feed {
  #head: number;
  readonly #readPages: ReadPages;
  readonly #live = new Set<Subscriber>();
  readonly #all = new Set<Subscriber>();

  constructor(head: number, readPages: ReadPages) {
    this.#head = head;
    this.#readPages = readPages;
  }

  /** Position of the last event known to be durable. */
  get head(): number {
    return this.#head;
  }

  /** Whether anybody would hear a live event now. */
  get isHeard(): boolean {
    return this.#live.size > 0;
  }

  /** Call it when `events`, the next ones of the log, are durable; they may be left out when nobody hears them. */
  publish(head: number, events: readonly RecordedEvent[]): void {
    this.#head = head;
    for (const subscriber of [...this.#live]) deliver(subscriber, events);
  }

  subscribe(
    after: number,
    onEvents: OnEvents,
    needless: ReadonlySet<EventType> = new Set(),
  ): Subscription {
    const subscriber: Subscriber = { cursor: after, onEvents, needless, stopped: false };
    this.#all.add(subscriber);
    const caughtUp = this.#catchUp(subscriber, this.#head);
    return {
      caughtUp,
      stop: async () => this.#stop(subscriber),
    };
  }

  /** No subscriber is called any more. */
  close(): void {
    for (const subscriber of [...this.#all]) this.#stop(subscriber);
  }

  #stop(subscriber: Subscriber): void {
    subscriber.stopped = true;
    this.#live.delete(subscriber);
    this.#all.delete(subscriber);
  }

  #catchUp(subscriber: Subscriber, target: number): Promise<void> {
    const isReached = () => subscriber.cursor >= target;
    const caughtUp = new Promise<void>((resolve, reject) => {
      const onProgress = () => {
        if (isReached()) resolve();
      };
      this.#follow(subscriber, onProgress).then(
        () => {
          if (isReached()) return resolve();
          // A stopped subscription is no fault: whoever does not await `caughtUp` must not crash of it.
          caughtUp.catch(() => {});
          reject(new StoreUnavailable('the subscription was stopped before it had caught up'));
        },
        (error: unknown) => {
          this.#stop(subscriber);
          if (isReached()) surface(error);
          else reject(error);
        },
      );
    });
    return caughtUp;
  }

  async #follow(subscriber: Subscriber, onProgress: () => void): Promise<void> {
    // A subscriber is never called before `subscribe` has returned.
    await Promise.resolve();
    while (!subscriber.stopped) {
      onProgress();
      const upTo = this.#head;
      if (subscriber.cursor >= upTo) {
        this.#live.add(subscriber);
        return;
      }
      for await (const page of this.#readPages(subscriber.cursor, upTo, subscriber.needless)) {
        if (subscriber.stopped) return;
        deliver(subscriber, page);
        onProgress();
      }
      subscriber.cursor = upTo;
    }
  }
}

function deliver(subscriber: Subscriber, events: readonly RecordedEvent[]): void {
  if (subscriber.stopped) return;
  const fresh = events.filter((event) => event.position > subscriber.cursor);
  const last = fresh.at(-1);
  if (last === undefined) return;
  subscriber.cursor = last.position;
  try {
    subscriber.onEvents(fresh);
  } catch (error) {
    surface(error);
  }
}

/** A listener's fault is its own: the log goes on, and the process hears of it as an uncaught exception. */
export function surface(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
