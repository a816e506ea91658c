/** Which boards a slot may have: the rules about one board and one request. */
import type { Board } from './types.ts';

/** What a slot asks for: a board by its name, or any of a type. */
export interface Wanted {
  device?: string | undefined;
  deviceType?: string | undefined;
  tags: readonly string[];
}

/** Whether a job may count on it, whatever keeps it now. */
export const exists = ({ state }: Pick<Board, 'state'>): boolean =>
  state !== 'retired' && state !== 'unlisted';

/** Whether a board that exists has the type or the name, and all tags (SEMANTICS 4.2). */
export function fitsRequest(board: Board | undefined, request: Wanted): boolean {
  if (board === undefined || !exists(board)) return false;
  const { device, deviceType } = request;
  const isMeant = device === undefined ? board.deviceType === deviceType : board.name === device;
  return isMeant && missingTags(board, request).length === 0;
}

/** The tags that a request wants and a board does not have (SEMANTICS 4.2: wanted tags are a subset). */
export function missingTags(
  board: Pick<Board, 'tags'>,
  request: Pick<Wanted, 'tags'>,
): readonly string[] {
  if (request.tags.every((tag) => board.tags.includes(tag))) return [];
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
