/**
 * Whether the files that this process has open are still the ones in their places. The kernel lets a process write for
 * ever into a file that was deleted: everything would be acknowledged, and nothing of it be there afterwards.
 *
 * Asked by name: to open a file of SQLite's a second time and close it drops the locks of the process.
 */
import { type BigIntStats, statSync } from 'node:fs';
import type { Appended, EventStore } from './port.ts';
import { StoreUnavailable } from './port.ts';

/** How soon it is noticed when nobody writes. */
const LOOK_EVERY_MS = 1_000;

export interface Watched {
  file: string;
  /** Made anew, perhaps, by a store that could not write: what it is then is known when it has written again. */
  isMadeAnew?: boolean;
  /** It never gets smaller than it was, or than so many bytes; absent: its size says nothing. */
  keepsBytes?: number;
  /** What to do when it is gone. */
  advice: string;
}

interface Seen extends Watched {
  /** Undefined: not known yet. */
  inode?: bigint | undefined;
  device?: bigint;
  bytes: number;
}

export class Presence {
  readonly #files: Seen[];
  readonly #timer: NodeJS.Timeout;
  #fault: string | undefined;
  /** Of this turn of the event loop: before what is written in it, and after. */
  readonly #isLookedAt = { before: false, after: false };

  /** @param files that are open now */
  constructor(files: readonly Watched[]) {
    this.#files = files.map((file) => ({ ...file, bytes: 0 }));
    for (const file of this.#files)
      if (!file.isMadeAnew || statOf(file.file) !== undefined) this.#fault ??= faultOf(file);
    this.#timer = setInterval(() => this.#look('before'), LOOK_EVERY_MS).unref();
  }

  /** What is wrong, once and for all: what was not seen meanwhile cannot be made good. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Looks at most once in a turn of the event loop. @throws StoreUnavailable from the first fault on */
  assert(when: 'before' | 'after'): void {
    const looked = this.#isLookedAt;
    if (!looked[when]) {
      looked[when] = true;
      setImmediate(() => {
        looked[when] = false;
      });
      this.#look(when);
    }
    if (this.#fault !== undefined) throw new StoreUnavailable(this.#fault);
  }

  /** After an append that failed. */
  forget(): void {
    for (const file of this.#files) if (file.isMadeAnew) file.inode = undefined;
  }

  #look(when: 'before' | 'after'): void {
    for (const file of this.#files) {
      // Of what is not known yet nothing can be said before something was written.
      if (when === 'before' && file.inode === undefined) continue;
      this.#fault ??= faultOf(file);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** What is wrong with a file by now; takes in what it is. */
function faultOf(seen: Seen): string | undefined {
  const { file, advice } = seen;
  const what = (happened: string) =>
    `${file} ${happened} while this Muster had it open: nothing more is written, as it would be lost. ${advice}`;
  const is = statOf(file);
  if (is === undefined) return what('was deleted or moved away');
  const bytes = Number(is.size);
  if (seen.inode !== undefined) {
    if (is.ino !== seen.inode || is.dev !== seen.device)
      return what('was replaced by another file');
    if (seen.keepsBytes !== undefined && bytes < Math.min(seen.bytes, seen.keepsBytes))
      return what(`was cut from ${seen.bytes} to ${bytes} bytes`);
  }
  seen.inode = is.ino;
  seen.device = is.dev;
  seen.bytes = bytes;
  return undefined;
}

/** @returns undefined when there is none, nor a way to it */
function statOf(file: string): BigIntStats | undefined {
  try {
    return statSync(file, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/**
 * The store, which from the first fault on neither writes nor says that all is well. Reads go on: they harm nobody.
 *
 * @param onWritten called whenever an append is durable
 */
export function guarded(
  store: EventStore,
  presence: Presence,
  onWritten: () => void = () => {},
): EventStore {
  return {
    ...(store.appendBytesMax !== undefined && { appendBytesMax: store.appendBytesMax }),
    async append(...what): Promise<Appended> {
      presence.assert('before');
      const appended = await store.append(...what).catch((error: unknown) => {
        if (error instanceof StoreUnavailable) presence.forget();
        throw error;
      });
      // An answer for what went into nothing is none; and the file that has grown must not get smaller.
      presence.assert('after');
      onWritten();
      return appended;
    },
    async remove(stream) {
      presence.assert('before');
      return store.remove(stream);
    },
    async head() {
      presence.assert('before');
      return store.head();
    },
    read: (...from) => store.read(...from),
    readRows: (...from) => store.readRows(...from),
    readAll: (...from) => store.readAll(...from),
    subscribeAll: (...from) => store.subscribeAll(...from),
    close() {
      presence.stop();
      return store.close();
    },
  };
}
