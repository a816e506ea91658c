/**
 * A job as the rules look at it: each member with its calls in program order, how each call ended, who was missing from it.
 * It is read by `read-group.ts`; what rules ask of it is here.
 */
import type { JobDefinition } from '../../machines/definition.ts';
import type { Callers, DataOf, RefusalCode, Verb, WaitLimit } from '../../machines/events.ts';
import { duration, verbOf } from '../../machines/wording.ts';

/** An event as a rule refers to it. */
export interface Mark {
  readonly version: number;
  readonly at: number;
  /** How many bytes its board had printed by then. */
  readonly console: number | undefined;
}

export type CallEnd =
  | (Mark & { how: 'sent' })
  | (Mark & { how: 'released'; by: string | undefined })
  | (Mark & { how: 'timedOut'; limit: WaitLimit })
  | (Mark & { how: 'unreachable'; form: 'certain' | 'deadlocked'; cycle: readonly string[] })
  | (Mark & { how: 'abandoned'; why: DataOf<'WaitAbandoned'>['why'] })
  | (Mark & { how: 'refused'; code: RefusalCode; reason: string });

/** One request of a board. A `lava-sync` is a send and a wait: one call. */
export interface Call extends Mark {
  readonly member: Member;
  readonly verb: Verb;
  /** Empty where it was refused for want of a usable id. */
  readonly message: string;
  readonly role: string | undefined;
  /** Of a send or a sync: how often its member has now sent the id. */
  readonly round: number;
  readonly pairs: DataOf<'MessageSent'>['pairs'];
  readonly from: Callers | undefined;
  readonly suite: string | undefined;
  /** Found that it can never be released; it waits all the same. */
  stuck: (Mark & { form: 'certain' | 'deadlocked'; cycle: readonly string[] }) | undefined;
  /** When it and others were first found to wait for one another; whatever ended it then. */
  deadlock: (Mark & { cycle: readonly string[] }) | undefined;
  /** `undefined`: it still waits. */
  end: CallEnd | undefined;
}

export interface Script extends Mark {
  readonly suite: string;
  readonly script: 'install.sh' | 'run.sh';
  readonly status: number;
  readonly signal: string | undefined;
  readonly command: string | undefined;
  readonly outOfMemory: boolean;
}

export interface Result extends Mark {
  readonly suite: string;
  readonly case: string;
  readonly result: string;
  readonly note: string | undefined;
  readonly from: Callers | undefined;
}

export interface ActionRun extends Mark {
  readonly index: number;
  readonly command: string;
  end: (Mark & { outcome: 'ok' | 'failed' | 'timedOut'; reason: string | undefined }) | undefined;
}

export interface Suite extends Mark {
  readonly name: string;
  prepared: DataOf<'SuitePrepared'> | undefined;
  end: Mark | undefined;
}

export interface MemberEnd extends Mark {
  readonly how: 'complete' | 'failed' | 'timedOut' | 'cancelled';
  readonly reason: string;
  readonly fault: 'board' | 'worker' | undefined;
}

export interface Member {
  readonly device: string;
  readonly role: string;
  readonly place: number;
  readonly boots: (Mark & { done: Mark | undefined })[];
  readonly actions: ActionRun[];
  readonly suites: Suite[];
  /** In program order; of a very long job without those that ended well long before its end. */
  calls: Call[];
  /** By verb and message (`callName`): the event that released the last such wait. */
  readonly released: Map<string, number>;
  readonly scripts: Script[];
  readonly results: Result[];
  end: MemberEnd | undefined;
  /** The last event of its own. */
  last: Mark;
}

export interface JobEnd extends Mark {
  readonly how: 'complete' | 'failed' | 'timedOut' | 'cancelled' | 'rejected';
  readonly reason: string;
  readonly member: string | undefined;
  readonly limit: 'job' | 'queue' | undefined;
  readonly actor: string;
}

