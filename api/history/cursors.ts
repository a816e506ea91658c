/**
 * Where readers of a stream stopped. The log reads ahead; whoever goes on where another page ended has what was read
 * already, and it is not read twice.
 */
import type { RecordedEvent } from '../../machines/events.ts';

/** Each holds a page of the log that was read ahead. */
const CURSORS_MAX = 16;
/** Whoever reads page after page comes sooner. */
const KEPT_MS = 2_000;

type Events = AsyncIterator<RecordedEvent>;

export class Cursors {
  readonly #kept = new Map<string, { events: Events; forget: NodeJS.Timeout }>();

  /** The events behind this place as somebody left them, for one reader alone; `undefined`: nobody was there. */
  take(name: string): Events | undefined {
    const kept = this.#kept.get(name);
    clearTimeout(kept?.forget);
    this.#kept.delete(name);
    return kept?.events;
  }

  keep(name: string, events: Events): void {
    this.#forget(name);
    const forget = setTimeout(() => this.#forget(name), KEPT_MS).unref();
    this.#kept.set(name, { events, forget });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > CURSORS_MAX && oldest !== undefined) this.#forget(oldest);
  }

  #forget(name: string): void {
    const events = this.take(name);
    if (events !== undefined) leave(events);
  }
}

/** Nobody wants more of these. */
export function leave(events: Events): void {
  events.return?.(undefined).catch(() => {});
}
