/**
 * What clients have not taken yet, of all streams together. It is bounded: above that the one that has stood still the
 * longest is dropped, and can resume where it was.
 */

const UNSENT_BYTES_MAX = 128 * 1024 * 1024;

export class Unsent {
  readonly #bytesMax: number;
  /** Uint8Arrays, each with how many clients stand still at it: a page that many share is there once. */
  readonly #chunks = new Map<Uint8Array, number>();
  /** Who stands still, the longest first. */
  readonly #standing = new Set<{ chunk: Uint8Array; drop(): void }>();
  #bytes = 0;

  constructor(bytesMax = UNSENT_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** A client has not taken this chunk. Returns what to call once it has, or has gone. `drop`: ends it. */
  hold(chunk: Uint8Array, drop: () => void): () => void {
    const one = { chunk, drop };
    const holders = this.#chunks.get(chunk) ?? 0;
    this.#chunks.set(chunk, holders + 1);
    if (holders === 0) this.#bytes += chunk.length;
    this.#standing.add(one);
    for (const longest of this.#standing) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#release(longest);
      longest.drop();
    }
    return () => this.#release(one);
  }

  #release(one: { chunk: Uint8Array; drop(): void }): void {
    if (!this.#standing.delete(one)) return;
    const left = (this.#chunks.get(one.chunk) ?? 1) - 1;
    if (left > 0) this.#chunks.set(one.chunk, left);
    else if (this.#chunks.delete(one.chunk)) this.#bytes -= one.chunk.length;
  }
}
