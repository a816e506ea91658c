/**
 * Which boards a whole group gets: a maximum bipartite matching of slots to boards by augmenting paths
 * (SEMANTICS 4.2), the best one by preference (SEMANTICS 4.3). Never role by role: that misses groups.
 *
 * Boards are offered one by one, the preferred first, and each that enlarges the matching stays in it. The
 * sets of boards that can be matched at once are a matroid (transversal), so this greedy order over *boards*
 * yields both a maximum matching and the best set of boards; no set that beats it in the order want, idle
 * time, name exists. Slots are counts a demand, boards counts a class: memory grows with slots plus boards.
 */
import type { Demand } from './demand.ts';
import { compareText } from './order.ts';
import {
  append,
  type BoardClass,
  classesFor,
  compareIdle,
  hasTags,
  keyOf,
  keysOf,
  type Pool,
} from './pool.ts';
import type { Board } from './types.ts';

export interface Matching {
  /** Whether every slot has a board. */
  complete: boolean;
  /** The boards of each role that demands any, by name. */
  given: ReadonlyMap<string, readonly string[]>;
  /** How many boards each class gave: always the first ones of its list. */
  taken: ReadonlyMap<BoardClass, number>;
}

interface Flow {
  demands: readonly Demand[];
  /** Indexes of demands under `keyOf`. */
  byKey: Map<string, number[]>;
  /** Slots of each demand that have no board yet. */
  spare: number[];
  /** For each demand: how many boards of which class it has. */
  given: Map<BoardClass, number>[];
  /** What a failed search reached. No later path leads out of it, so nobody looks there again. */
  closedClasses: Set<BoardClass>;
  closedDemands: Set<number>;
}

/**
 * A maximum matching of the demands to the boards of the pool. The same for every order of the boards that
 * the pool was made of. The pool stays as it is; see `take`.
 *
 * @param demands of one group, as `demandsOf` makes them; their names known to the pool (`poolOf`).
 */
export function match(demands: readonly Demand[], pool: Pool): Matching {
  const flow = flowOf(demands);
  let slotsLeft = demands.reduce((sum, { count }) => sum + count, 0);
  const taken = new Map<BoardClass, number>();
  for (const { boards } of byPreference(demands, pool, slotsLeft)) {
    if (slotsLeft === 0) break;
    if (!augment(flow, boards)) continue;
    change(taken, boards, 1);
    slotsLeft -= 1;
  }
  return { complete: slotsLeft === 0, given: deal(flow, taken), taken };
}

/** Removes the boards of a matching from the pool that it was made with. */
export function take(matching: Matching): void {
  for (const [{ boards }, count] of matching.taken) boards.splice(0, count);
}

/** The role that each matched board was given to. */
export function holdersOf(given: ReadonlyMap<string, readonly string[]>): Map<string, string> {
  return new Map([...given].flatMap(([role, names]) => names.map((name) => [name, role] as const)));
}

/** The boards that fit any demand: least wanted, then longest idle, then by name (SEMANTICS 4.3). */
function byPreference(
  demands: readonly Demand[],
  pool: Pool,
  slots: number,
): { board: Board; boards: BoardClass }[] {
  const classes = new Set(demands.flatMap((demand) => classesFor(pool, demand)));
  return [...classes]
    .flatMap((boards) => boards.boards.slice(0, slots).map((board) => ({ board, boards })))
    .sort((a, b) => a.boards.want - b.boards.want || compareIdle(a.board, b.board));
}

function flowOf(demands: readonly Demand[]): Flow {
  const byKey = new Map<string, number[]>();
  demands.forEach((demand, index) => {
    append(byKey, keyOf(demand), index);
  });
  return {
    demands,
    byKey,
    spare: demands.map(({ count }) => count),
    given: demands.map(() => new Map()),
    closedClasses: new Set(),
    closedDemands: new Set(),
  };
}

/**
 * Gives one more board of `start` to a demand, moving boards given before where that makes room; says
 * whether it could. A breadth-first search: the shortest such chain of moves.
 */
function augment(flow: Flow, start: BoardClass): boolean {
  if (flow.closedClasses.has(start)) return false;
  /** Which class reached a demand first, and which demand would give a board of the class away. */
  const reachedBy = new Map<number, BoardClass>();
  const leaves = new Map<BoardClass, number>();
  const seen = new Set([start]);
  for (const boards of seen) {
    const reached = demandsFor(flow, boards).filter((demand) => !reachedBy.has(demand));
    const open = reached.find((demand) => (flow.spare[demand] ?? 0) > 0);
    for (const demand of reached) reachedBy.set(demand, boards);
    if (open !== undefined) {
      moveAlong(flow, open, reachedBy, leaves);
      return true;
    }
    for (const demand of reached)
      for (const other of flow.given[demand]?.keys() ?? []) {
        if (seen.has(other)) continue;
        leaves.set(other, demand);
        seen.add(other);
      }
  }
  for (const boards of seen) flow.closedClasses.add(boards);
  for (const demand of reachedBy.keys()) flow.closedDemands.add(demand);
  return false;
}

/** The demands that a class fits and that a path may still lead through. */
function demandsFor(flow: Flow, boards: BoardClass): number[] {
  const indexes = keysOf(boards).flatMap((key) => flow.byKey.get(key) ?? []);
  return indexes.filter((index) => {
    const demand = flow.demands[index];
    return demand !== undefined && !flow.closedDemands.has(index) && hasTags(boards, demand);
  });
}

/** Fills a slot of `open` and moves one board at every step back to where the search began. */
function moveAlong(
  flow: Flow,
  open: number,
  reachedBy: ReadonlyMap<number, BoardClass>,
  leaves: ReadonlyMap<BoardClass, number>,
): void {
  flow.spare[open] = (flow.spare[open] ?? 0) - 1;
  let demand: number | undefined = open;
  while (demand !== undefined) {
    const boards = reachedBy.get(demand);
    if (boards === undefined) return;
    change(flow.given[demand], boards, 1);
    const from = leaves.get(boards);
    if (from !== undefined) change(flow.given[from], boards, -1);
    demand = from;
  }
}

function change(counts: Map<BoardClass, number> | undefined, boards: BoardClass, by: 1 | -1): void {
  const count = (counts?.get(boards) ?? 0) + by;
  if (count === 0) counts?.delete(boards);
  else counts?.set(boards, count);
}

/** Counts become names: those of each class go to the demands in order, those of a demand to its roles by name. */
function deal(flow: Flow, taken: ReadonlyMap<BoardClass, number>): Map<string, string[]> {
  const hands = new Map<BoardClass, string[]>();
  for (const [boards, count] of taken) {
    const names = boards.boards.slice(0, count).map(({ name }) => name);
    hands.set(boards, names);
  }
  const given = new Map<string, string[]>();
  flow.demands.forEach(({ roles }, index) => {
    const names = [...(flow.given[index] ?? [])].flatMap(
      ([boards, count]) => hands.get(boards)?.splice(0, count) ?? [],
    );
    names.sort(compareText);
    for (const { role, count } of roles)
      given.set(role, (given.get(role) ?? []).concat(names.splice(0, count)).sort(compareText));
  });
  return given;
}
