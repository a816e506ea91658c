/** Which waiting jobs start now, and on which boards: the one place where boards are given out. */
import { demandsOf } from './demand.ts';
import { match, take } from './matching.ts';
import { comparePlaces } from './order.ts';
import { changeWants, poolOf } from './pool.ts';
import type { Assignment, Board, QueuedJob } from './types.ts';

/**
 * The jobs that start now, in the order of the queue. Whatever the order of its inputs, the same plan.
 *
 * - Highest priority first, then first submitted, then lowest id (SEMANTICS 4.1).
 * - A job gets its whole group, by one maximum matching to the free boards, or nothing (1.3, 4.2).
 * - Among matchings: boards that fit the fewest slots of the other jobs still waiting, then the longest
 *   idle, then by name (4.3).
 * - A job that cannot start holds nothing: jobs after it may start on any board it cannot use yet. So a wide
 *   job can be overtaken without end. Its reservation, and backfill bounded by timeouts, come with rule 4.4:
 *   they belong here, between the first job that fails to match and the next one.
 *
 * A job that asks for no board at all never starts: there is no group to allocate.
 */
export function plan(queue: readonly QueuedJob[], boards: readonly Board[]): Assignment[] {
  const pool = poolOf(boards.filter(isFree), demandsOf(queue.flatMap(({ roles }) => roles)));
  const assignments: Assignment[] = [];
  // The pool only shrinks: what could not be matched once cannot be matched later in this plan.
  const unmatched = new Set<string>();
  for (const job of [...queue].sort(comparePlaces)) {
    const demands = demandsOf(job.roles);
    const shape = demands.map(({ count, key }) => `${count} ${key}`).join('\n');
    if (demands.length === 0 || unmatched.has(shape)) continue;
    // The job is not part of "the rest of the queue" while its boards are chosen.
    changeWants(pool, demands, -1);
    const matching = match(demands, pool);
    if (matching.complete) {
      take(matching);
      assignments.push({ job: job.id, members: membersOf(job, matching.given) });
    } else {
      changeWants(pool, demands, 1);
      unmatched.add(shape);
    }
  }
  return assignments;
}

/** Whether a board can be given to a job now: idle, online, of good or unknown health (SEMANTICS 4.2). */
export function isFree(board: Board): boolean {
  return board.state === 'idle' && board.available;
}

function membersOf(
  job: QueuedJob,
  given: ReadonlyMap<string, readonly string[]>,
): Assignment['members'] {
  return job.roles.flatMap(({ role }) =>
    (given.get(role) ?? []).map((device) => ({ device, role })),
  );
}
