/** A short run told in sentences, from its trace and the decisions that were made in it. */
import type { QueuedJob } from '../scheduler/types.ts';
import { type Members, membersText } from './filling.ts';
import type { Decided } from './properties.ts';
import type { Trace, TraceJob } from './trace.ts';

export interface Told {
  /** Since the first instant of the trace. */
  seconds: number;
  says: string;
}

/** What happened up to the last of the decisions, that one's starts included; what is due at once in this order. */
export function timelineOf(trace: Trace, history: readonly Decided[]): Told[] {
  const now = history.at(-1)?.now ?? 0;
  const told: { at: number; rank: number; says: string }[] = [];
  const tell = (at: number, rank: number, says: string) => {
    if (at <= now) told.push({ at, rank, says });
  };
  tell(0, 0, `boards: ${trace.boards.map(boardText).join(', ')}`);
  for (const { name, jobLimit } of trace.workers)
    if (jobLimit !== undefined) tell(0, 0, `worker ${name} may have ${jobLimit} boards in use`);
  for (const { board, from, until } of trace.outages) {
    tell(from, 1, `${board} is lost`);
    if (until !== null) tell(until, 2, `${board} is back`);
  }
  for (const job of trace.jobs) tell(job.submittedAt, 3, submissionText(job));
  for (const { now: at, plan } of history) {
    for (const { job, members } of plan.starts) {
      tell(at, 4, `job ${job} starts on ${membersText(members)}`);
      const ended = endOf(trace, job, members, at);
      if (ended !== undefined) tell(ended.at, 1, ended.says);
    }
  }
  for (const { job, at, seen } of promisesIn(history))
    tell(seen, 5, `job ${job} is promised to start by ${at / 1000} s`);
  return told
    .sort((a, b) => a.at - b.at || a.rank - b.rank)
    .map(({ at, says }) => ({ seconds: at / 1000, says }));
}

function boardText({ name, deviceType, tags }: Trace['boards'][number]): string {
  return tags.length === 0
    ? `${name} (${deviceType})`
    : `${name} (${deviceType}, ${tags.join(' ')})`;
}

function submissionText({ id, name, priority, timeoutSeconds, roles }: TraceJob): string {
  const wants = roles.map(requestText).join(', ');
  return `job ${id} (${name}) is submitted: ${wants}; priority ${priority}, timeout ${timeoutSeconds} s`;
}

function requestText({
  role,
  count,
  device,
  deviceType,
  tags,
}: QueuedJob['roles'][number]): string {
  const what = device ?? `${count} ${deviceType}`;
  return `${role} ${what}${tags.length === 0 ? '' : ` with ${tags.join(' ')}`}`;
}

function endOf(
  trace: Trace,
  id: number,
  members: Members,
  startedAt: number,
): { at: number; says: string } | undefined {
  const job = trace.jobs.find((each) => each.id === id);
  if (job === undefined) return undefined;
  const runsMs = Math.min(job.runMs, job.timeoutSeconds * 1000);
  const lost = trace.outages
    .filter(({ board, from }) => from >= startedAt && members.some((m) => m.device === board))
    .sort((a, b) => a.from - b.from)[0];
  if (lost !== undefined && lost.from < startedAt + runsMs)
    return { at: lost.from, says: `job ${id} ends: it lost ${lost.board}` };
  const how = job.runMs < job.timeoutSeconds * 1000 ? 'ends' : 'is ended by its timeout';
  return { at: startedAt + runsMs, says: `job ${id} ${how}` };
}

/** Each promise when it is new or moves. */
function promisesIn(history: readonly Decided[]): { job: number; at: number; seen: number }[] {
  let last = '';
  return history.flatMap(({ plan: { reservation }, now: seen }) => {
    const key = reservation === null ? '' : `${reservation.job} ${reservation.at}`;
    const isNew = key !== last;
    last = key;
    return reservation !== null && isNew
      ? [{ job: reservation.job, at: reservation.at, seen }]
      : [];
  });
}
