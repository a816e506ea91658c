/**
 * Wakes whoever streams events when there are new ones. It carries no events: each stream reads the log itself,
 * from where it is, so that history and live join by construction and a slow client costs no memory.
 */
import type { Subscription } from '../store/port.ts';
import type { ApiEngine } from './parts.ts';

/** The name under which events of any stream are heard. */
export const ANY_STREAM = '*';

export class EventTail {
  readonly #engine: Pick<ApiEngine, 'follow' | 'head'>;
  readonly #sleepers = new Map<string, Set<() => void>>();
  #subscription: Promise<Subscription> | undefined;

  constructor(engine: Pick<ApiEngine, 'follow' | 'head'>) {
    this.#engine = engine;
  }

  /** Resolves once new events are heard of; one subscription serves all streams. */
  async ready(): Promise<void> {
    this.#subscription ??= this.#subscribe().catch((error: unknown) => {
      this.#subscription = undefined;
      throw error;
    });
    await this.#subscription;
  }

  /** Calls back at every new event of a stream. Returns the way to stop. */
  onNew(stream: string, wake: () => void): () => void {
    const sleepers = this.#sleepers.get(stream) ?? new Set();
    this.#sleepers.set(stream, sleepers.add(wake));
    return () => {
      sleepers.delete(wake);
      if (sleepers.size === 0 && this.#sleepers.get(stream) === sleepers)
        this.#sleepers.delete(stream);
    };
  }

  async stop(): Promise<void> {
    await (await this.#subscription?.catch(() => undefined))?.stop();
  }

  async #subscribe(): Promise<Subscription> {
    const subscription = this.#engine.follow(await this.#engine.head(), (events) => {
      for (const stream of new Set(events.map((event) => event.stream))) this.#wake(stream);
      this.#wake(ANY_STREAM);
    });
    await subscription.caughtUp;
    return subscription;
  }

  #wake(stream: string): void {
    for (const wake of this.#sleepers.get(stream) ?? []) wake();
  }
}
