/**
 * Boards put together into classes that no demand can tell apart: the right side of the matching. A lab of
 * 10,000 boards has few classes, so a matching costs classes, not boards.
 */
import type { Demand } from './demand.ts';
import { compareText } from './order.ts';
import type { Board } from './types.ts';

/** Boards of equal type and tags; a board that some demand asks for by name is a class of its own. */
export interface BoardClass {
  /** Only of a board that is asked for by name. */
  name: string | undefined;
  deviceType: string;
  tags: ReadonlySet<string>;
  /** Longest idle first, then by name. */
  boards: Board[];
  /** How many slots of the rest of the queue a board of this class fits. */
  want: number;
}

/** The classes under every key by which a demand may look for them. */
export type Pool = Map<string, BoardClass[]>;

/** A demand is found, and finds its boards, under its name or else its type and first tag. */
export function keyOf({ device, deviceType, tags }: Demand): string {
  return JSON.stringify(
    device === undefined ? ['type', deviceType, ...tags.slice(0, 1)] : [device],
  );
}

/** The keys of all demands that a class may fit; whether it has their other tags, `hasTags` says. */
export function keysOf({ name, deviceType, tags }: BoardClass): string[] {
  const keys = [...tags].map((tag) => ['type', deviceType, tag]);
  if (name !== undefined) keys.unshift([name]);
  return [...keys, ['type', deviceType]].map((key) => JSON.stringify(key));
}

/**
 * @param boards those that may be given out.
 * @param wanted every demand that will be matched against this pool; they are counted as wants.
 */
export function poolOf(boards: readonly Board[], wanted: readonly Demand[]): Pool {
  const named = new Set(wanted.flatMap(({ device }) => (device === undefined ? [] : [device])));
  const pool: Pool = new Map();
  const classes = new Map<string, BoardClass>();
  for (const board of [...boards].sort(compareIdle)) {
    const name = named.has(board.name) ? board.name : undefined;
    const tags = new Set([...board.tags].sort());
    const key = JSON.stringify([name ?? null, board.deviceType, ...tags]);
    const found = classes.get(key);
    if (found !== undefined) {
      found.boards.push(board);
      continue;
    }
    const made = { name, deviceType: board.deviceType, tags, boards: [board], want: 0 };
    classes.set(key, made);
    for (const place of keysOf(made)) append(pool, place, made);
  }
  changeWants(pool, wanted, 1);
  return pool;
}

/** Longest idle first, so that wear is spread; ties by name (SEMANTICS 4.3). */
export function compareIdle(a: Board, b: Board): number {
  return a.idleSince - b.idleSince || compareText(a.name, b.name);
}

/** The classes that fit a demand. */
export function classesFor(pool: Pool, demand: Demand): BoardClass[] {
  return (pool.get(keyOf(demand)) ?? []).filter((boards) => hasTags(boards, demand));
}

export function hasTags(boards: BoardClass, demand: Demand): boolean {
  return demand.tags.every((tag) => boards.tags.has(tag));
}

/** Counts demands that join the rest of the queue (`sign` 1) or leave it (-1). */
export function changeWants(pool: Pool, demands: readonly Demand[], sign: 1 | -1): void {
  for (const demand of demands)
    for (const boards of classesFor(pool, demand)) boards.want += sign * demand.count;
}

/** Adds to the list under a key. */
export function append<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
