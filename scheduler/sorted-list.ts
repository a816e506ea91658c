/** A list that stays in order while single things come and go, and that takes in thousands at once cheaply. */
import type { Compare } from './order.ts';

/** Up to so many changes are made one by one; more are sorted in together. */
const SINGLE_CHANGES_MAX = 8;

export class SortedList<T> {
  readonly #compare: Compare<T>;
  #items: T[] = [];
  /** What was added or removed since the list was last looked at. */
  #added = new Set<T>();
  #removed = new Set<T>();

  constructor(compare: Compare<T>) {
    this.#compare = compare;
  }

  /** The thing must not be in the list, and must not change its place while it is. */
  add(item: T): void {
    if (!this.#removed.delete(item)) this.#added.add(item);
  }

  /** The very thing that was added. */
  remove(item: T): void {
    if (!this.#added.delete(item)) this.#removed.add(item);
  }

  get size(): number {
    return this.#items.length + this.#added.size - this.#removed.size;
  }

  /** All things in order; good until the next change. */
  get items(): readonly T[] {
    const changes = this.#added.size + this.#removed.size;
    if (changes > SINGLE_CHANGES_MAX) this.#rebuild();
    else if (changes > 0) this.#splice();
    return this.#items;
  }

  /** How many things come before this one, which may be in the list or not. */
  placeOf(item: T): number {
    return countBefore(this.items, (other) => this.#compare(other, item) < 0);
  }

  #splice(): void {
    for (const item of this.#removed) this.#items.splice(this.#find(item), 1);
    for (const item of this.#added) this.#items.splice(this.#find(item), 0, item);
    this.#settle();
  }

  #rebuild(): void {
    if (this.#removed.size > 0)
      this.#items = this.#items.filter((item) => !this.#removed.has(item));
    for (const item of this.#added) this.#items.push(item);
    if (this.#added.size > 0) this.#items.sort(this.#compare);
    this.#settle();
  }

  #settle(): void {
    this.#added.clear();
    this.#removed.clear();
  }

  #find(item: T): number {
    return countBefore(this.#items, (other) => this.#compare(other, item) < 0);
  }
}

/** How many things at the head of a list pass the test, when none after the first failure does. */
export function countBefore<T>(list: readonly T[], passes: (item: T) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = list[middle];
    if (item !== undefined && passes(item)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function insertSorted<T>(list: T[], item: T, compare: Compare<T>): void {
  list.splice(
    countBefore(list, (other) => compare(other, item) < 0),
    0,
    item,
  );
}

export function removeSorted<T>(list: T[], item: T, compare: Compare<T>): void {
  list.splice(
    countBefore(list, (other) => compare(other, item) < 0),
    1,
  );
}
