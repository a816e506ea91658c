/** Parts of what was recorded. Whoever wants the same part has the same one, and it is read once. The latest are kept. */
import { stopping } from '../problems.ts';

/** Of all parts that are kept. */
const KEPT_BYTES_MAX = 32 * 1024 * 1024;
/** An open part is not believed for longer, whatever was heard. */
const OPEN_MS_MAX = 5_000;

export interface Part {
  /** About what it takes. */
  readonly bytes: number;
  /** There was nothing after it when it was read: it is open, more may be added to it. */
  readonly isLast: boolean;
}

interface Kept<T> {
  part: Promise<T>;
  /** Set once it was read. */
  is?: T;
  /** What was known of its stream when it was asked for: an open part holds for as long as that is so. */
  generation: number | undefined;
  at: number;
  /** How many wait for it; nobody any more: it need not be read. */
  waiting: number;
  nobody: AbortController;
}

export class Shared<T extends Part> {
  readonly #kept = new Map<string, Kept<T>>();
  #bytes = 0;

  /**
   * The part of this name, read if need be.
   *
   * @param is.generation of the stream: grows with each of its events; absent: an open part is read anew
   * @param is.signal of whoever wants it
   * @param read its signal aborts once nobody wants the part any more
   * @throws whatever `read` does; ApiProblem `stopping` when the signal aborts first
   */
  async get(
    name: string,
    is: { generation?: number | undefined; signal: AbortSignal },
    read: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      let kept = this.#kept.get(name);
      if (kept?.is !== undefined && !isGood(kept, is.generation)) kept = this.#forget(name);
      const isMine = kept === undefined;
      kept ??= this.#begin(name, is.generation, read);
      const part = await this.#wait(name, kept, is.signal);
      // One that somebody else had begun to read may lack what this one has heard of since.
      if (isMine || isGood(kept, is.generation)) return part;
    }
  }

  #begin(
    name: string,
    generation: number | undefined,
    read: (signal: AbortSignal) => Promise<T>,
  ): Kept<T> {
    const nobody = new AbortController();
    const part = read(nobody.signal);
    const made: Kept<T> = { part, generation, at: performance.now(), waiting: 0, nobody };
    this.#kept.set(name, made);
    part.then(
      (is) => {
        made.is = is;
        if (this.#kept.get(name) !== made) return;
        this.#bytes += is.bytes;
        this.#makeRoom();
      },
      () => {
        if (this.#kept.get(name) === made) this.#kept.delete(name);
      },
    );
    return made;
  }

  /** Waits for a part, and moves it behind those that are forgotten first. */
  #wait(name: string, kept: Kept<T>, signal: AbortSignal): Promise<T> {
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    if (kept.is !== undefined) return kept.part;
    if (signal.aborted) return Promise.reject(stopping());
    return new Promise((resolve, reject) => {
      kept.waiting++;
      const leave = () => {
        reject(stopping());
        if (--kept.waiting > 0) return;
        if (this.#kept.get(name) === kept) this.#kept.delete(name);
        kept.nobody.abort();
      };
      signal.addEventListener('abort', leave, { once: true });
      const stay = () => signal.removeEventListener('abort', leave);
      kept.part.then(resolve, reject).finally(stay);
    });
  }

  #forget(name: string): undefined {
    this.#bytes -= this.#kept.get(name)?.is?.bytes ?? 0;
    this.#kept.delete(name);
  }

  #makeRoom(): void {
    for (const [name, { is }] of this.#kept) {
      if (this.#bytes <= KEPT_BYTES_MAX) return;
      if (is !== undefined) this.#forget(name);
    }
  }
}

function isGood({ is, generation, at }: Kept<Part>, now: number | undefined): boolean {
  if (is?.isLast === false) return true;
  const isYoung = performance.now() - at < OPEN_MS_MAX;
  return now !== undefined && (generation ?? -1) >= now && isYoung;
}
