/** What upstream's logs say that somebody did, member by member: before it is put in one order and told as events. */
import type { CaseResult } from '../../machines/events.ts';

export type Verb = 'send' | 'wait' | 'wait-all' | 'sync';

/** One thing that a member did, or that happened to it. `at`: by the clock of the log it is from. */
export type Observed = { readonly at: number; readonly console?: number } & (
  | {
      readonly did: 'call';
      readonly verb: Verb;
      readonly message: string;
      readonly role?: string;
      readonly pairs: readonly (readonly [string, string])[];
    }
  /** Its wait is over. `heard`: by sender, where it was told what they had sent. */
  | {
      readonly did: 'hear';
      readonly how: 'released' | 'nack' | 'timed-out' | 'cut-off';
      readonly heard?: readonly { sender: string; pairs: readonly (readonly [string, string])[] }[];
    }
  | { readonly did: 'start' | 'end'; readonly action: string; readonly limit?: number }
  | { readonly did: 'suite' | 'suite-end'; readonly suite: string }
  | {
      readonly did: 'result';
      readonly suite: string;
      readonly set?: string;
      readonly case: string;
      readonly result: CaseResult;
      readonly measurement?: string;
      readonly units?: string;
      readonly note?: string;
    }
  | {
      readonly did: 'finish';
      readonly how: 'complete' | 'failed' | 'timedOut' | 'cancelled';
      readonly reason: string;
    }
);

export type Did<D extends Observed['did']> = Extract<Observed, { did: D }>;

/** What is known of one member. */
export interface MemberLog {
  /** As upstream calls it in its group: the number of its job. */
  readonly name: string;
  readonly role?: string;
  readonly observed: readonly Observed[];
  /** What its board printed, and when: lines `OFFSET MILLISECONDS`. */
  readonly console: Uint8Array;
  readonly times: string;
}

/** What one file says. */
export interface ReadLog {
  readonly file: string;
  readonly kind: 'coordinator' | 'job';
  /** The groups that it speaks of; of a job's log at most one. */
  readonly groups: readonly GroupLog[];
  /** What of it could not be read, or is to be known of it, in sentences. */
  readonly notes: readonly string[];
}

export interface GroupLog {
  /** `undefined`: the log does not say it. */
  readonly name: string | undefined;
  /** How many members it was to have. */
  readonly size?: number;
  /** All members that it names, with their roles where it says them. */
  readonly roles: ReadonlyMap<string, string | undefined>;
  readonly members: readonly MemberLog[];
}

/** A log that cannot be imported: why, in a sentence. */
export class LogRefused extends Error {
  override readonly name = 'LogRefused';
}
