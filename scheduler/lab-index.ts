/**
 * The lab as the plan looks at it: boards by class, jobs by shape, workers by name. It is kept up to date change
 * by change, and marks the shapes that a change may help, so that a plan looks at nothing else.
 */
import { compareHeld, fits, makeClass, placeOf, placesOf, type Traits } from './board-class.ts';
import { BoardList } from './board-list.ts';
import { compareIdle, comparePlaces, inTurn } from './order.ts';
import type { BoardClass, Demand, Held, Queued, Shape, WorkerUse } from './records.ts';
import { makeShape, shapeNode, type Wish } from './shape.ts';
import { insertSorted, removeSorted, SortedList } from './sorted-list.ts';
import type { Board, QueuedJob, Worker } from './types.ts';
import { WordNode } from './word-tree.ts';
import { makeWorkerUse } from './worker-use.ts';

const byTime = (a: number, b: number): number => a - b;

export class LabIndex {
  readonly boards = new BoardList();
  /** In the order in which they have their turns. */
  readonly queue = new SortedList<Queued>((a, b) => comparePlaces(a.job, b.job));
  /** Shapes that might be matched now, for all that is known; the others wait for boards of some demand. */
  readonly awake = new Set<Shape>();
  readonly #timeless = new Set<Shape>();
  readonly #shapes = new WordNode<Shape>();
  readonly #queued = new Map<number, Queued>();
  /** Jobs of the queue that are not in `#queued` yet: a plan from scratch never asks for one by its number. */
  #unlisted: Queued[] = [];
  readonly #demands = new Map<string, Demand>();
  readonly #demandsAt = new Map<string, Set<Demand>>();
  /** How many demands ask for a board by its name. */
  readonly #named = new Map<string, number>();
  readonly #classes = new WordNode<BoardClass>();
  readonly #classesAt = new Map<string, Set<BoardClass>>();
  readonly #classOf = new Map<string, BoardClass>();
  readonly #workers = new Map<string, WorkerUse>();

