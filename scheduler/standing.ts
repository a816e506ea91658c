/** What keeps one board from a role of a waiting job: the first rule that does, in words. */
import type { RoleRequest } from '../machines/definition.ts';
import { exists, isOpenTo, missingTags } from './fit.ts';
import type { PlanInTheMaking } from './plan.ts';
import { atLimit, lacks } from './reasons.ts';
import type { Board, QueuedJob } from './types.ts';
import { inUse, roomNow } from './worker-use.ts';

export interface Standing {
  board: string;
  /** `free`: nothing keeps it. */
  why: string;
  /** `why` has a subject of its own: a sentence about the board puts it in brackets. */
  aside?: boolean;
  /** By when at the latest it is back, where a timeout guarantees that. */
  until?: number;
}

/** A reason that stays (retired, tags) comes before one that passes. */
export function standingOf(
  board: Board,
  request: Pick<RoleRequest, 'tags'>,
  { id, healthCheckOf }: QueuedJob,
  making: PlanInTheMaking,
): Standing {
  const { name, state } = board;
  if (!exists(board)) return { board: name, why: board.closed ?? state, aside: true };
  const missing = missingTags(board, request);
  if (missing.length > 0) return { board: name, why: lacks(missing) };
  if (state === 'reserved') return heldStanding(board, healthCheckOf);
  if (!isOpenTo(board, healthCheckOf)) return { board: name, why: closedText(board), aside: true };
  const start = making.startWith(name);
  if (start !== undefined && start.job.id !== id)
    return { board: name, why: `goes to job ${start.job.id}`, until: start.until };
  const worker = making.index.workerOf(board);
  if (start === undefined && roomNow(worker) === 0)
    return { board: name, why: atLimit(worker, inUse(worker)), aside: true };
  return { board: name, why: 'free' };
}

/** Whose end gives it back; a board that will be closed then is not given back to jobs. */
function heldStanding(board: Board, healthCheckOf: string | undefined): Standing {
  const { name, heldBy } = board;
  if (heldBy === undefined) return { board: name, why: 'held' };
  const { job, until, isCheck } = heldBy;
  if (isCheck === true) return { board: name, why: `held by its health check, job ${job}` };
  const why = `held by job ${job}`;
  if (!isOpenTo(board, healthCheckOf))
    return { board: name, why: `${why} (then ${closedText(board)})` };
  return until === undefined ? { board: name, why } : { board: name, why, until };
}

/** Whether nothing but the limit of its worker may keep a board from a job that it fits. */
export function isReady(
  board: Board,
  { healthCheckOf }: QueuedJob,
  making: PlanInTheMaking,
): boolean {
  return (
    board.state === 'idle' &&
    isOpenTo(board, healthCheckOf) &&
    making.startWith(board.name) === undefined
  );
}

function closedText({ open, closed }: Board): string {
  return closed ?? (open === 'checks' ? 'its health check comes first' : 'closed');
}
