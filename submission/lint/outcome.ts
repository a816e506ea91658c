/** What a run of a group's programs takes, and what it comes to. */
import type { CallGraph, FaultKind, Place } from './call-graph.ts';
import type { StuckWait } from './certainty.ts';

export interface MemberProgram {
  readonly role: string;
  /** The board, where the job names one. */
  readonly name?: string;
  readonly graph: CallGraph;
  /** The same as if no command failed, where a script ends before its end. */
  readonly undying?: CallGraph;
}

export interface Refusal {
  readonly member: number;
  readonly order: number;
  readonly code: string;
  readonly reason: string;
}

/** Something that may go wrong, and did not in this run. */
export interface FaultPoint {
  readonly member: number;
  /** Of the run: the same in each. */
  readonly key: string;
  readonly what: FaultKind;
  readonly at: Place & { readonly text: string };
}

export interface Outcome {
  readonly stuck: readonly StuckWait[];
  readonly refused: readonly Refusal[];
  /** Members that did something of which not all is known, and what. */
  readonly vague: readonly { readonly member: number; readonly what: string; readonly at: Place }[];
  /** Members whose scripts went into a loop that nobody saw the end of. */
  readonly parked: readonly number[];
  /** What was looked for in the cache file and was not there. `isFatal`: it ended a script. */
  readonly unread: readonly {
    readonly member: number;
    readonly read: number;
    readonly isFatal: boolean;
  }[];
  /** What was looked for and was there, or may be. */
  readonly found: readonly { readonly member: number; readonly read: number }[];
  /** Waits that ran out of their limit though nobody was late, and the script went on. */
  readonly missed: readonly StuckWait[];
  readonly faults: readonly FaultPoint[];
  readonly calls: number;
  /** Sites that were reached, by member. */
  readonly reached: readonly ReadonlySet<number>[];
}
