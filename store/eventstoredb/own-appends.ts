/**
 * Events that this process has just appended, until the server sends them to its subscriptions: they were checked on their
 * way in and need not be read from their text again, which took a subscription longer than all its other work.
 */
import type { RecordedEvent } from '../../machines/events.ts';
import { type Checked, recordedLive } from '../edge.ts';
import type { ServerEvent } from './messages.ts';

const KEPT_MAX = 4_096;
/** Characters of its data: a larger event is read like anybody else's. */
const KEPT_CHARACTERS_MAX = 4_096;

export class OwnAppends {
  readonly #kept = new Map<string, Checked>();

  keep(events: readonly Checked[]): void {
    for (const event of events)
      if (event.data.length <= KEPT_CHARACTERS_MAX) this.#kept.set(event.id, event);
    for (const id of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_MAX) return;
      this.#kept.delete(id);
    }
  }

  /** As a reader would read it; `undefined`: it is not one of these. */
  recorded(event: ServerEvent): RecordedEvent | undefined {
    const own = this.#kept.get(event.id);
    return own?.data === event.data ? recordedLive(own, event) : undefined;
  }
}
