/** The words that admission and explanations share. */
import type { Wanted } from './fit.ts';
import type { WorkerUse } from './records.ts';
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
export function asked(request: Wanted): string {
  const what =
    request.device === undefined ? `type ${request.deviceType}` : `name ${request.device}`;
  return request.tags.length === 0 ? what : `${what} with ${tagList(request.tags)}`;
}

/** Why an idle board of a worker whose limit is reached cannot be had. */
export function atLimit({ name, limit }: WorkerUse, used: number): string {
  return `limit of worker ${name}: ${used} of ${boardCount(limit ?? used)} in use`;
}

/** Why an idle board of a worker cannot be had beside the `own` boards that the group would have of it. */
export function oneTooMany({ name, limit }: WorkerUse, used: number, own: number): string {
  return `limit of worker ${name}: ${used} of ${boardCount(limit ?? used)} in use, ${own} for this job`;
}

/** The same of several boards, for a group that has `own` boards of this worker, none of them in use yet. */
export function keptByLimit(
  boards: string,
  { name, limit }: WorkerUse,
  { used, own }: { used: number; own: number },
): string {
  const group = own === 0 ? '' : `, ${own} for this job`;
  return `${boards} kept by the limit of worker ${name} (${boardCount(limit ?? used)} at once: ${used} in use${group})`;
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