  /** Jobs that are all new: taken in in the order of their turns, so that no list is to be sorted afterwards. */
  addJobs(queue: readonly QueuedJob[]): void {
    const queued = queue.map((job) => ({ job, shape: this.#shapeFor(job) }));
    for (const one of inTurn(queued)) this.#add(one);
  }

  setJob(job: QueuedJob): void {
    this.removeJob(job.id);
    this.#add({ job, shape: this.#shapeFor(job) });
  }

  #add(queued: Queued): void {
    const { job, shape } = queued;
    this.#unlisted.push(queued);
    this.queue.add(queued);
    let line = shape.lines.get(job.timeoutSeconds);
    if (line === undefined) {
      line = new SortedList<QueuedJob>(comparePlaces);
      shape.lines.set(job.timeoutSeconds, line);
    }
    line.add(job);
    changeWants(shape, 1);
  }

  removeJob(id: number): void {
    const queued = this.queuedOf(id);
    if (queued === undefined) return;
    const { job, shape } = queued;
    this.#queued.delete(id);
    this.queue.remove(queued);
    const line = shape.lines.get(job.timeoutSeconds);
    line?.remove(job);
    if (line?.size === 0) shape.lines.delete(job.timeoutSeconds);
    changeWants(shape, -1);
    if (shape.lines.size === 0) this.#dropShape(shape);
  }

  /** `undefined`: there is no such job in the queue. */
  queuedOf(id: number): Queued | undefined {
    for (const queued of this.#unlisted) this.#queued.set(queued.job.id, queued);
    this.#unlisted = [];
    return this.#queued.get(id);
  }

  shapeOf(job: QueuedJob): Shape {
    return this.queuedOf(job.id)?.shape ?? this.#shapeFor(job);
  }

  setBoard(board: Board): void {
    const before = this.boards.get(board.name);
    if (before !== undefined) {
      this.#leave(before);
      this.workerOf(before).boards.delete(board.name);
    }
    this.boards.set(board);
    this.workerOf(board).boards.add(board.name);
    this.#enter(board);
  }

  removeBoard(name: string): void {
    const board = this.boards.get(name);
    if (board === undefined) return;
    this.#leave(board);
    this.boards.remove(name);
    this.workerOf(board).boards.delete(name);
  }

  setWorker({ name, jobLimit }: Worker): void {
    const worker = this.#workerNamed(name);
    if (worker.limit === jobLimit) return;
    const boards = [...worker.boards].flatMap((board) => this.boards.get(board) ?? []);
    for (const board of boards) this.#leave(board);
    worker.limit = jobLimit;
    for (const board of boards) this.#enter(board);
  }

  workerOf({ worker }: Board): WorkerUse {
    return this.#workerNamed(worker);
  }

  /** The class of a board that some job may be given, now or when it is back. */
  classOf({ name }: Board): BoardClass | undefined {
    return this.#classOf.get(name);
  }

  /** A shape that cannot be matched before a board comes that fits one of these demands. */
  markStuck(shape: Shape, on: readonly Demand[]): void {
    this.awake.delete(shape);
    shape.waitsFor = on;
    for (const demand of on) demand.stuckOn.add(shape);
  }

  /** So many idle boards of this class, or so much room for them, may have come: who waits for them is looked at again. */
  wake(boards: BoardClass, count = 1): void {
    for (const demand of boards.demands) {
      demand.grown += count;
      for (const shape of demand.stuckOn) this.#wakeShape(shape);
    }
  }

  #wakeShape(shape: Shape): void {
    for (const { stuckOn } of shape.waitsFor) stuckOn.delete(shape);
    shape.waitsFor = [];
    this.awake.add(shape);
  }

  /** So many boards of this worker came back: its idle boards may be had again. */
  wakeWorker({ classes }: WorkerUse, count = 1): void {
    for (const boards of classes) if (boards.idle.length > 0) this.wake(boards, count);
  }

  /** A shape for whose boards no time is sure. */
  markTimeless(shape: Shape): void {
    shape.timeless = true;
    this.#timeless.add(shape);
  }

  /** By some time there may be more boards of this class, or more room for them. */
  #wakeLater(boards: BoardClass): void {
    for (const demand of boards.demands) demand.grown += 1;
    for (const shape of this.#timeless) {
      if (!shape.parts.some(({ demand }) => boards.demands.has(demand))) continue;
      shape.timeless = false;
      this.#timeless.delete(shape);
    }
  }

  #workerNamed(name: string): WorkerUse {
    const found = this.#workers.get(name);
    if (found !== undefined) return found;
    const made = makeWorkerUse(name);
    this.#workers.set(name, made);
    return made;
  }

