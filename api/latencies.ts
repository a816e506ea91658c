/** How long things took, from the events themselves as they come: until a job had its boards, until a wait was over, until an event was durable and known. */
import { Histogram, type Registry } from 'prom-client';
import type { RecordedEvent } from '../machines/events.ts';
import type { ApiEngine } from './parts.ts';

const STORE_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5];
const WAIT_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 20, 60, 300, 600, 1_800, 3_600, 14_400];
/** Waits and jobs that are remembered: with more at once the oldest are not measured. */
const REMEMBERED_MAX = 100_000;

/** @returns ends it */
export function watchLatencies(
  registry: Registry,
  engine: Pick<ApiEngine, 'follow' | 'head' | 'now'>,
): () => Promise<void> {
  const latencies = new Latencies(registry, engine);
  const begun = engine.head().then((head) => engine.follow(head, (all) => latencies.take(all)));
  // A store that is away is told of elsewhere; nothing is measured then.
  begun.catch(() => {});
  return async () => {
    await (await begun.catch(() => undefined))?.stop();
  };
}

class Latencies {
  readonly #engine: Pick<ApiEngine, 'now'>;
  readonly #store: Histogram;
  readonly #queue: Histogram;
  readonly #barrier: Histogram<'verb' | 'outcome'>;
  /** When jobs were submitted and waits began: by their stream, and the number of the wait. */
  readonly #begun = new Map<string, { at: number; verb: string }>();

  constructor(registry: Registry, engine: Pick<ApiEngine, 'now'>) {
    this.#engine = engine;
    const registers = [registry];
    this.#store = new Histogram({
      name: 'muster_store_seconds',
      help: 'From the decision of an event until it was durable and its followers had it.',
      buckets: STORE_SECONDS,
      registers,
    });
    this.#queue = new Histogram({
      name: 'muster_queue_seconds',
      help: 'From the submission of a job until it had its boards.',
      buckets: WAIT_SECONDS,
      registers,
    });
    this.#barrier = new Histogram({
      name: 'muster_barrier_seconds',
      help: 'How long waits of boards were held, by verb and how they ended.',
      labelNames: ['verb', 'outcome'] as const,
      buckets: WAIT_SECONDS,
      registers,
    });
  }

  take(events: readonly RecordedEvent[]): void {
    const now = this.#engine.now();
    for (const event of events) {
      this.#store.observe(Math.max(0, now - event.meta.at) / 1_000);
      this.#takeOne(event);
    }
  }

  #takeOne(event: RecordedEvent): void {
    const { stream, meta } = event;
    switch (event.type) {
      case 'JobSubmitted':
        this.#begin(stream, meta.at, '');
        break;
      case 'JobAllocated': {
        const is = this.#end(stream, meta.at);
        if (is !== undefined) this.#queue.observe(is.seconds);
        break;
      }
      case 'JobRejected':
      case 'JobCancelled':
      case 'JobTimedOut':
        this.#begun.delete(stream);
        break;
      case 'WaitStarted':
        this.#begin(`${stream} ${event.data.wait}`, meta.at, event.data.verb);
        break;
      case 'WaitReleased':
      case 'WaitTimedOut':
      case 'WaitUnreachable':
      case 'WaitAbandoned': {
        const is = this.#end(`${stream} ${event.data.wait}`, meta.at);
        const outcome = event.type.slice('Wait'.length).toLowerCase();
        if (is !== undefined) this.#barrier.observe({ verb: is.verb, outcome }, is.seconds);
      }
    }
  }

  #begin(key: string, at: number, verb: string): void {
    this.#begun.set(key, { at, verb });
    const [oldest] = this.#begun.keys();
    if (this.#begun.size > REMEMBERED_MAX && oldest !== undefined) this.#begun.delete(oldest);
  }

  #end(key: string, at: number): { seconds: number; verb: string } | undefined {
    const is = this.#begun.get(key);
    if (is === undefined) return undefined;
    this.#begun.delete(key);
    return { seconds: Math.max(0, at - is.at) / 1_000, verb: is.verb };
  }
}
