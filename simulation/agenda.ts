/** What will happen in a simulation, by time. What is due at the same instant comes in the order it was put in. */
import { Heap } from '../scheduler/heap.ts';

interface Entry<T> {
  at: number;
  order: number;
  what: T;
}

export class Agenda<T> {
  readonly #entries = new Heap<Entry<T>>((a, b) => a.at - b.at || a.order - b.order);
  #count = 0;
  /** Taken out already, and not due yet. */
  #first: Entry<T> | undefined;

  put(at: number, what: T): void {
    this.#count += 1;
    this.#entries.push({ at, order: this.#count, what });
    if (this.#first === undefined || at >= this.#first.at) return;
    this.#entries.push(this.#first);
    this.#first = undefined;
  }

  /** The next instant at which something is due, and all that is due then; `undefined`: nothing is left. */
  next(): { at: number; due: T[] } | undefined {
    const first = this.#first ?? this.#entries.pop();
    if (first === undefined) return undefined;
    const due = [first.what];
    let entry = this.#entries.pop();
    for (; entry?.at === first.at; entry = this.#entries.pop()) due.push(entry.what);
    this.#first = entry;
    return { at: first.at, due };
  }
}