  /** Counts a board as in use, or as one of its class. */
  #enter(board: Board): void {
    const { state, open, heldBy } = board;
    const worker = this.workerOf(board);
    if (state === 'reserved') {
      if (heldBy?.until === undefined) worker.heldOpenly += 1;
      else insertSorted(worker.heldUntil, heldBy.until, byTime);
    }
    const held = heldOf(board);
    // Closed, or held without an end: nobody can count on it.
    if (open === 'nothing' || (state !== 'idle' && held === undefined)) return;
    const boards = this.#classFor(board);
    this.#classOf.set(board.name, boards);
    this.#wakeLater(boards);
    if (held !== undefined) insertSorted(boards.held, held, compareHeld);
    else {
      insertSorted(boards.idle, board, compareIdle);
      this.wake(boards);
    }
  }

  /** Undoes `#enter`. */
  #leave(board: Board): void {
    const { state, heldBy } = board;
    const worker = this.workerOf(board);
    if (state === 'reserved') {
      if (heldBy?.until === undefined) worker.heldOpenly -= 1;
      else removeSorted(worker.heldUntil, heldBy.until, byTime);
      for (const boards of worker.classes) this.#wakeLater(boards);
      this.wakeWorker(worker);
    }
    const boards = this.#classOf.get(board.name);
    if (boards === undefined) return;
    this.#classOf.delete(board.name);
    const held = heldOf(board);
    if (held === undefined) removeSorted(boards.idle, board, compareIdle);
    else removeSorted(boards.held, held, compareHeld);
    if (boards.idle.length + boards.held.length === 0) this.#dropClass(boards);
  }

  #classFor(board: Board): BoardClass {
    const { name, deviceType, open } = board;
    const worker = this.workerOf(board);
    const tags = [...new Set(board.tags)].sort();
    const traits: Traits = {
      deviceType,
      tags: new Set(tags),
      name: this.#named.has(name) ? name : undefined,
      checkOf: open === 'checks' ? name : undefined,
      worker: worker.limit === undefined ? undefined : worker,
    };
    const node = this.#nodeOf(traits, tags);
    if (node.value !== undefined) return node.value;
    const made = makeClass(node, traits);
    node.value = made;
    traits.worker?.classes.add(made);
    for (const place of placesOf(made)) {
      put(this.#classesAt, place, made);
      for (const demand of this.#demandsAt.get(place) ?? []) link(demand, made);
    }
    return made;
  }

  #nodeOf(
    { deviceType, name, checkOf, worker }: Traits,
    tags: readonly string[],
  ): WordNode<BoardClass> {
    let node = this.#classes.step(deviceType);
    for (const trait of [name, checkOf, worker?.name])
      node = trait === undefined ? node.step(0) : node.step(trait);
    for (const tag of tags) node = node.step(tag);
    return node;
  }

  #dropClass(boards: BoardClass): void {
    boards.node.clear();
    boards.worker?.classes.delete(boards);
    for (const place of placesOf(boards)) cut(this.#classesAt, place, boards);
    for (const demand of boards.demands) demand.classes.delete(boards);
  }

  #shapeFor(job: QueuedJob): Shape {
    const node = shapeNode(this.#shapes, job);
    if (node.value !== undefined) return node.value;
    const made = makeShape(node, job, (wish) => this.#demandFor(wish));
    for (const { demand } of made.parts) demand.shapes.add(made);
    node.value = made;
    this.awake.add(made);
    return made;
  }

  #dropShape(shape: Shape): void {
    shape.node.clear();
    this.#wakeShape(shape);
    this.awake.delete(shape);
    this.#timeless.delete(shape);
    for (const { demand } of shape.parts) {
      demand.shapes.delete(shape);
      if (demand.shapes.size === 0) this.#dropDemand(demand);
    }
  }

  #demandFor(wish: Wish): Demand {
    const found = this.#demands.get(wish.key);
    if (found !== undefined) return found;
    const made: Demand = {
      ...wish,
      slots: 0,
      classes: new Set(),
      shapes: new Set(),
      stuckOn: new Set(),
      grown: 0,
    };
    if (made.device !== undefined) this.#countName(made.device, 1);
    this.#demands.set(made.key, made);
    const place = placeOf(made);
    put(this.#demandsAt, place, made);
    for (const boards of this.#classesAt.get(place) ?? []) link(made, boards);
    return made;
  }

  #dropDemand(demand: Demand): void {
    this.#demands.delete(demand.key);
    cut(this.#demandsAt, placeOf(demand), demand);
    for (const boards of demand.classes) boards.demands.delete(demand);
    if (demand.device !== undefined) this.#countName(demand.device, -1);
  }

  /** A board is a class of its own while somebody asks for it by name. */
  #countName(name: string, by: 1 | -1): void {
    const before = this.#named.get(name) ?? 0;
    const after = before + by;
    const board = before > 0 !== after > 0 ? this.boards.get(name) : undefined;
    if (board !== undefined) this.#leave(board);
    if (after === 0) this.#named.delete(name);
    else this.#named.set(name, after);
    if (board !== undefined) this.#enter(board);
  }
}

/** Counts a job of this shape that joins the queue (`sign` 1) or leaves it (-1). */
export function changeWants({ parts }: Shape, sign: 1 | -1): void {
  for (const { demand, count } of parts) {
    demand.slots += sign * count;
    for (const boards of demand.classes) boards.want += sign * count;
  }
}

function link(demand: Demand, boards: BoardClass): void {
  if (demand.classes.has(boards) || !fits(boards, demand)) return;
  demand.classes.add(boards);
  boards.demands.add(demand);
  boards.want += demand.slots;
}

function heldOf(board: Board): Held | undefined {
  const until = board.state === 'reserved' ? board.heldBy?.until : undefined;
  return until === undefined ? undefined : { board, until };
}

function put<T>(sets: Map<string, Set<T>>, key: string, item: T): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([item]));
  else set.add(item);
}

function cut<T>(sets: Map<string, Set<T>>, key: string, item: T): void {
  const set = sets.get(key);
  set?.delete(item);
  if (set?.size === 0) sets.delete(key);
}
