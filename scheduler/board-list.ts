/** The registered boards, found by name or by what a role asks for. */
import { exists, fitsRequest, type Wanted } from './fit.ts';
import { compareText } from './order.ts';
import { SortedList } from './sorted-list.ts';
import type { Board } from './types.ts';

/** The boards of one type. */
interface OfType {
  names: SortedList<string>;
  /** How many that exist have each set of tags. */
  counts: Map<string, { tags: readonly string[]; count: number }>;
}

export class BoardList {
  readonly #boards = new Map<string, Board>();
  readonly #types = new Map<string, OfType>();

  get(name: string): Board | undefined {
    return this.#boards.get(name);
  }

  set(board: Board): void {
    const { name, deviceType, tags } = board;
    const before = this.#boards.get(name);
    this.#boards.set(name, board);
    const isCountedAlike =
      before?.deviceType === deviceType && before.tags === tags && exists(before) === exists(board);
    if (isCountedAlike) return;
    if (before !== undefined) this.#uncount(before);
    const { names, counts } = this.#ofType(deviceType);
    names.add(name);
    if (!exists(board)) return;
    const key = keyOf(tags);
    const alike = counts.get(key);
    if (alike === undefined) counts.set(key, { tags, count: 1 });
    else alike.count += 1;
  }

  remove(name: string): void {
    const board = this.#boards.get(name);
    if (board === undefined) return;
    this.#boards.delete(name);
    this.#uncount(board);
  }

  /** All boards of the type or of the name that is asked for, by name. */
  meantBy({ device, deviceType = '' }: Pick<Wanted, 'device' | 'deviceType'>): Board[] {
    const names =
      device === undefined ? (this.#types.get(deviceType)?.names.items ?? []) : [device];
    const meant: Board[] = [];
    for (const name of names) {
      const board = this.#boards.get(name);
      if (board !== undefined) meant.push(board);
    }
    return meant;
  }

  /** How many of these exist and have all tags. */
  countFitting(wanted: Wanted): number {
    if (wanted.device !== undefined)
      return Number(fitsRequest(this.#boards.get(wanted.device), wanted));
    let fitting = 0;
    for (const { tags, count } of this.#types.get(wanted.deviceType ?? '')?.counts.values() ?? [])
      if (wanted.tags.every((tag) => tags.includes(tag))) fitting += count;
    return fitting;
  }

  #uncount(board: Board): void {
    const { name, deviceType, tags } = board;
    const { names, counts } = this.#ofType(deviceType);
    names.remove(name);
    if (names.size === 0) this.#types.delete(deviceType);
    const key = keyOf(tags);
    const alike = exists(board) ? counts.get(key) : undefined;
    if (alike === undefined) return;
    alike.count -= 1;
    if (alike.count === 0) counts.delete(key);
  }

  #ofType(deviceType: string): OfType {
    const found = this.#types.get(deviceType);
    if (found !== undefined) return found;
    const made = { names: new SortedList<string>(compareText), counts: new Map() };
    this.#types.set(deviceType, made);
    return made;
  }
}

const keyOf = (tags: readonly string[]): string => JSON.stringify([...tags].sort());
