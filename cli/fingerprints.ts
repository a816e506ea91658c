/**
 * Which of many ids may have come twice, in eight bytes an id: a set of all ids of a large log would not fit into
 * memory. Few different ids look alike; whoever asks looks at those again.
 */

const GROWN_FROM = 1 << 16;

export class Fingerprints {
  #all = new Float64Array(GROWN_FROM);
  #count = 0;

  add(id: string): void {
    if (this.#count === this.#all.length) {
      const grown = new Float64Array(this.#all.length * 2);
      grown.set(this.#all);
      this.#all = grown;
    }
    this.#all[this.#count] = fingerprintOf(id);
    this.#count += 1;
  }

  /** The fingerprints that came more than once. */
  repeated(): ReadonlySet<number> {
    const sorted = this.#all.subarray(0, this.#count).sort();
    const repeated = new Set<number>();
    for (let at = 1; at < sorted.length; at += 1) {
      const one = sorted[at];
      if (one !== undefined && one === sorted[at - 1]) repeated.add(one);
    }
    return repeated;
  }
}

/** 52 bits of a UUID that differ between any two in practice; not its version, which does not. */
export const fingerprintOf = (id: string): number =>
  Number.parseInt(id.slice(0, 8) + id.slice(9, 13) + id.slice(17, 18), 16);
