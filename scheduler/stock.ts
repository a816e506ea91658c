/** What there is to give, now and by a later time. */
import { backBy, leftIn } from './board-class.ts';
import { compareIdle } from './order.ts';
import type { BoardClass, WorkerUse } from './records.ts';
import type { Board } from './types.ts';
import { roomBy, roomNow } from './worker-use.ts';

/** As much of a board as its preference takes. */
export type Offered = Pick<Board, 'name' | 'idleSince'>;

export interface Stock {
  /** Boards of a class. */
  count(boards: BoardClass): number;
  /** The boards of a class in order of preference, from 0. */
  board(boards: BoardClass, index: number): Offered | undefined;
  /** How many more boards of a worker may be in use. */
  room(worker: WorkerUse): number;
}

/** The boards that are idle and that the plan in the making has not given away. */
export const stockNow: Stock = {
  count: leftIn,
  board: ({ idle, given }, index) => idle[given.length + index],
  room: roomNow,
};

/** All boards that are idle or sure to be back at some time, as if workers had no limits. */
export const stockEver: Stock = {
  count: ({ idle, held }) => idle.length + held.length,
  board: ({ idle, held }, index) => idle[index] ?? held[index - idle.length]?.board,
  room: () => Number.POSITIVE_INFINITY,
};

/**
 * The boards that are idle or sure to be back by a time. A board that comes back is idle since then. Counts are
 * remembered until `forget`: the plan in the making asks for them again and again.
 */
export class StockBy implements Stock {
  readonly time: number;
  readonly #back = new Map<BoardClass, number>();
  readonly #boards = new Map<BoardClass, Offered[]>();
  readonly #rooms = new Map<WorkerUse, number>();

  constructor(time: number) {
    this.time = time;
  }

  count(boards: BoardClass): number {
    return leftIn(boards) + this.back(boards);
  }

  /** Those of the count that are not idle now. */
  back(boards: BoardClass): number {
    let back = this.#back.get(boards);
    if (back === undefined) {
      back = backBy(boards, this.time);
      this.#back.set(boards, back);
    }
    return back;
  }

  board(boards: BoardClass, index: number): Offered | undefined {
    let list = this.#boards.get(boards);
    if (list === undefined) {
      list = boardsBy(boards, this.time);
      this.#boards.set(boards, list);
    }
    return list[index];
  }

  room(worker: WorkerUse): number {
    let room = this.#rooms.get(worker);
    if (room === undefined) {
      room = roomBy(worker, this.time);
      this.#rooms.set(worker, room);
    }
    return room;
  }

  /** The plan in the making has given boards of this class away. */
  forget(boards: BoardClass): void {
    this.#back.delete(boards);
    this.#boards.delete(boards);
    if (boards.worker !== undefined) this.#rooms.delete(boards.worker);
  }
}

function boardsBy({ idle, held, given }: BoardClass, time: number): Offered[] {
  const back: Offered[] = idle.slice(given.length);
  for (const [index, until] of given.entries()) {
    const name = idle[index]?.name;
    if (until <= time && name !== undefined) back.push({ name, idleSince: until });
  }
  for (const { board, until } of held) {
    if (until > time) break;
    back.push({ name: board.name, idleSince: until });
  }
  return back.sort(compareIdle);
}

/** A stock that is short of some boards, which a group has taken. */
export function without(stock: Stock, taken: ReadonlyMap<BoardClass, number>): Stock {
  const inUse = new Map<WorkerUse, number>();
  for (const [{ worker }, count] of taken)
    if (worker !== undefined) inUse.set(worker, (inUse.get(worker) ?? 0) + count);
  return {
    board: (boards, index) => stock.board(boards, index),
    count: (boards) => stock.count(boards) - (taken.get(boards) ?? 0),
    room: (worker) => stock.room(worker) - (inUse.get(worker) ?? 0),
  };
}
