/**
 * A job as the rules look at it: each member with its calls in program order, how each call ended, who was missing from it.
 * One pass over the events; nothing is decided here.
 */
import type { JobDefinition } from '../../machines/definition.ts';
import type {
  Callers,
  DataOf,
  JobEvent,
  RecordedEvent,
  RefusalCode,
  Verb,
  WaitLimit,
} from '../../machines/events.ts';
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
  readonly calls: Call[];
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
  readonly refusals: readonly Call[];
  /** When the first wait failed. */
  readonly firstFailed: Mark | undefined;
  readonly end: JobEnd | undefined;
  /** The last event that there is. */
  readonly last: Mark;
  /** Numbers of events that are not there. */
  readonly holes: readonly number[];
}

const HOLES_MAX = 100;

export function groupOf(events: Iterable<RecordedEvent<JobEvent>>): Group {
  const reader = new Reader();
  for (const event of events) reader.take(event);
  return reader.group();
}

class Reader {
  #definition: JobDefinition | undefined;
  #submitted: Mark | undefined;
  #allocated: Mark | undefined;
  #end: JobEnd | undefined;
  #last: Mark = { version: 0, at: 0, console: undefined };
  readonly #holes: number[] = [];
  readonly #members = new Map<string, Member>();
  readonly #byMessage = new Map<string, Call[]>();
  readonly #refusals: Call[] = [];
  #firstFailed: Mark | undefined;
  readonly #waits = new Map<number, Call>();
  readonly #prepared = new Map<string, DataOf<'SuitePrepared'>>();

  group(): Group {
    return {
      definition: this.#definition,
      submitted: this.#submitted,
      allocated: this.#allocated,
      members: [...this.#members.values()],
      byDevice: this.#members,
      byMessage: this.#byMessage,
      refusals: this.#refusals,
      firstFailed: this.#firstFailed,
      end: this.#end,
      last: this.#last,
      holes: this.#holes,
    };
  }

  take(event: RecordedEvent<JobEvent>): void {
    const mark = { version: event.version, at: event.meta.at, console: event.meta.console };
    for (let lost = this.#last.version + 1; lost < mark.version; lost++)
      if (this.#holes.length < HOLES_MAX) this.#holes.push(lost);
    this.#last = mark;
    const device = 'member' in event.data ? event.data.member : undefined;
    const member = device === undefined ? undefined : this.#members.get(device);
    if (member === undefined || event.type === 'JobFailed') this.#ofJob(event, mark);
    else {
      this.#ofMember(event, member, mark);
      member.last = mark;
    }
  }

  #ofJob(event: RecordedEvent<JobEvent>, mark: Mark): void {
    const { actor } = event.meta;
    const ended = (how: JobEnd['how'], reason: string, more: Partial<JobEnd> = {}) => {
      this.#end = { ...mark, how, reason, member: undefined, limit: undefined, actor, ...more };
    };
    switch (event.type) {
      case 'JobSubmitted':
        this.#definition = event.data.definition;
        this.#submitted = mark;
        return;
      case 'JobAllocated':
        this.#allocated = mark;
        for (const [place, { device, role }] of event.data.members.entries())
          this.#members.set(device, newMember(device, role, place, mark));
        return;
      case 'JobRejected':
        ended('rejected', event.data.short.map((s) => `role ${s.role}: ${s.lacking}`).join('; '));
        return;
      case 'JobCompleted':
        ended('complete', '');
        return;
      case 'JobFailed':
        ended('failed', event.data.reason, { member: event.data.member });
        return;
      case 'JobTimedOut':
        ended('timedOut', event.data.reason, { limit: event.data.limit });
        return;
      case 'JobCancelled':
        ended('cancelled', event.data.reason);
        return;
      default:
        return;
    }
  }

  #ofMember(event: RecordedEvent<JobEvent>, member: Member, mark: Mark): void {
    switch (event.type) {
      case 'ActionStarted': {
        const { action: index, command } = event.data;
        member.actions.push({ ...mark, index, command, end: undefined });
        return;
      }
      case 'ActionEnded': {
        const { action, outcome, reason } = event.data;
        const run = member.actions.findLast((one) => one.index === action);
        if (run !== undefined) run.end = { ...mark, outcome, reason };
        return;
      }
      case 'MemberBooting':
        member.boots.push({ ...mark, done: undefined });
        return;
      case 'MemberBooted': {
        const boot = member.boots.at(-1);
        if (boot !== undefined) boot.done = mark;
        return;
      }
      case 'SuitePrepared':
        this.#prepared.set(`${member.device} ${event.data.suite}`, event.data);
        return;
      case 'SuiteStarted': {
        const { suite: name } = event.data;
        const prepared = this.#prepared.get(`${member.device} ${name}`);
        member.suites.push({ ...mark, name, prepared, end: undefined });
        return;
      }
      case 'SuiteEnded': {
        const suite = member.suites.findLast(({ name }) => name === event.data.suite);
        if (suite !== undefined) suite.end = mark;
        return;
      }
      case 'ScriptEnded': {
        const { suite, script, status, signal, command, outOfMemory = false } = event.data;
        member.scripts.push({ ...mark, suite, script, status, signal, command, outOfMemory });
        return;
      }
      case 'ResultRecorded': {
        const { suite, case: name, result, note, from } = event.data;
        member.results.push({ ...mark, suite, case: name, result, note, from });
        return;
      }
      case 'MessageSent':
      case 'RequestRefused':
      case 'WaitStarted':
        this.#call(event, member, mark);
        return;
      case 'MemberCompleted':
        member.end = { ...mark, how: 'complete', reason: '', fault: undefined };
        return;
      case 'MemberFailed':
        member.end = { ...mark, how: 'failed', reason: event.data.reason, fault: event.data.fault };
        return;
      case 'MemberTimedOut':
      case 'MemberCancelled': {
        const how = event.type === 'MemberTimedOut' ? 'timedOut' : 'cancelled';
        member.end = { ...mark, how, reason: event.data.reason, fault: undefined };
        return;
      }
      default:
        this.#endOfWait(event, mark);
    }
  }

  #call(
    event: RecordedEvent<
      Extract<JobEvent, { type: 'MessageSent' | 'RequestRefused' | 'WaitStarted' }>
    >,
    member: Member,
    mark: Mark,
  ): void {
    const { verb, message = '', from } = event.data;
    if (event.type === 'WaitStarted' && verb === 'sync') {
      // Its send was told right before; one that takes a round up again sends nothing.
      const sent = member.calls.at(-1);
      if (sent?.verb === 'sync' && sent.message === message && sent.end === undefined) {
        this.#waits.set(event.data.wait, sent);
        return;
      }
    }
    const call: Call = {
      ...mark,
      member,
      verb,
      message,
      role: event.type === 'WaitStarted' ? event.data.role : undefined,
      round:
        event.type === 'MessageSent'
          ? event.data.count
          : event.type === 'WaitStarted'
            ? event.data.round
            : 0,
      pairs: event.type === 'MessageSent' ? event.data.pairs : [],
      from,
      suite: member.suites.at(-1)?.name,
      stuck: undefined,
      deadlock: undefined,
      end: undefined,
    };
    if (event.type === 'MessageSent' && verb === 'send') call.end = { ...mark, how: 'sent' };
    if (event.type === 'RequestRefused') {
      call.end = { ...mark, how: 'refused', code: event.data.code, reason: event.data.reason };
      this.#refusals.push(call);
    }
    if (event.type === 'WaitStarted') this.#waits.set(event.data.wait, call);
    member.calls.push(call);
    const same = this.#byMessage.get(message) ?? [];
    same.push(call);
    this.#byMessage.set(message, same);
  }

