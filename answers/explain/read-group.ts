/** A group from the events of its job: one pass, in their order; nothing is decided here. */
import type { JobDefinition } from '../../machines/definition.ts';
import type { DataOf, JobEvent, RecordedEvent } from '../../machines/events.ts';
import { isProgram } from '../callers.ts';
import { type Call, callName, type Group, type JobEnd, type Mark, type Member } from './facts.ts';

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
  readonly #sends = new Map<string, Map<Member, Call[]>>();
  #forgotten = 0;
  /** Of a member whose calls cannot be forgotten: at how many it is tried again. */
  readonly #forgetAt = new Map<Member, number>();
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
      sends: this.#sends,
      refusals: this.#refusals,
      forgotten: this.#forgotten,
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
    const { version, at, console } = mark;
    const isSend = event.type === 'MessageSent' && verb === 'send';
    // Written out: there are as many of them as there are events.
    const call: Call = {
      version,
      at,
      console,
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
      end: isSend ? { version, at, console, how: 'sent' } : undefined,
    };
    if (event.type === 'RequestRefused') {
      call.end = { ...mark, how: 'refused', code: event.data.code, reason: event.data.reason };
      this.#refusals.push(call);
    }
    if (event.type === 'WaitStarted') this.#waits.set(event.data.wait, call);
    if (event.type === 'MessageSent') this.#send(call);
    member.calls.push(call);
    const same = this.#byMessage.get(message) ?? [];
    same.push(call);
    this.#byMessage.set(message, same);
    if (member.calls.length >= (this.#forgetAt.get(member) ?? this.#callsMax)) {
      this.#forgetOf(member);
      this.#forgetAt.set(member, Math.max(this.#callsMax, member.calls.length * 2));
    }
  }

  get #callsMax(): number {
    return Math.max(CALLS_OF_A_MEMBER_MIN, Math.floor(CALLS_KEPT_MAX / this.#members.size));
  }

  /** What ended well long ago says nothing of how a job ends. Who has sent what is kept, but where all have sent it. */
  #forgetOf(member: Member): void {
    const { calls } = member;
    const old = calls.slice(0, calls.length >> 1);
    let bad = 0;
    const forgotten = new Set(
      old.filter((call) => {
        if (call.end?.how === 'sent' || call.end?.how === 'released') return !this.#isCount(call);
        bad += call.end === undefined ? 0 : 1;
        return call.end !== undefined && bad > FAILED_KEPT_MAX;
      }),
    );
    this.#forgotten += forgotten.size;
    member.calls = calls.filter((call) => !forgotten.has(call));
    for (const message of new Set([...forgotten].map((call) => call.message)))
      this.#forgetAbout(message, member, forgotten);
  }

  #forgetAbout(message: string, member: Member, forgotten: ReadonlySet<Call>): void {
    const kept = (this.#byMessage.get(message) ?? []).filter((call) => !forgotten.has(call));
    if (kept.length === 0) this.#byMessage.delete(message);
    else this.#byMessage.set(message, kept);
    const sends = this.#sends.get(message);
    const mine = (sends?.get(member) ?? []).filter((call) => !forgotten.has(call));
    if (mine.length > 0) sends?.set(member, mine);
    else sends?.delete(member);
  }

  /** By it is known how often its member has sent the message, and somebody else has not yet. */
  #isCount(call: Call): boolean {
    const sends = this.#sends.get(call.message);
    if (sends?.get(call.member)?.at(-1) !== call) return false;
    for (const member of this.#members.values())
      if ((sends.get(member)?.at(-1)?.round ?? 0) < call.round) return true;
    return false;
  }

  #send(call: Call): void {
    const ofAll = this.#sends.get(call.message) ?? new Map<Member, Call[]>();
    this.#sends.set(call.message, ofAll);
    const mine = ofAll.get(call.member) ?? [];
    ofAll.set(call.member, mine);
    mine.push(call);
  }

  /** A program that gives up and kills its verb says so to nobody: it is heard when its member ends. */
  #abandoned(call: Call, mark: Mark, why: DataOf<'WaitAbandoned'>['why']): void {
    const { version, at, console } = (why === 'member-ended' ? outlived(call) : undefined) ?? mark;
    const isKilled = version !== mark.version;
    call.end = { version, at, console, how: 'abandoned', why: isKilled ? 'verb-ended' : why };
    if (call.end.why !== 'member-ended') this.#firstFailed ??= { version, at, console };
  }

  #endOfWait(event: RecordedEvent<JobEvent>, mark: Mark): void {
    const call = 'wait' in event.data ? this.#waits.get(event.data.wait) : undefined;
    if (call === undefined) return;
    switch (event.type) {
      case 'WaitReleased':
        call.end = {
          version: mark.version,
          at: mark.at,
          console: mark.console,
          how: 'released',
          by: event.data.by,
        };
        call.member.released.set(callName(call), mark.version);
        this.#waits.delete(event.data.wait);
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
        this.#abandoned(call, mark, event.data.why);
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

/** The end of the script that a program ran in which made a call, and could not have ended while it waited. */
const outlived = ({ member, suite, version, from }: Call): Mark | undefined => {
  const [nearest] = from ?? [];
  return nearest === undefined || !isProgram(nearest)
    ? undefined
    : member.scripts.find((script) => script.suite === suite && script.version > version);
};

const CALLS_KEPT_MAX = 40_000;
const CALLS_OF_A_MEMBER_MIN = 1_000;
const FAILED_KEPT_MAX = 500;

const newMember = (device: string, role: string, place: number, last: Mark): Member => ({
  device,
  role,
  place,
  boots: [],
  actions: [],
  suites: [],
  calls: [],
  released: new Map(),
  scripts: [],
  results: [],
  end: undefined,
  last,
});
