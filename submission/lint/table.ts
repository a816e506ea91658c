/**
 * A map that is copied at every condition of a script, and hardly written by most of the copies. What they share lies in one map
 * that nobody changes; what a copy has of its own, in another that stays small: so neither a copy nor a comparison with what it was
 * copied from looks at all of it.
 */
const OWN_MIN = 32;
/** Nobody writes into it. */
const NOTHING = new Map<string, never>();

export class Table<V> {
  #shared: ReadonlyMap<string, V> = NOTHING;
  /** What is not as in `#shared`; `undefined`: it is there no more. */
  #own: Map<string, V | undefined> = NOTHING;
  /** Somebody else has `#own`, too. */
  #isLent = true;
  #size = 0;

  copy(): Table<V> {
    const copy = new Table<V>();
    copy.#shared = this.#shared;
    copy.#own = this.#own;
    copy.#size = this.#size;
    this.#isLent = true;
    return copy;
  }

  get(key: string): V | undefined {
    const own = this.#own.get(key);
    if (own !== undefined || this.#own.has(key)) return own;
    return this.#shared.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  *keys(): Iterable<string> {
    for (const [key] of this) yield key;
  }

  *[Symbol.iterator](): Iterator<[string, V]> {
    for (const [key, value] of this.#shared) if (!this.#own.has(key)) yield [key, value];
    for (const [key, value] of this.#own) if (value !== undefined) yield [key, value];
  }

  get size(): number {
    return this.#size;
  }

  /** The keys under which the two do not have the very same. */
  differing(other: Table<V>): string[] {
    if (this.#shared === other.#shared && this.#own === other.#own) return [];
    const keys = new Set([...this.#own.keys(), ...other.#own.keys()]);
    if (this.#shared !== other.#shared)
      for (const shared of [this.#shared, other.#shared])
        for (const key of shared.keys()) keys.add(key);
    return [...keys].filter((key) => this.get(key) !== other.get(key));
  }

  set(key: string, value: V): void {
    if (this.get(key) !== value) this.#write(key, value);
  }

  delete(key: string): void {
    if (this.has(key)) this.#write(key, undefined);
  }

  #write(key: string, value: V | undefined): void {
    this.#size += Number(value !== undefined) - Number(this.has(key));
    if (this.#isLent) this.#own = new Map(this.#own);
    this.#isLent = false;
    this.#own.set(key, value);
    const { size } = this.#own;
    if (size < OWN_MIN || size * size < this.#shared.size) return;
    this.#shared = new Map(this);
    this.#own = new Map();
  }
}
