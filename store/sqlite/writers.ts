/**
 * Who writes to the log: the log's thread or this one, each with a connection of its own, never both at once. The
 * caller asks for one thing at a time; whoever writes next is told when the other one wrote last.
 */
import type { Database } from '../sqlite-api.ts';
import { openLogBeside } from './file.ts';
import type { Group } from './group.ts';
import type { Place, Placing, Weight } from './place.ts';
import { SqliteLog } from './tables.ts';
import type { SqliteThread } from './thread.ts';
import type { AppendResult, Readable } from './thread-messages.ts';

export class Writers {
  readonly #thread: SqliteThread;
  readonly #placing: Placing;
  readonly #file: string;
  readonly #readable: Readable;
  /** This thread's connection, once it wrote: a log on a full disk lets no second one in until there is room. */
  #own: { db: Database; log: SqliteLog } | undefined;
  #last: Place = 'there';

  /** @param file that the thread has opened */
  constructor(file: string, thread: SqliteThread, placing: Placing, readable: Readable) {
    this.#readable = readable;
    this.#thread = thread;
    this.#placing = placing;
    this.#file = file;
  }

  /** Commits a group; the answer is there at once when it was done in this thread. */
  append(group: Group, weight: Weight): AppendResult[] | Promise<AppendResult[]> {
    const place = this.#placing.next(weight, performance.now());
    return (place === 'here' ? this.#here(group) : undefined) ?? this.#there(group, weight);
  }

  remove(stream: string): Promise<null> {
    return this.#thread.ask({ do: 'remove', stream, isHandedOver: this.#isHandedOverTo('there') });
  }

  /** Of this thread's connection; the thread's is the last one. */
  close(): void {
    this.#own?.db.close();
    this.#own = undefined;
  }

  /**
   * `undefined`: not here. Nothing of it is in the log then, and the thread, which may wait for another program and
   * knows the words for what is wrong, does it or says why not.
   */
  #here(group: Group): AppendResult[] | undefined {
    const from = performance.now();
    try {
      const { log } = this.#open();
      if (this.#isHandedOverTo('here')) log.takeOver();
      const results = log.append(group);
      const now = performance.now();
      this.#placing.wasHere(now - from, now);
      return results;
    } catch {
      this.#placing.failedHere(performance.now());
      return undefined;
    }
  }

  #open(): { db: Database; log: SqliteLog } {
    if (this.#own === undefined) {
      const db = openLogBeside(this.#file);
      this.#own = { db, log: new SqliteLog(db, this.#readable) };
    }
    return this.#own;
  }

  async #there(group: Group, weight: Weight): Promise<AppendResult[]> {
    const isHandedOver = this.#isHandedOverTo('there');
    const from = performance.now();
    const { results, ms } = await this.#thread.ask({ do: 'append', group, isHandedOver });
    this.#placing.wasThere(weight, ms, performance.now() - from - ms);
    return results;
  }

  #isHandedOverTo(place: Place): boolean {
    const isHandedOver = this.#last !== place;
    this.#last = place;
    return isHandedOver;
  }
}
