/**
 * Whether some boards can fill a whole group, worked out slot by slot: dumber and slower than the scheduler's own
 * matching, and apart from it, so that the one can be held against the other.
 */
import type { RoleRequest } from '../machines/definition.ts';
import type { Assignment, Board } from '../scheduler/types.ts';

export type Members = Assignment['members'];

/** `panda01 (server), panda02 (client)`. */
export const membersText = (members: Members): string =>
  members.map(({ device, role }) => `${device} (${role})`).join(', ');

type Candidate = Pick<Board, 'name' | 'deviceType' | 'tags' | 'worker'>;

/** Whether a board is of the type or name that a role asks for, and has its tags (SEMANTICS 4.2). */
export function fits(
  board: Pick<Board, 'name' | 'deviceType' | 'tags'>,
  request: RoleRequest,
): boolean {
  const isMeant =
    request.device === undefined
      ? board.deviceType === request.deviceType
      : board.name === request.device;
  return isMeant && request.tags.every((tag) => board.tags.includes(tag));
}

/**
 * Boards for every slot of a group, or `undefined` when there are not enough: augmenting paths, in the order of
 * the slots and of the boards.
 *
 * @param spare how many boards each worker may still give; a worker that is not named may give all
 */
export function fillingOf(
  roles: readonly RoleRequest[],
  boards: readonly Candidate[],
  spare: ReadonlyMap<string, number> = new Map(),
): Members | undefined {
  const search = new Search(boards, spare);
  const slots = roles.flatMap((request) => Array.from({ length: request.count }, () => request));
  for (const [slot, request] of slots.entries()) if (!search.place(slot, request)) return undefined;
  return [...search.slotOf].map(([device, slot]) => ({ device, role: slots[slot]?.role ?? '' }));
}

class Search {
  readonly slotOf = new Map<string, number>();
  readonly #boards: readonly Candidate[];
  readonly #limits: ReadonlyMap<string, number>;
  readonly #requests: RoleRequest[] = [];
  readonly #given = new Map<string, Set<string>>();
  #seen = new Set<string>();
  #seenWorkers = new Set<string>();

  constructor(boards: readonly Candidate[], limits: ReadonlyMap<string, number>) {
    this.#boards = boards;
    this.#limits = limits;
  }

  place(slot: number, request: RoleRequest): boolean {
    this.#requests[slot] = request;
    this.#seen = new Set();
    this.#seenWorkers = new Set();
    return this.#giveTo(slot);
  }

  /** Finds a board for a slot, moving other slots where that makes room. */
  #giveTo(slot: number): boolean {
    const request = this.#requests[slot];
    if (request === undefined) return false;
    for (const { name, worker, ...traits } of this.#boards) {
      if (this.#seen.has(name) || !fits({ name, ...traits }, request)) continue;
      this.#seen.add(name);
      const holder = this.slotOf.get(name);
      const isRoom = holder === undefined ? this.#makeRoomOn(worker) : this.#giveTo(holder);
      if (!isRoom) continue;
      this.slotOf.set(name, slot);
      this.#givenOf(worker).add(name);
      return true;
    }
    return false;
  }

  /** Whether a worker may give one board more, if need be after another of its boards was let go. */
  #makeRoomOn(worker: string): boolean {
    const given = this.#givenOf(worker);
    if (given.size < (this.#limits.get(worker) ?? Number.POSITIVE_INFINITY)) return true;
    if (this.#seenWorkers.has(worker)) return false;
    this.#seenWorkers.add(worker);
    for (const name of given) {
      const holder = this.slotOf.get(name);
      if (this.#seen.has(name) || holder === undefined) continue;
      this.#seen.add(name);
      if (!this.#giveTo(holder)) continue;
      this.slotOf.delete(name);
      given.delete(name);
      return true;
    }
    return false;
  }

  #givenOf(worker: string): Set<string> {
    const given = this.#given.get(worker) ?? new Set();
    this.#given.set(worker, given);
    return given;
  }
}
