/**
 * Wakes whoever streams events when there are new ones. It carries no events: each stream reads pages of the log,
 * from where it is, so that history and live join by construction and a slow client costs no memory.
 */
import { setMaxListeners } from 'node:events';
import type { Subscription } from '../../store/port.ts';
import type { ApiEngine } from '../parts.ts';
import type { Turns } from './turns.ts';

/** What is known of a stream that somebody follows. */
interface Known {
  followers: number;
  /** Grows with each of its events, and is never what it was: not when the stream is followed anew, either. */
  generation: number;
  readonly sleepers: Set<() => void>;
  isWaking: boolean;
}

/** A stream as one follower hears of it. */
export interface Followed {
  /** Grows with each event of the stream. */
  generation(): number;
  /** Calls back at the next event, once. Returns the way to stop. */
  onNew(wake: () => void): () => void;
  stop(): void;
}

/** Whoever sleeps is woken, whatever happens. */
const never = new AbortController().signal;
setMaxListeners(0, never);
/** The name under which events of any stream are heard. */
export const ANY_STREAM = '*';

export class EventTail {
  readonly #engine: Pick<ApiEngine, 'follow' | 'head'>;
  readonly #turns: Turns;
  readonly #known = new Map<string, Known>();
  #subscription: Promise<Subscription> | undefined;
  /** The last generation that any stream had. */
  #generation = 0;

  constructor(engine: Pick<ApiEngine, 'follow' | 'head'>, turns: Turns) {
    this.#engine = engine;
    this.#turns = turns;
  }

  /** Follows a stream, or `ANY_STREAM`; one subscription serves all. */
  async follow(stream: string): Promise<Followed> {
    await this.#ready();
    const known = this.#known.get(stream) ?? this.#fresh();
    this.#known.set(stream, known);
    known.followers++;
    return {
      generation: () => known.generation,
      onNew(wake) {
        known.sleepers.add(wake);
        return () => known.sleepers.delete(wake);
      },
      stop: () => {
        if (--known.followers === 0) this.#known.delete(stream);
      },
    };
  }

  #fresh(): Known {
    return { followers: 0, generation: ++this.#generation, sleepers: new Set(), isWaking: false };
  }

  async stop(): Promise<void> {
    await (await this.#subscription?.catch(() => undefined))?.stop();
  }

  async #ready(): Promise<void> {
    this.#subscription ??= this.#subscribe().catch((error: unknown) => {
      this.#subscription = undefined;
      throw error;
    });
    await this.#subscription;
  }

  async #subscribe(): Promise<Subscription> {
    const subscription = this.#engine.follow(await this.#engine.head(), (events) => {
      if (this.#known.size === 0) return;
      for (const stream of new Set(events.map((event) => event.stream))) this.#heard(stream);
      this.#heard(ANY_STREAM);
    });
    await subscription.caughtUp;
    return subscription;
  }

  /** Whoever said it is answered first: the sleepers are woken in a turn of their own. */
  #heard(stream: string): void {
    const known = this.#known.get(stream);
    if (known === undefined) return;
    known.generation = ++this.#generation;
    if (known.isWaking || known.sleepers.size === 0) return;
    known.isWaking = true;
    void this.#turns.run(never, () => {
      known.isWaking = false;
      for (const wake of known.sleepers) {
        known.sleepers.delete(wake);
        wake();
      }
    });
  }
}
