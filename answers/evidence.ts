/**
 * All that an answer is made from: what the log says of a job, what ran on its boards, and what they printed. Answers are
 * functions of it: they keep nothing, and are the same on a server, from a bundle, and in a test.
 */
import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import type { SourceList } from '../wire/sources.ts';
import type { RunFacts } from './run-facts.ts';
import type { LabMoment } from './views.ts';

/** What ran as one suite of one member. */
export interface RanSource {
  readonly member: string;
  readonly suite: string;
  /** `undefined`: what was kept is not there any more, or the board's worker kept nothing. */
  readonly list: SourceList | undefined;
  /** By digest: the text of a file that was kept. */
  readonly text: (digest: string) => string | undefined;
}

/** A console is read by offsets: it may have a hundred megabytes. */
export interface ConsoleReader {
  /** In bytes; 0: nothing was printed, or it is not there. */
  readonly bytes: number;
  /** At most `to - from` bytes; fewer at the end of it. */
  read(from: number, to: number): Promise<Buffer>;
  /**
   * When the byte at an offset had come, in milliseconds since the epoch, and the offset that had come by a time: from the
   * index beside the console. `undefined`: it has none.
   */
  timeAt(offset: number): Promise<number | undefined>;
  offsetAt(time: number): Promise<number | undefined>;
  /** The index as it is written; absent, or empty: there is none. */
  index?(): Promise<string>;
}

export interface Evidence {
  readonly job: number;
  /** All events of the job's stream, in order. */
  readonly events: readonly RecordedEvent<JobEvent>[];
  readonly sources: readonly RanSource[];
  /** Events of other streams that belong to the job, by position; absent: nobody looked for them. */
  readonly related?: readonly RecordedEvent[];
  /** The last runs of the same definition that passed before it, the newest first; absent: nobody looked for them. */
  readonly past?: readonly RunFacts[];
  /** The queue and the boards as they were at the job's events; absent: nobody looked for them. */
  readonly lab?: LabRuns;
  console(device: string): ConsoleReader;
}

/** The queue and the boards along a job: each is as it says from its event on, up to the next one. */
export interface LabRuns {
  readonly runs: readonly { readonly from: number; readonly lab: LabMoment }[];
  /** The last event of which it is known. */
  readonly until: number;
}

export function labAt(lab: LabRuns | undefined, version: number): LabMoment | undefined {
  if (lab === undefined || version > lab.until) return undefined;
  return lab.runs.findLast(({ from }) => from <= version)?.lab;
}
