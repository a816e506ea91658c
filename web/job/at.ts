/** The job at one of its events: what each member is about, who is missing where, and what is in a board's cache file. Pure. */
import type { JobFold } from './fold.ts';
import { type Barrier, type Lane, OPEN, type Span, type WaitSpan } from './spans.ts';

/** The last of these that began at or before an event; they are in the order of their beginnings. */
export function lastBefore<T extends { from: number }>(
  spans: readonly T[],
  at: number,
): T | undefined {
  return spans[countBefore(spans, at) - 1];
}

/** How many began at or before an event. */
export function countBefore(spans: readonly { from: number }[], at: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((spans[middle]?.from ?? OPEN) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How far back open waits are looked for: a board has a few at once, and never so many. */
const WAITS_AT_ONCE_MAX = 64;

/** The waits of a lane that are open at an event, the oldest first. */
export function openWaits(lane: Lane, at: number): WaitSpan[] {
  const end = countBefore(lane.waits, at);
  return lane.waits.slice(Math.max(0, end - WAITS_AT_ONCE_MAX), end).filter((wait) => wait.to > at);
}

export interface MemberAt {
  /** For its sign: `waiting` stands above the phase, `stuck` above that. */
  state: string;
  /** In words. */
  doing: string;
  waits: readonly WaitSpan[];
}

/** What a member is about at an event. */
export function memberAt(lane: Lane, at: number): MemberAt {
  const waits = openWaits(lane, at);
  const phase = lastBefore(lane.phases, at);
  if (lane.end !== undefined && lane.end.at <= at)
    return { state: lane.end.state, doing: lane.end.state, waits };
  const last = waits.at(-1);
  if (last !== undefined) {
    const isStuck = last.stuck.some(({ from, to }) => from <= at && to > at);
    return { state: isStuck ? 'stuck' : 'waiting', doing: last.label, waits };
  }
  const suite = lastBefore(lane.suites, at);
  const inSuite = suite !== undefined && suite.to > at ? suite.label : undefined;
  const words = { held: 'has its board', deploy: 'deploying', boot: 'booting', run: 'running' };
  const known: Record<string, string> = { ...words, 'hand-in': 'handing in results' };
  const state = phase?.phase ?? 'held';
  return { state, doing: inSuite ?? known[state] ?? phase?.label ?? '', waits };
}

/** Whether a member's sends count for a wait (`docs/semantics.md`, 2). */
export function isAwaited(fold: JobFold, wait: WaitSpan, lane: number): boolean {
  if (lane === wait.lane && (wait.verb === 'sync' || !fold.countsSelf)) return false;
  return wait.role === undefined || fold.lanes[lane]?.role === wait.role;
}

/** Who a wait still lacks at an event. */
export function missingAt(fold: JobFold, wait: WaitSpan, at: number): string[] {
  const came = arrivals(fold, wait.barrier, at);
  return fold.lanes
    .filter((_, lane) => isAwaited(fold, wait, lane) && !came.has(lane))
    .map(({ device }) => device);
}

/** Who has come to a barrier by an event, and with which send: lane by lane. */
export function arrivals(fold: JobFold, barrier: Barrier, at: number): Map<number, number> {
  const came = new Map<number, number>();
  for (let lane = 0; lane < fold.lanes.length; lane++) {
    const sent = fold.sendOf(barrier.message, lane, barrier.round);
    if (sent !== undefined && sent <= at) came.set(lane, sent);
  }
  return came;
}

/** What the last wait that was over by an event left in a member's cache file. */
export interface CacheFile {
  /** The wait that wrote it; absent: none has. */
  wait: WaitSpan | undefined;
  lines: string[];
}

/** The cache file of a lane at an event, by the rules of `docs/semantics.md` 2 and 2.3. */
export function cacheAt(
  fold: JobFold,
  lane: number,
  at: number,
  file: WaitSpan['file'] = 'cache',
): CacheFile {
  const is = fold.lanes[lane];
  const booted = is?.boots.findLast((boot) => boot <= at) ?? -1;
  let written: WaitSpan | undefined;
  for (const wait of is?.waits ?? [])
    if (wait.file === file && wait.to <= at && wait.to > booted && wait.to > (written?.to ?? -1))
      written = wait;
  if (written === undefined || written.outcome !== 'released') return { wait: written, lines: [] };
  const lines = known.get(written) ?? cacheLines(fold, written);
  known.set(written, lines);
  return { wait: written, lines };
}

/** What a wait that is over has written does not change: of a long job it is worked out once. */
const known = new WeakMap<WaitSpan, string[]>();

function cacheLines(fold: JobFold, wait: WaitSpan): string[] {
  const lines = new Map<string, string>();
  for (const sent of fold.sends.get(wait.message) ?? []) {
    if (sent.at > wait.to) break;
    if (!isAwaited(fold, wait, sent.lane)) continue;
    const device = fold.lanes[sent.lane]?.device ?? '';
    // A key keeps the place where it first came; its latest value counts.
    for (const [key, value] of sent.pairs)
      lines.set(wait.verb === 'wait-all' ? `${device}:${key}` : key, value);
  }
  return [...lines].map(([key, value]) => `${key}=${value}`);
}

/**
 * How long a barrier held each of its members, up to an event.
 *
 * @param now the time, where the job goes on: at its last event what is open grows
 */
export function heldFor(fold: JobFold, wait: Span, at: number, now?: number): number {
  const from = fold.times[wait.from] ?? 0;
  const isOpen = wait.to === OPEN && at === fold.length - 1;
  if (isOpen && now !== undefined) return Math.max(0, now - from);
  return (fold.times[Math.min(wait.to, at)] ?? 0) - from;
}

/** The state of the job at an event. */
export function jobStateAt(fold: JobFold, at: number): string {
  if (fold.ended !== undefined && fold.ended <= at) {
    const type = fold.events[fold.ended]?.type ?? '';
    const known: Record<string, string> = {
      JobCompleted: 'complete',
      JobFailed: 'failed',
      JobTimedOut: 'timedOut',
      JobCancelled: 'cancelled',
      JobRejected: 'rejected',
    };
    return known[type] ?? 'failed';
  }
  const allocated = fold.lanes[0]?.phases[0]?.from;
  return allocated !== undefined && allocated <= at ? 'allocated' : 'submitted';
}

/** The event of a lane before or after another one, for the keys that step along a lane. */
export function nextOn(fold: JobFold, lane: number, at: number, step: 1 | -1): number | undefined {
  for (let next = at + step; next >= 0 && next < fold.length; next += step)
    if (fold.laneOf[next] === lane) return next;
  return undefined;
}
