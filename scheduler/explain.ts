/** Why a job still waits, as data and as one sentence: derived from what `plan` saw, never remembered. */
import type { RoleRequest } from '../machines/definition.ts';
import { demandsOf, isMeant, missingTags } from './demand.ts';
import { holdersOf, match } from './matching.ts';
import { comparePlaces, compareText } from './order.ts';
import { isFree, plan } from './plan.ts';
import { poolOf } from './pool.ts';
import type { Assignment, Board, Explanation, QueuedJob } from './types.ts';
import { asked, boardCount, clauseList, lacks } from './wording.ts';

/** What keeps a board from a role of the job; `word` is `free` when nothing does. */
interface Standing {
  board: string;
  /** Whether its type or name and its tags are right and it is not retired. */
  fits: boolean;
  word: string;
  detail?: string | undefined;
}

/**
 * A job's place in the queue and what it waits for, as it is at the job's turn in `plan`: jobs before it
 * have had their boards, jobs after it have not.
 *
 * @param job one of the queue; another one is explained as if it stood in it.
 * @param planned `plan(queue, boards)`; hand it in when many jobs of one queue are explained.
 */
export function explain(
  job: QueuedJob,
  queue: readonly QueuedJob[],
  boards: readonly Board[],
  planned: readonly Assignment[] = plan(queue, boards),
): Explanation {
  const before = new Set(
    queue.filter((other) => comparePlaces(other, job) < 0).map((other) => other.id),
  );
  const goesTo = new Map<string, number>();
  for (const { job: id, members } of planned)
    if (before.has(id)) for (const { device } of members) goesTo.set(device, id);
  const byName = [...boards].sort((a, b) => compareText(a.name, b.name));
  const standings = job.roles.map((request) =>
    byName
      .filter((board) => isMeant(board, request))
      .map((board) => standing(board, request, goesTo)),
  );
  const own = planned.find((assignment) => assignment.job === job.id);
  return {
    place: before.size + 1,
    reason: own === undefined ? waitsFor(job, byName, goesTo, standings) : startsOn(own),
    slots: job.roles.map(({ role, count }, index) => {
      const ofRole = standings[index] ?? [];
      return {
        role,
        wanted: count,
        free: ofRole.filter(({ word }) => word === 'free').length,
        candidates: ofRole.map(({ board, word, detail }) => ({
          board,
          why: detail === undefined ? word : `${word}: ${detail}`,
        })),
      };
    }),
  };
}

/** The first rule that keeps this board away: a reason that stays (retired, tags) before one that passes. */
function standing(
  board: Board,
  request: RoleRequest,
  goesTo: ReadonlyMap<string, number>,
): Standing {
  const missing = missingTags(board, request);
  const unfit = { board: board.name, fits: false };
  if (board.state === 'retired') return { ...unfit, word: 'retired' };
  if (missing.length > 0) return { ...unfit, word: lacks(missing) };
  const fit = { board: board.name, fits: true };
  if (board.state === 'reserved')
    return {
      ...fit,
      word: board.heldBy === undefined ? 'reserved' : `held by job ${board.heldBy.job}`,
    };
  if (!board.available) return { ...fit, word: 'offline', detail: board.unavailable };
  const earlier = goesTo.get(board.name);
  return { ...fit, word: earlier === undefined ? 'free' : `goes to job ${earlier} first` };
}

function startsOn({ members }: Assignment): string {
  return `can start now on ${clauseList(members.map(({ device }) => device))}`;
}

/** `waits for 1 board of role server (type panda): panda01 held by job 3, panda02 offline (power)`. */
function waitsFor(
  job: QueuedJob,
  byName: readonly Board[],
  goesTo: ReadonlyMap<string, number>,
  standings: readonly (readonly Standing[])[],
): string {
  const demands = demandsOf(job.roles);
  const free = byName.filter((board) => isFree(board) && !goesTo.has(board.name));
  const { given, complete } = match(demands, poolOf(free, demands));
  if (demands.length === 0) return 'asks for no board, so there is no group to allocate';
  if (complete) return 'can start now';
  const holder = holdersOf(given);
  const parts = job.roles.flatMap((request, index) => {
    const short = request.count - (given.get(request.role)?.length ?? 0);
    if (short === 0) return [];
    const others = standings[index]?.filter(({ board }) => holder.get(board) !== request.role);
    const causes = causesOf(others ?? [], short, holder);
    return [`${boardCount(short)} of role ${request.role} (${asked(request)}): ${causes}`];
  });
  return `waits for ${parts.join('; ')}`;
}

/** What keeps the boards that fit; where too few fit at all, also what is wrong with the others. */
function causesOf(
  others: readonly Standing[],
  short: number,
  holder: ReadonlyMap<string, string>,
): string {
  const fitting = others.filter(({ fits }) => fits);
  const named = fitting.length >= short ? fitting : [...fitting, ...others.filter((o) => !o.fits)];
  if (named.length === 0) return 'no other board is registered';
  return clauseList(
    named.map(({ board, word, detail }) => {
      if (word === 'free') return `${board} is also needed by role ${holder.get(board)}`;
      return detail === undefined ? `${board} ${word}` : `${board} ${word} (${detail})`;
    }),
  );
}
