/**
 * The records of the index: what jobs ask for and what boards there are, with equal things put together. Jobs of one
 * *shape* ask for equal groups; slots of one *demand* have equal wishes, in whatever job they are; boards of one
 * *class* cannot be told apart by any demand or limit.
 */
import type { RoleRequest } from '../machines/definition.ts';
import type { SortedList } from './sorted-list.ts';
import type { Board, QueuedJob } from './types.ts';
import type { WordNode } from './word-tree.ts';

/** What one slot asks for. */
export interface Demand {
  /** Equal for equal wishes. */
  key: string;
  /** A board by name; absent: any board of `deviceType`. */
  device: string | undefined;
  deviceType: string | undefined;
  tags: readonly string[];
  /** The board whose health is checked: it does even when it is open to `checks` alone. */
  checkOf: string | undefined;
  /** Slots of the whole queue that ask for this. */
  slots: number;
  /** The classes of boards that fit. */
  classes: Set<BoardClass>;
  shapes: Set<Shape>;
  /** Shapes that cannot be matched before a board comes that fits this, or room for one. */
  stuckOn: Set<Shape>;
  /** Grows by one or more with every board that comes, now or by some time, and fits this, and with all room for one. */
  grown: number;
}

/** The slots of a group that have one demand, of one role or of several. */
export interface Part {
  demand: Demand;
  count: number;
  /** In the order of the roles in the job; the counts add up to `count`. */
  roles: { role: string; count: number }[];
}

/** What a whole group asks for. */
export interface Shape {
  /** Where the index finds it. */
  node: WordNode<Shape>;
  roles: readonly RoleRequest[];
  checkOf: string | undefined;
  /** Empty: it asks for no board. */
  parts: readonly Part[];
  /** Whether no board fits two of the parts, whatever boards there are. */
  apart: boolean;
  /** The parts of each type that has more than one. */
  alike: readonly (readonly Part[])[];
  /** Those of the queue, by their timeout in seconds: each line in the order of the queue. */
  lines: Map<number, SortedList<QueuedJob>>;
  /** It cannot be matched before a board comes that fits one of these; empty: it might be matched now. */
  waitsFor: readonly Demand[];
  /**
   * The reserved start that no job of this shape can keep, how much had grown when that was found, and how many boards
   * at least the two lacked.
   */
  refusal: { reserved: Shape; at: number; grown: number; lacking: number } | undefined;
  /** Nothing that it fits has changed since there last was no time by which its boards are sure to be free. */
  timeless: boolean;
}

/** A job that waits, and what it asks for. */
export interface Queued {
  job: QueuedJob;
  shape: Shape;
}

/** A board that is held, and back by `until` at the latest. */
export interface Held {
  board: Board;
  until: number;
}

/** Boards that are open to the same jobs, of equal type and tags. */
export interface BoardClass {
  /** Where the index finds it. */
  node: WordNode<BoardClass>;
  deviceType: string;
  tags: ReadonlySet<string>;
  /** Only of a board that is asked for by name: it is a class of its own. */
  name: string | undefined;
  /** Only of a board that is open to `checks` alone: its own name. */
  checkOf: string | undefined;
  /** Their worker, where it has a limit. */
  worker: WorkerUse | undefined;
  /** Those that are idle: longest idle first, then by name. */
  idle: Board[];
  /** Those that are held and have an end: the first back first, then by name. */
  held: Held[];
  /** For each of the first ones of `idle` that the plan in the making has given away: until when. */
  given: number[];
  /** Slots of the whole queue that a board of this class fits. */
  want: number;
  demands: Set<Demand>;
}

export interface WorkerUse {
  name: string;
  /** `undefined`: no limit. */
  limit: number | undefined;
  boards: Set<string>;
  /** Those classes of its boards that exist; none without a limit. */
  classes: Set<BoardClass>;
  /** When its held boards come back at the latest, in order. */
  heldUntil: number[];
  /** Its held boards that have no such time. */
  heldOpenly: number;
  /** Until when its boards are held that the plan in the making has given away. */
  given: number[];
}
