/** A map that is copied only when one of those who share it writes: scopes part at every condition, and most write nothing. */
export class Table<V> {
  #map: Map<string, V>;
  #isShared = false;

  constructor(map = new Map<string, V>()) {
    this.#map = map;
  }

  copy(): Table<V> {
    this.#isShared = true;
    const copy = new Table(this.#map);
    copy.#isShared = true;
    return copy;
  }

  /** Whether nobody wrote since the one was copied from the other. */
  isOf(other: Table<V>): boolean {
    return this.#map === other.#map;
  }

  get size(): number {
    return this.#map.size;
  }

  get(key: string): V | undefined {
    return this.#map.get(key);
  }

  has(key: string): boolean {
    return this.#map.has(key);
  }

  keys(): Iterable<string> {
    return this.#map.keys();
  }

  [Symbol.iterator](): Iterator<[string, V]> {
    return this.#map[Symbol.iterator]();
  }

  set(key: string, value: V): void {
    if (this.#map.get(key) === value && value !== undefined) return;
    this.#own();
    this.#map.set(key, value);
  }

  delete(key: string): void {
    if (!this.#map.has(key)) return;
    this.#own();
    this.#map.delete(key);
  }

  #own(): void {
    if (this.#isShared) this.#map = new Map(this.#map);
    this.#isShared = false;
  }
}