export interface Group {
  readonly definition: JobDefinition | undefined;
  readonly submitted: Mark | undefined;
  readonly allocated: Mark | undefined;
  /** In `lava-group` order. */
  readonly members: readonly Member[];
  readonly byDevice: ReadonlyMap<string, Member>;
  /** By message id: all calls with it, in the order of the log. */
  readonly byMessage: ReadonlyMap<string, readonly Call[]>;
  /** By message id: of each member its sends, one for each count. */
  readonly sends: ReadonlyMap<string, ReadonlyMap<Member, readonly Call[]>>;
  readonly refusals: readonly Call[];
  /** Calls that were counted and are not kept: there were too many. */
  readonly forgotten: number;
  /** When the first wait failed. */
  readonly firstFailed: Mark | undefined;
  readonly end: JobEnd | undefined;
  /** The last event that there is. */
  readonly last: Mark;
  /** Numbers of events that are not there. */
  readonly holes: readonly number[];
}

// what rules ask

export const callName = ({ verb, message }: Call): string => `${verb} ${message}`;

export const isWait = ({ verb }: Call): boolean => verb !== 'send';
export const isSend = (call: Call): boolean =>
  (call.verb === 'send' || call.verb === 'sync') && call.end?.how !== 'refused';

/** As its board typed it: `lava-wait-all ready server`. */
export const wordsOf = (call: Call): string => verbOf(call);

/** Whether it ended badly for its script, or will: not those that only the end of their own member cut off. */
export function hasFailed(call: Call): boolean {
  if (!isWait(call)) return false;
  switch (call.end?.how) {
    case 'timedOut':
    case 'unreachable':
      return true;
    case 'abandoned':
      return call.end.why !== 'member-ended';
    case undefined:
      return call.stuck !== undefined;
    default:
      return false;
  }
}

/** When it was over, or as far as the log goes. */
export const overAt = (group: Group, call: Call): Mark => call.end ?? group.last;

/** How often each member had sent an id by an event; those that had not are left out. */
export function sentCounts(group: Group, message: string, version: number): Map<Member, number> {
  const counts = new Map<Member, number>();
  for (const [member, sends] of group.sends.get(message) ?? []) {
    const last = lastUpTo(sends, version);
    if (last !== undefined) counts.set(member, last.round);
  }
  return counts;
}

export function lastUpTo(calls: readonly Call[], version: number): Call | undefined {
  let [from, to] = [0, calls.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((calls[middle]?.version ?? 0) <= version) from = middle + 1;
    else to = middle;
  }
  return calls[from - 1];
}

/** The send with which a member comes to a round; in a log with a hole the first that is there. */
export function sendOf(
  group: Group,
  message: string,
  member: Member,
  round: number,
): Call | undefined {
  const sends = group.sends.get(message)?.get(member) ?? [];
  const at = sends[round - 1];
  return at?.round === round ? at : sends.find((call) => call.round >= round);
}

/** Whom a wait counts, in group order. */
export function counted(group: Group, call: Call): Member[] {
  const countsSelf = group.definition?.countsSelf === true && call.verb !== 'sync';
  return group.members.filter(
    (member) =>
      (call.role === undefined || member.role === call.role) &&
      (member !== call.member || countsSelf),
  );
}

/**
 * Up to where an event can have been the cause of it. Of members that wait for one another the first to give up lets the
 * others go: what that brings about is not why they waited.
 */
export function decidedAt(group: Group, call: Call): Mark {
  const over = overAt(group, call);
  const first = call.deadlock === undefined ? undefined : group.firstFailed;
  return first === undefined || first.version > over.version
    ? over
    : { ...first, version: first.version - 1 };
}

/** Whom a wait had not heard of then. */
export function missingFrom(group: Group, call: Call): Member[] {
  const { version } = decidedAt(group, call);
  const round = call.verb === 'sync' ? call.round : 1;
  const counts = sentCounts(group, call.message, version);
  return counted(group, call).filter((member) => (counts.get(member) ?? 0) < round);
}

export const ago = (ms: number): string => duration(Math.max(0, ms));
