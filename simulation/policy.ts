/** What a policy is told and what it answers: who gets a board, told one change at a time. */
import type { RoleRequest } from '../machines/definition.ts';
import type { Assignment, Board, Plan, QueuedJob } from '../scheduler/types.ts';

export interface Policy {
  readonly name: string;
  /** Whether a job may wait here at all; a job that may not is rejected. */
  admits(roles: readonly RoleRequest[]): boolean;
  /** A board that is new, or stands otherwise than before. */
  setBoard(board: Board): void;
  removeBoard(name: string): void;
  /** A job that waits from now on. */
  setJob(job: QueuedJob): void;
  /** It waits no longer: it started, or was given up. */
  removeJob(id: number): void;
  /** What is done at this instant. Its starts and grabs are told back by `setBoard` and `removeJob`. */
  decide(now: number): Decision;
}

export interface Decision {
  /** Whole groups that start now. Boards that were grabbed for the group before are among its members. */
  starts: Assignment[];
  /** Boards that a waiting job holds from now on, though it cannot start. Only upstream's policy does that. */
  grabs: { job: number; device: string }[];
  /** The plan behind the decision, where the scheduler made one. */
  plan?: Plan;
}
