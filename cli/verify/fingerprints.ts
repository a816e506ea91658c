/**
 * Which of many ids may have come before, in at most 27 bytes an id: a Set of all ids of a large log would not fit
 * into memory. Few different ids look alike; whoever asks looks at those again.
 */
const SLOTS_FROM = 1 << 16;
const FULL_AT = 0.6;
const EMPTY = 0;

export class Fingerprints {
  #slots = new Float64Array(SLOTS_FROM);
  #count = 0;

  has(fingerprint: number): boolean {
    return this.#slots[this.#slotOf(fingerprint)] === fingerprint;
  }

  add(fingerprint: number): void {
    const slot = this.#slotOf(fingerprint);
    if (this.#slots[slot] === fingerprint) return;
    this.#slots[slot] = fingerprint;
    this.#count += 1;
    if (this.#count > this.#slots.length * FULL_AT) this.#grow();
  }

  #grow(): void {
    const all = this.#slots;
    this.#slots = new Float64Array(all.length * 2);
    for (const one of all) if (one !== EMPTY) this.#slots[this.#slotOf(one)] = one;
  }

  /** Where it is, or would be: the first slot from its own on that has it or nothing. */
  #slotOf(fingerprint: number): number {
    const mask = this.#slots.length - 1;
    let slot = fingerprint & mask;
    while (this.#slots[slot] !== EMPTY && this.#slots[slot] !== fingerprint)
      slot = (slot + 1) & mask;
    return slot;
  }
}

/**
 * 52 bits of the random end of a UUID, which differ between any two in practice; its beginning may be a time.
 * `undefined`: it is no UUID.
 */
export function fingerprintOf(id: string): number | undefined {
  const bits = Number.parseInt(id.slice(22, 23) + id.slice(24), 16);
  return id.length === UUID_CHARS && !Number.isNaN(bits) ? bits + 1 : undefined;
}
const UUID_CHARS = 36;
