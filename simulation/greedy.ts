/**
 * Upstream's policy: one-by-one holding (`lava_scheduler_app/scheduler.py`, as of 2026).
 *
 * A group is split into one sub-job a slot. Type by type, each idle board, in a random order, goes to the first
 * sub-job of the queue whose type (or name) and tags fit, and stays with it; no board is ever moved to another slot.
 * The group starts when its last slot is filled. Admission looks at each role alone.
 *
 * Two kindnesses: it plans the moment something happens, where upstream looks every 20 seconds; and a board
 * that goes away while it is held is let go.
 */
import type { RoleRequest } from '../machines/definition.ts';
import { comparePlaces, compareText } from '../scheduler/order.ts';
import { SortedList } from '../scheduler/sorted-list.ts';
import type { Assignment, Board, QueuedJob, Worker } from '../scheduler/types.ts';
import { fits } from './filling.ts';
import type { Decision, Policy } from './policy.ts';
import type { Random } from './random.ts';

/** One slot of a waiting group. */
interface SubJob {
  job: QueuedJob;
  number: number;
  request: RoleRequest;
  /** The type that it is queued under. */
  deviceType: string;
}

const compareSubJobs = (a: SubJob, b: SubJob): number =>
  comparePlaces(a.job, b.job) || a.number - b.number;

export class Greedy implements Policy {
  readonly name = 'greedy';
  readonly #random: Random;
  readonly #boards = new Map<string, Board>();
  /** Names of boards that may be given, by type. */
  readonly #idle = new Map<string, Set<string>>();
  /** Slots without a board, by type. */
  readonly #open = new Map<string, SortedList<SubJob>>();
  readonly #groups = new Map<number, SubJob[]>();
  /** The slot that holds a board. */
  readonly #slotOf = new Map<string, SubJob>();
  readonly #boardOf = new Map<SubJob, string>();
  readonly #limits = new Map<string, number>();
  readonly #busyOf = new Map<string, number>();
  /** Types of which a board or a slot is new since the last decision. */
  readonly #changed = new Set<string>();

  constructor(workers: readonly Worker[], random: Random) {
    for (const { name, jobLimit } of workers)
      if (jobLimit !== undefined) this.#limits.set(name, jobLimit);
    this.#random = random;
  }

  /** Role by role, as upstream does: it never sees that two roles need the same board. */
  admits(roles: readonly RoleRequest[]): boolean {
    return roles.every((request) => {
      let fitting = 0;
      for (const board of this.#boards.values()) {
        if (fitting >= request.count) break;
        if (fits(board, request)) fitting += 1;
      }
      return fitting >= request.count;
    });
  }

  setBoard(board: Board): void {
    this.removeBoard(board.name);
    this.#boards.set(board.name, board);
    if (board.state === 'reserved') {
      this.#busyOf.set(board.worker, (this.#busyOf.get(board.worker) ?? 0) + 1);
      return;
    }
    this.#letGo(board.name);
    if (board.open !== 'jobs') return;
    const idle = this.#idle.get(board.deviceType) ?? new Set();
    idle.add(board.name);
    this.#idle.set(board.deviceType, idle);
    this.#changed.add(board.deviceType);
  }

  removeBoard(name: string): void {
    const board = this.#boards.get(name);
    if (board === undefined) return;
    this.#boards.delete(name);
    this.#idle.get(board.deviceType)?.delete(name);
    if (board.state !== 'reserved') return;
    this.#busyOf.set(board.worker, (this.#busyOf.get(board.worker) ?? 0) - 1);
    // Its worker may give another board now, of whatever type.
    if (this.#limits.has(board.worker))
      for (const type of this.#idle.keys()) this.#changed.add(type);
  }

  setJob(job: QueuedJob): void {
    const requests = job.roles.flatMap((request) =>
      Array.from({ length: request.count }, () => request),
    );
    const slots = requests.map((request, number) => {
      const named = request.device === undefined ? undefined : this.#boards.get(request.device);
      const deviceType = request.deviceType ?? named?.deviceType ?? '';
      return { job, number, request, deviceType };
    });
    this.#groups.set(job.id, slots);
    for (const slot of slots) this.#queue(slot);
  }

  removeJob(id: number): void {
    for (const slot of this.#groups.get(id) ?? []) {
      const board = this.#boardOf.get(slot);
      if (board === undefined) this.#open.get(slot.deviceType)?.remove(slot);
      else this.#slotOf.delete(board);
      this.#boardOf.delete(slot);
    }
    this.#groups.delete(id);
  }

  decide(): Decision {
    const grabbed = new Map<number, string[]>();
    for (const type of [...this.#changed].sort(compareText))
      for (const { job, device } of this.#handOut(type))
        grabbed.set(job, [...(grabbed.get(job) ?? []), device]);
    this.#changed.clear();
    const starts: Assignment[] = [];
    const grabs: Decision['grabs'] = [];
    for (const [job, devices] of grabbed) {
      const members = this.#membersOf(job);
      if (members === undefined) grabs.push(...devices.map((device) => ({ job, device })));
      else starts.push({ job, members });
    }
    return { starts, grabs };
  }

  /** Each idle board of a type to the first slot in order that it fits. */
  #handOut(type: string): Decision['grabs'] {
    const open = this.#open.get(type);
    const idle = this.#idle.get(type);
    if (open === undefined || open.size === 0 || idle === undefined) return [];
    return this.#random.shuffled([...idle].sort(compareText)).flatMap((name) => {
      const board = this.#boards.get(name);
      if (board === undefined || this.#isWorkerFull(board)) return [];
      const slot = open.items.find(({ request }) => fits(board, request));
      if (slot === undefined) return [];
      open.remove(slot);
      this.#slotOf.set(name, slot);
      this.#boardOf.set(slot, name);
      const { id: job } = slot.job;
      this.setBoard({ ...board, state: 'reserved', heldBy: { job } });
      return [{ job, device: name }];
    });
  }

  #isWorkerFull({ worker }: Board): boolean {
    const limit = this.#limits.get(worker);
    return limit !== undefined && (this.#busyOf.get(worker) ?? 0) >= limit;
  }

  /** The whole group, or `undefined` while a slot is open. */
  #membersOf(job: number): Assignment['members'] | undefined {
    const members: Assignment['members'] = [];
    for (const slot of this.#groups.get(job) ?? []) {
      const device = this.#boardOf.get(slot);
      if (device === undefined) return undefined;
      members.push({ device, role: slot.request.role });
    }
    return members;
  }

  #queue(slot: SubJob): void {
    const open = this.#open.get(slot.deviceType) ?? new SortedList(compareSubJobs);
    open.add(slot);
    this.#open.set(slot.deviceType, open);
    this.#changed.add(slot.deviceType);
  }

  /** A held board that is idle again: it went away. */
  #letGo(name: string): void {
    const slot = this.#slotOf.get(name);
    if (slot === undefined) return;
    this.#slotOf.delete(name);
    this.#boardOf.delete(slot);
    this.#queue(slot);
  }
}
