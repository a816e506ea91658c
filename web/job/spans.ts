/** What a job's fold is made of. All of it points at events by their index. */

/** What a member is about. */
export type Phase = 'held' | 'deploy' | 'boot' | 'run' | 'hand-in' | 'over';

/** From the event `from` to the event `to`, which ended it; `to` is `OPEN` while nothing has. */
export interface Span {
  from: number;
  to: number;
  label: string;
}
export interface PhaseSpan extends Span {
  phase: Phase;
}
export interface WaitSpan extends Span {
  wait: number;
  verb: 'wait' | 'wait-all' | 'sync';
  message: string;
  round: number;
  role: string | undefined;
  lane: number;
  missing: readonly string[];
  outcome: 'open' | 'released' | 'timedOut' | 'unreachable' | 'abandoned';
  /** The member whose arrival released it. */
  by: string | undefined;
  /** The cache file that its end wrote, or will write. */
  file: 'cache' | 'network' | undefined;
  /** Events at which it was seen to be stuck, and no longer. */
  stuck: Span[];
  barrier: Barrier;
}

export const OPEN = Number.MAX_SAFE_INTEGER;

export interface Lane {
  device: string;
  role: string;
  phases: PhaseSpan[];
  waits: WaitSpan[];
  suites: Span[];
  /** When it was booted: what was in its temporary folder is gone. */
  boots: number[];
  /** Sends, results, refusals and ends, in order. */
  marks: number[];
  /** How it ended; `undefined`: it has not. */
  end: { at: number; state: MemberEnd } | undefined;
}
export type MemberEnd = 'complete' | 'failed' | 'timedOut' | 'cancelled';

/** From the send that caused it to the release. */
export interface Arrow {
  from: number;
  to: number;
  fromLane: number;
  toLane: number;
}

/** What members meet at: a round of a sync, or what waits of the other verbs wait for. */
export interface Barrier {
  key: string;
  verb: WaitSpan['verb'];
  message: string;
  round: number;
  role: string | undefined;
  waits: WaitSpan[];
  /** The release that opened it; `OPEN`: none has. */
  opened: number;
  /** Who came last. */
  last: string | undefined;
}

export interface Sent {
  at: number;
  lane: number;
  count: number;
  pairs: readonly (readonly [string, string])[];
}
