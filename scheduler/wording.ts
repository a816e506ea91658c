/** The words that admission and explanations share. */
import type { Shortfall } from './types.ts';

/** How many boards a sentence names before it says "and 7 more". */
export const NAMED_BOARDS_MAX = 5;

/** `1 board`, `3 boards`. */
export function boardCount(count: number): string {
  return count === 1 ? '1 board' : `${count} boards`;
}

/** `lacks tag a`, `lacks tags a and b`. */
export function lacks(tags: readonly string[]): string {
  return `lacks ${tagList(tags)}`;
}

/** `type panda with tag a`, or of a device `name panda01`. */
export function asked(request: {
  device?: string | undefined;
  deviceType?: string | undefined;
  tags: readonly string[];
}): string {
  const what =
    request.device === undefined ? `type ${request.deviceType}` : `name ${request.device}`;
  return request.tags.length === 0 ? what : `${what} with ${tagList(request.tags)}`;
}

/** Clauses about one board each, as one part of a sentence; `total`: how many there would be. */
export function clauseList(clauses: readonly string[], total = clauses.length): string {
  const shown = clauses.slice(0, NAMED_BOARDS_MAX);
  const rest = total - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ');
}

/** `role server has 0 of 1 board of type panda; ...`. */
export function shortList(short: readonly Shortfall[]): string {
  return clauseList(short.map(({ role, lacking }) => `role ${role} has ${lacking}`));
}

function tagList(tags: readonly string[]): string {
  const unique = [...new Set(tags)];
  const last = unique.at(-1);
  return unique.length > 1 ? `tags ${unique.slice(0, -1).join(', ')} and ${last}` : `tag ${last}`;
}
