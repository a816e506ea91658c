/** A list that stays in order while single things come and go, and that takes in thousands at once cheaply. */
import type { Compare } from './order.ts';

/** Up to so many changes are made one by one; more are sorted in together. */
const SINGLE_CHANGES_MAX = 8;

export class SortedList<T> {
  readonly #compare: Compare<T>;
  #items: T[] = [];
  /** What was added or removed since the list was last looked at. */
  #added: T[] = [];
  #removed: Set<T> | undefined;

  constructor(compare: Compare<T>) {
    this.#compare = compare;
  }

  /** The thing must not be in the list, and must not change its place while it is. */
  add(item: T): void {
    if (this.#removed !== undefined) this.#settle();
    this.#added.push(item);
  }

  /** The very thing that was added. */
  remove(item: T): void {
    if (this.#added.length > 0) this.#settle();
    this.#removed ??= new Set();
    this.#removed.add(item);
  }

  get size(): number {
    return this.#items.length + this.#added.length - (this.#removed?.size ?? 0);
  }

  /** All things in order; good until the next change. */
  get items(): readonly T[] {
    if (this.#added.length > 0 || this.#removed !== undefined) this.#settle();
    return this.#items;
  }

  /** How many things come before this one, which may be in the list or not. */
  placeOf(item: T): number {
    return countBefore(this.items, (other) => this.#compare(other, item) < 0);
  }

  #settle(): void {
    const added = this.#added;
    const removed = this.#removed ?? new Set();
    this.#added = [];
    this.#removed = undefined;
    if (added.length + removed.size > SINGLE_CHANGES_MAX) {
      if (removed.size > 0) this.#items = this.#items.filter((item) => !removed.has(item));
      if (added.length > 0) this.#items = this.#inOrder(this.#items.concat(added));
      return;
    }
    for (const item of removed) this.#items.splice(this.#find(item), 1);
    for (const item of added) this.#items.splice(this.#find(item), 0, item);
  }

  /** Mostly things come in order, and that is seen faster than they are sorted. */
  #inOrder(items: T[]): T[] {
    const isLate = (item: T, at: number) => {
      const before = items[at - 1];
      return before !== undefined && this.#compare(before, item) > 0;
    };
    return items.some(isLate) ? items.sort(this.#compare) : items;
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
