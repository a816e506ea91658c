/**
 * Reads of the past are rationed: however many ask, few are under way, so that an append never waits behind more than
 * those in the log's thread. Whoever asks once and whoever follows take turns; in either line the first is first.
 */
import { stopping } from '../problems.ts';

/** One is read while the one before it is taken in. */
const UNDER_WAY_MAX = 2;

/** Who reads: a request that ends with its answer, or a stream that goes on. */
export type Reader = 'request' | 'stream';

export class Reads {
  readonly #lines: Readonly<Record<Reader, Set<() => void>>> = {
    request: new Set(),
    stream: new Set(),
  };
  #underWay = 0;
  #last: Reader = 'stream';

  /**
   * Reads when it is this one's turn.
   *
   * @throws ApiProblem `stopping` when the signal aborts before: nobody waits for the answer any more
   */
  async run<T>(reader: Reader, signal: AbortSignal, read: () => Promise<T>): Promise<T> {
    if (signal.aborted) throw stopping();
    if (this.#underWay >= UNDER_WAY_MAX) await this.#turn(reader, signal);
    else this.#underWay++;
    try {
      return await read();
    } finally {
      // Not in this turn of the event loop: a board that came meanwhile is first.
      setImmediate(() => this.#next());
    }
  }

  #turn(reader: Reader, signal: AbortSignal): Promise<void> {
    const line = this.#lines[reader];
    return new Promise((resolve, reject) => {
      const go = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        line.delete(go);
        reject(stopping());
      };
      signal.addEventListener('abort', leave, { once: true });
      line.add(go);
    });
  }

  /** Hands the place of one that is done to the next. */
  #next(): void {
    const other = this.#last === 'stream' ? 'request' : 'stream';
    for (const reader of [other, this.#last] as const)
      for (const go of this.#lines[reader]) {
        this.#lines[reader].delete(go);
        this.#last = reader;
        go();
        return;
      }
    this.#underWay--;
  }
}
