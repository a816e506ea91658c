/**
 * One case over the runs of jobs that are over. They are read from the log when somebody asks, the newest first, and only as
 * many as may be: what was looked at is said in the answer.
 */
import type { z } from 'zod';
import { UnreadableEvent } from '../machines/events.ts';
import { CaseSeries } from '../projections/case-series.ts';
import { ResultsFold } from '../projections/results.ts';
import type { ResultsView } from '../projections/views.ts';
import { matchesGlob } from './glob.ts';
import type { History } from './history/history.ts';
import type { ApiEngine } from './parts.ts';
import type { CaseHistory } from './schemas.ts';

/** Jobs that one answer looks at: a name may pass over many. */
export const JOBS_LOOKED_AT_MAX = 1_000;
/** Events that it reads: a job may have many. */
export const EVENTS_READ_MAX = 500_000;
/** Runs that it holds, in all series together: a group may be large. */
export const RUNS_MAX = 20_000;

export interface HistoryQuery {
  case: string;
  /** A pattern of the job's name; absent: any. */
  name?: string | undefined;
  /** How many jobs in which the case came. */
  last: number;
  /** Only jobs with a lower number. */
  before?: number | undefined;
}

interface Past {
  engine: Pick<ApiEngine, 'directory' | 'jobCount'>;
  history: Pick<History, 'events'>;
}

/**
 * @param onUnreadable a job whose events cannot be read is passed over, and told here
 * @throws ApiProblem `stopping` when the signal aborts: nobody waits for it any more
 */
export async function caseHistory(
  past: Past,
  query: HistoryQuery,
  signal: AbortSignal,
  onUnreadable: (error: UnreadableEvent) => void,
): Promise<z.infer<typeof CaseHistory>> {
  const series = new CaseSeries(query.case);
  const without: number[] = [];
  const lookedAt = { jobs: 0, events: 0 };
  let found = 0;
  const answer = (next?: number) => ({
    case: query.case,
    ...(query.name !== undefined && { name: query.name }),
    series: series.views(),
    without,
    lookedAt,
    ...(next !== undefined && { next }),
  });
  for (const id of newestFirst(past.engine, query.before)) {
    const isEnough = found >= query.last || series.runCount >= RUNS_MAX;
    const isTooMuch = lookedAt.jobs >= JOBS_LOOKED_AT_MAX || lookedAt.events >= EVENTS_READ_MAX;
    if (isEnough || isTooMuch) return answer(id + 1);
    const job = await readJob(past.history, id, query.name, signal).catch((error: unknown) => {
      if (!(error instanceof UnreadableEvent)) throw error;
      onUnreadable(error);
      return { events: 0 };
    });
    lookedAt.jobs += 1;
    lookedAt.events += job.events;
    if (!('results' in job)) continue;
    if (series.take({ job: id, name: job.name }, job.results)) found += 1;
    else if (query.name !== undefined) without.push(id);
  }
  return answer();
}

/** The numbers of all jobs that are over, the newest first. */
function* newestFirst({ directory, jobCount }: Past['engine'], before?: number): Iterable<number> {
  const { jobs, uncounted } = directory;
  const isWanted = (id: number) => {
    const state = jobs.get(id)?.state ?? 'ended';
    return state === 'ended' && (before === undefined || id < before);
  };
  yield* [...uncounted].filter(isWanted).sort((a, b) => b - a);
  for (let id = jobCount; id >= 1; id--) if (isWanted(id)) yield id;
}

/** Reads a job of this name to its end; of one of another name the first event alone. */
async function readJob(
  history: Past['history'],
  id: number,
  pattern: string | undefined,
  signal: AbortSignal,
): Promise<{ events: number } | { events: number; name: string; results: ResultsView }> {
  const isAny = pattern === undefined;
  const head = await history.events(id, signal, isAny ? undefined : 1);
  const [first] = head;
  // There is no such job: it was archived.
  if (first?.type !== 'JobSubmitted') return { events: head.length };
  const { name } = first.data.definition;
  if (!isAny && !matchesGlob(pattern, name)) return { events: head.length };
  const fold = new ResultsFold();
  const events = isAny ? head : await history.events(id, signal);
  for (const event of events) fold.take(event);
  return { events: events.length, name, results: fold.results() };
}
