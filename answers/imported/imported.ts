/** Upstream's logs of one group as the evidence of a job, from which every answer is made. */
import { ConsoleTimes } from '../console-times.ts';
import type { ConsoleReader, Evidence } from '../evidence.ts';
import type { MemberLog, ReadLog } from './observed.ts';
import { oneGroup } from './one-group.ts';
import { toldGroup } from './told.ts';

export interface Imported {
  readonly evidence: Evidence;
  /** What it was made of. */
  readonly from: string;
  /** What no such log holds, and what these do not, in sentences. */
  readonly unknown: readonly string[];
}

const ALWAYS_UNKNOWN = [
  'the job as it was submitted, its images and its limits: where one is shown it stands for none that is known',
  'the queue, the lab and how long the job waited: it begins with the first line of its logs',
  'the files that ran, their commits, and from which line of them a verb was called',
];

export interface ImportOptions {
  /** Of several groups of a coordinator's log. */
  group?: string | undefined;
  /** The number that the job is told under; absent: the lowest of its members that is one. */
  job?: number | undefined;
}

/** @throws LogRefused */
export function imported(logs: readonly ReadLog[], { group, job }: ImportOptions = {}): Imported {
  const one = oneGroup(logs, group);
  const numbers = one.members.map(({ name }) => Number(name)).filter(isJobNumber);
  const number = job ?? (numbers.length > 0 ? Math.min(...numbers) : 1);
  const { events, notes } = toldGroup(number, one);
  return {
    evidence: {
      job: number,
      events,
      sources: [],
      console: (device) => consoleOf(one.logs.get(device)),
    },
    from: logs.map(({ file }) => file).join(', '),
    unknown: [...new Set([...ALWAYS_UNKNOWN, ...one.notes, ...notes])],
  };
}

const isJobNumber = (number: number): boolean => Number.isSafeInteger(number) && number > 0;

function consoleOf(log: MemberLog | undefined): ConsoleReader {
  const bytes = Buffer.from(log?.console ?? []);
  const index = log?.times ?? '';
  const times = ConsoleTimes.of(index);
  return {
    bytes: bytes.length,
    read: async (from, to) => bytes.subarray(Math.max(0, from), Math.max(from, to, 0)),
    timeAt: async (offset) => times?.timeAt(offset),
    offsetAt: async (time) => times?.offsetAt(time),
    index: async () => index,
  };
}
