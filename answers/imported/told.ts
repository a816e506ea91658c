/** An imported history as events of a job. They say what the logs say; what those do not say stands as unknown. */
import type { DataOf, EventType, JobEvent, RecordedEvent } from '../../machines/events.ts';
import {
  isReleased,
  missing,
  type openWait,
  sent,
  waitsOf,
} from '../../machines/job/conversation.ts';
import { describeMissing } from '../../machines/job/doing.ts';
import { evolveJob, initialJob, type JobState, memberOf, placeOf } from '../../machines/job/job.ts';
import { jobStream, RoleName } from '../../machines/names.ts';
import { commandOf, importedJob, UNKNOWN } from './imported-job.ts';
import { type InOrder, inOrder, type Step } from './in-order.ts';
import type { Did } from './observed.ts';
import { type OneGroup, UNKNOWN_ROLE } from './one-group.ts';

export interface ToldGroup {
  readonly events: readonly RecordedEvent<JobEvent>[];
  readonly notes: readonly string[];
}

/** Members that an event names as missing. */
const MISSING_NAMED_MAX = 16;

/** @param job the number that it is told under */
export function toldGroup(job: number, group: OneGroup): ToldGroup {
  const order = inOrder(group);
  const teller = new Teller(job, group);
  teller.begin(order);
  for (const step of order.steps) teller.take(step);
  teller.end();
  const apart = [...order.apart].map(
    ([pair, ms]) =>
      `in which order ${pair} did what neither heard of the other: their clocks are at least ${(ms / 1000).toFixed(1)} s apart`,
  );
  return { events: teller.events, notes: [...teller.notes, ...apart] };
}

class Teller {
  readonly events: RecordedEvent<JobEvent>[] = [];
  readonly notes: string[] = [];
  readonly #group: OneGroup;
  readonly #stream: string;
  #job: JobState = initialJob;
  /** By role: the places of its actions in the job's list. */
  #actions: ReadonlyMap<string, readonly number[]> = new Map();
  readonly #begun = new Map<string, number>();
  /** Of each message id: the last send of it. */
  readonly #lastSend = new Map<string, RecordedEvent<JobEvent>>();
  /** By member: the message ids of which it is known that it sent them, and no more. */
  readonly #inferred = new Map<string, Set<string>>();

  constructor(job: number, group: OneGroup) {
    this.#group = group;
    this.#stream = jobStream(job);
  }