  #endOfWait(event: RecordedEvent<JobEvent>, mark: Mark): void {
    const call = 'wait' in event.data ? this.#waits.get(event.data.wait) : undefined;
    if (call === undefined) return;
    switch (event.type) {
      case 'WaitReleased':
        call.end = { ...mark, how: 'released', by: event.data.by };
        return;
      case 'WaitTimedOut':
        call.end = { ...mark, how: 'timedOut', limit: event.data.limit };
        this.#firstFailed ??= mark;
        return;
      case 'WaitUnreachable': {
        const { form, cycle } = event.data;
        call.end = { ...mark, how: 'unreachable', form, cycle };
        this.#firstFailed ??= mark;
        return;
      }
      case 'WaitAbandoned':
        call.end = { ...mark, how: 'abandoned', why: event.data.why };
        if (event.data.why !== 'member-ended') this.#firstFailed ??= mark;
        return;
      case 'WaitStuck': {
        const { form, cycle } = event.data;
        call.stuck ??= { ...mark, form, cycle };
        if (form === 'deadlocked') call.deadlock ??= { ...mark, cycle };
        return;
      }
      case 'WaitUnstuck':
        call.stuck = undefined;
        return;
      default:
        return;
    }
  }
}

const newMember = (device: string, role: string, place: number, last: Mark): Member => ({
  device,
  role,
  place,
  boots: [],
  actions: [],
  suites: [],
  calls: [],
  scripts: [],
  results: [],
  end: undefined,
  last,
});

// what rules ask

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

/** How often each member had sent an id by an event. */
export function sentCounts(group: Group, message: string, version: number): Map<Member, number> {
  const counts = new Map<Member, number>();
  for (const call of group.byMessage.get(message) ?? [])
    if (call.version <= version && isSend(call))
      counts.set(call.member, Math.max(counts.get(call.member) ?? 0, call.round));
  return counts;
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
