/** Which boards a slot may have: the rules about one board and one request. */
import type { RoleRequest } from '../machines/definition.ts';
import type { Board } from './types.ts';

/** The tags that a request wants and a board does not have (SEMANTICS 4.2: wanted tags are a subset). */
export function missingTags(
  board: Pick<Board, 'tags'>,
  request: Pick<RoleRequest, 'tags'>,
): string[] {
  return [...new Set(request.tags)].filter((tag) => !board.tags.includes(tag)).sort();
}

/**
 * Whether a board may be given to a job at all: a board that is open to `checks` alone goes to the job that
 * checks its own health, and to no other (SEMANTICS 4.5).
 */
export function isOpenTo(
  board: Pick<Board, 'name' | 'open'>,
  healthCheckOf: string | undefined,
): boolean {
  return board.open === 'jobs' || (board.open === 'checks' && board.name === healthCheckOf);
}