  begin({ steps }: InOrder): void {
    const { members } = this.#group;
    const at = Math.min(...steps.map(({ is }) => is.at));
    const { definition, places } = importedJob(this.#group, steps);
    this.#actions = places;
    this.#add('JobSubmitted', { definition, document: '' }, { at });
    const group = members.map((member) => ({
      device: member.name,
      role: member.role ?? UNKNOWN_ROLE,
    }));
    this.#add('JobAllocated', { lease: UNKNOWN, members: group }, { at });
  }

  take({ member, is }: Step): undefined {
    // A member that has ended does nothing more (SEMANTICS 2.4): such a log was mixed with another.
    if (memberOf(this.#job, member)?.ended !== null) {
      this.notes.push(`what ${member} did after the end of its job: its log goes on`);
      return;
    }
    const by = { at: is.at, member, ...(is.console !== undefined && { console: is.console }) };
    switch (is.did) {
      case 'start':
        return this.#starts(is, by);
      case 'end':
        return this.#endsAction(is, by);
      case 'call':
        return this.#calls(is, by);
      case 'hear':
        return this.#hears(is, by);
      case 'suite':
        this.#isUp(by);
        return this.#add('SuiteStarted', { member, suite: is.suite }, by);
      case 'suite-end':
        this.#isUp(by);
        return this.#add('SuiteEnded', { member, suite: is.suite }, by);
      case 'result': {
        this.#isUp(by);
        const { at: _, did: __, console: ___, ...result } = is;
        return this.#add('ResultRecorded', { member, ...result }, by);
      }
      case 'finish':
        return this.#finishes(is, by);
    }
  }

  /** The group's end, where all of its members have come to theirs. */
  end(): void {
    for (const [name, messages] of this.#inferred)
      this.notes.push(
        `when ${name} sent ${listed([...messages])}: it had when others heard of it, and more is not known`,
      );
    const { members } = this.#job;
    const last = this.events.at(-1);
    if (last === undefined || members.some(({ ended }) => ended === null)) return;
    const { at } = last.meta;
    const first = this.#job.firstEnd;
    if (first === null) this.#add('JobCompleted', {}, { at });
    else if (members.every(({ state }) => state === 'cancelled'))
      this.#add('JobCancelled', { reason: first.reason }, { at });
    else this.#add('JobFailed', first, { at });
  }

  // one member

  #starts(is: Did<'start' | 'end'>, by: By): undefined {
    const command = commandOf(is.action);
    const { member = '' } = by;
    if (command === undefined) return;
    const nth = this.#begun.get(member) ?? 0;
    this.#begun.set(member, nth + 1);
    const action = this.#actions.get(memberOf(this.#job, member)?.role ?? '')?.[nth] ?? nth;
    if (command === 'boot_linaro_image')
      this.#add('ActionStarted', { member, action, command }, by);
    if (command === 'boot_linaro_image') return this.#add('MemberBooting', { member }, by);
    if (command === 'lava_test_shell') this.#isUp(by);
    this.#add('ActionStarted', { member, action, command }, by);
  }

  #endsAction(is: Did<'start' | 'end'>, by: By): undefined {
    const { member = '' } = by;
    const action = memberOf(this.#job, member)?.action;
    if (!action || action.command !== commandOf(is.action)) return;
    const failed = this.#failsAt(member, is);
    if (action.command === 'boot_linaro_image' && failed === undefined) this.#isUp(by);
    if (failed === undefined)
      this.#add('ActionEnded', { member, action: action.index, outcome: 'ok' }, by);
    else {
      const outcome = failed.how === 'timedOut' ? 'timedOut' : 'failed';
      const { reason } = failed;
      this.#add('ActionEnded', { member, action: action.index, outcome, reason }, by);
    }
  }

  /** How the member ended, where this is the last of its actions and it did not end well. */
  #failsAt(member: string, is: Did<'start' | 'end'>): Did<'finish'> | undefined {
    const observed = this.#group.logs.get(member)?.observed ?? [];
    const last = observed.findLast(
      (one) => one.did === 'end' && commandOf(one.action) !== undefined,
    );
    const end = observed.findLast((one): one is Did<'finish'> => one.did === 'finish');
    return last === is && end !== undefined && end.how !== 'complete' ? end : undefined;
  }

  /** Whoever speaks is up. */
  #isUp(by: By): undefined {
    const { member = '' } = by;
    const is = memberOf(this.#job, member);
    if (is === undefined || is.up) return;
    if (is.state !== 'booting') this.#add('MemberBooting', { member }, by);
    this.#add('MemberBooted', { member }, by);
  }

  #calls(is: Did<'call'>, by: By): undefined {
    const { member = '' } = by;
    const { verb, message } = is;
    this.#isUp(by);
    const place = placeOf(this.#job, member);
    const count = sent(this.#job.conversation, message, place) + 1;
    if (verb === 'send' || verb === 'sync')
      this.#sends({ member, verb, message, count, pairs: is.pairs.map(([k, v]) => [k, v]) }, by);
    if (verb === 'send') return;
    const role = RoleName.safeParse(is.role).data;
    const round = verb === 'sync' ? count : 1;
    const question = { member: place, verb, message, role: role ?? null, round };
    const { conversation, group, members } = this.#job;
    const lacking = missing(conversation, group, question);
    const isFree = isReleased(group, question, lacking);
    const names = isFree ? [] : lacking.map((one) => members[one]?.device ?? '');
    const wait = conversation.waitCount + 1;
    const forRole = role === undefined ? {} : { role };
    const lacks = { missingCount: names.length, missing: names.slice(0, MISSING_NAMED_MAX) };
    this.#add('WaitStarted', { wait, member, verb, message, ...forRole, round, ...lacks }, by);
  }

  #sends(data: DataOf<'MessageSent'>, by: By): undefined {
    this.#add('MessageSent', data, by);
    const last = this.events.at(-1);
    if (last !== undefined) this.#lastSend.set(data.message, last);
  }

  #hears(is: Did<'hear'>, by: By): undefined {
    const { member = '' } = by;
    const [open] = waitsOf(this.#job.conversation, placeOf(this.#job, member)).flat();
    if (open === undefined) return;
    const { wait } = open;
    if (is.how === 'released') {
      this.#infer(is, open, by);
      const started = this.events.findLast(
        (one) => one.type === 'WaitStarted' && one.data.wait === wait,
      );
      const cause = this.#lastSend.get(open.message);
      const isCause =
        cause !== undefined && started !== undefined && cause.version > started.version;
      const sender = isCause && cause.type === 'MessageSent' ? { by: cause.data.member } : {};
      const because = isCause ? { cause: cause.id } : {};
      this.#add('WaitReleased', { wait, member, ...sender }, { ...by, ...because });
      return;
    }
    if (is.how === 'nack') {
      this.notes.push(`why the coordinator refused lava-${open.verb} ${open.message} of ${member}`);
      return this.#add('WaitAbandoned', { wait, member, why: 'verb-ended' }, by);
    }
    const limit = is.how === 'timed-out' ? 'protocol' : 'action';
    const lacking = missing(this.#job.conversation, this.#job.group, open);
    this.#add(
      'WaitTimedOut',
      { wait, member, limit, ...describeMissing(this.#job, lacking, is.at) },
      by,
    );
  }

  /** Whoever was heard had spoken, and whoever has no log here had spoken by then. */
  #infer(is: Did<'hear'>, open: NonNullable<ReturnType<typeof openWait>>, by: By): undefined {
    const { logs, members } = this.#group;
    for (const { name } of members) {
      if (logs.has(name)) continue;
      const count = sent(this.#job.conversation, open.message, placeOf(this.#job, name));
      const heard = (is.heard ?? []).find(({ sender }) => sender === name);
      const isSync = open.verb === 'sync';
      if (isSync ? count >= open.round : heard === undefined || count > 0) continue;
      const at = { at: by.at, member: name };
      this.#isUp(at);
      const pairs = (heard?.pairs ?? []).map(([k, v]): [string, string] => [k, v]);
      const verb = isSync ? 'sync' : 'send';
      this.#sends({ member: name, verb, message: open.message, count: count + 1, pairs }, at);
      this.#inferred.set(name, (this.#inferred.get(name) ?? new Set()).add(open.message));
    }
  }

  #finishes(is: Did<'finish'>, by: By): undefined {
    const { member = '' } = by;
    for (const { wait } of waitsOf(this.#job.conversation, placeOf(this.#job, member)).flat())
      this.#add('WaitAbandoned', { wait, member, why: 'member-ended' }, by);
    const { reason } = is;
    if (is.how === 'complete') this.#add('MemberCompleted', { member }, by);
    else if (is.how === 'failed') this.#add('MemberFailed', { member, reason }, by);
    else if (is.how === 'timedOut') this.#add('MemberTimedOut', { member, reason }, by);
    else this.#add('MemberCancelled', { member, reason }, by);
  }

  #add<T extends JobEvent['type'] & EventType>(type: T, data: DataOf<T>, by: By): undefined {
    const version = this.events.length + 1;
    const id = `00000000-0000-4000-8000-${version.toString(16).padStart(12, '0')}`;
    const event = {
      type,
      data,
      id,
      stream: this.#stream,
      version,
      position: version,
      meta: {
        at: by.at,
        actor: by.member === undefined ? 'engine:import' : `board:${by.member}`,
        causationId: by.cause ?? `import-${version}`,
        correlationId: this.#stream,
        ...(by.console !== undefined && { console: by.console }),
      },
    } as unknown as RecordedEvent<JobEvent>;
    this.#job = evolveJob(this.#job, event);
    this.events.push(event);
  }
}

const LISTED_MAX = 8;

function listed(words: readonly string[]): string {
  const more = words.length - LISTED_MAX;
  return `${words.slice(0, LISTED_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

interface By {
  at: number;
  member?: string;
  cause?: string;
  console?: number;
}
