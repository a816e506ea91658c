/**
 * `job-<id>`: the group and its whole conversation, one consistency boundary.
 * Sections: events, machine, state, evolve. What may happen is decided in `job-decide.ts`; what is owed next is
 * derived in `job-next.ts`.
 */
import { createMachine } from 'xstate';
import type { JobDefinition } from '../definition.ts';
import type { JobEvent, Meta } from '../events.ts';
import { withItem } from '../lists.ts';
import { own } from '../names.ts';
import { all, tableOf } from '../table.ts';
import { HOW_WAITS_FAIL, type Lacking, shortText, unheardText, verbOf } from '../wording.ts';
import {
  barrierKey,
  began,
  type Conversation,
  ended,
  type Group,
  heard,
  marked,
  openWait,
  resumed,
  silence,
} from './conversation.ts';
import { isTerminal, lastSeen, type Member, memberTable, newMember } from './member.ts';

// events

/** What evolve needs of an event. */
export type JobFact = JobEvent & { meta: Pick<Meta, 'at'> };

// machine

export type JobStateName =
  | 'none'
  | 'submitted'
  | 'rejected'
  | 'allocated'
  | 'complete'
  | 'failed'
  | 'timedOut'
  | 'cancelled';

/** What is said of a member while it runs; what is to be asked of a whole lab depends on none of it. */
export const whileRunning = [
  'ActionStarted',
  'ActionEnded',
  'MemberBooting',
  'MemberBooted',
  'MessageSent',
  'RequestRefused',
  'WaitStarted',
  'WaitReleased',
  'WaitResumed',
  'WaitTimedOut',
  'WaitStuck',
  'WaitUnstuck',
  'WaitUnreachable',
  'WaitAbandoned',
  'SuitePrepared',
  'SuiteStarted',
  'ScriptEnded',
  'SuiteEnded',
  'ResultRecorded',
  'SignalGarbled',
  'AttachmentKept',
] as const;

const memberEvents = [
  ...whileRunning,
  'MemberCompleted',
  'MemberFailed',
  'MemberTimedOut',
  'MemberCancelled',
] as const;

const final = { type: 'final' } as const;

/** `submitted -> allocated -> complete | failed | timedOut | cancelled`, or `rejected`. */
export const jobMachine = createMachine({
  id: 'job',
  initial: 'none',
  states: {
    none: { on: { JobSubmitted: 'submitted' } },
    submitted: {
      on: {
        JobRejected: 'rejected',
        JobAllocated: 'allocated',
        JobPriorityChanged: 'submitted',
        AllocationVoided: 'submitted',
        JobTimedOut: 'timedOut',
        JobCancelled: 'cancelled',
      },
    },
    allocated: {
      on: {
        ...all(memberEvents, 'allocated'),
        JobCompleted: 'complete',
        JobFailed: 'failed',
        JobTimedOut: 'timedOut',
        JobCancelled: 'cancelled',
      },
    },
    rejected: final,
    complete: final,
    failed: final,
    timedOut: final,
    cancelled: final,
  },
});

export const jobTable = tableOf<JobStateName>(jobMachine);

// state

/** Plain JSON: a job as its events tell it. Times in milliseconds since the epoch. */
export interface JobState {
  readonly state: JobStateName;
  readonly definition: JobDefinition | null;
  readonly submittedAt: number;
  readonly allocatedAt: number | null;
  readonly endedAt: number | null;
  /** The lease under which the boards are held. */
  readonly lease: string | null;
  /** Leases that can never be committed any more. */
  readonly voided: readonly string[];
  /** In `lava-group` order. */
  readonly members: readonly Member[];
  /** Place of each device in `members`. */
  readonly places: Readonly<Record<string, number>>;
  readonly group: Group;
  readonly conversation: Conversation;
  /** The first member that ended other than complete: the first cause of a failed job. */
  readonly firstEnd: { readonly member: string; readonly reason: string } | null;
  /** Why it ended, where it did not complete. */
  readonly reason: string | null;
}

export const initialJob: JobState = {
  state: jobTable.initial,
  definition: null,
  submittedAt: 0,
  allocatedAt: null,
  endedAt: null,
  lease: null,
  voided: [],
  members: [],
  places: {},
  group: { roles: [], countsSelf: false },
  conversation: silence,
  firstEnd: null,
  reason: null,
};

export const isOver = (job: JobState): boolean => jobTable.isFinal(job.state);

export function memberOf(job: JobState, device: string): Member | undefined {
  const place = own(job.places, device);
  return place === undefined ? undefined : job.members[place];
}

export const placeOf = (job: JobState, device: string): number => own(job.places, device) ?? -1;

// evolve

/**
 * The state after one more event. Rules are not here: whatever the log says, happened.
 *
 * @throws IllegalTransition when the event is not legal in this state
 */
export function evolveJob(job: JobState, event: JobFact): JobState {
  const state = jobTable.next(job.state, event.type);
  const at = event.meta.at;
  switch (event.type) {
    case 'JobSubmitted':
      return { ...job, state, definition: event.data.definition, submittedAt: at };
    case 'JobRejected':
      return { ...job, state, endedAt: at, reason: shortText(event.data.short) };
    case 'JobAllocated':
      return allocated({ ...job, state, allocatedAt: at }, event.data, at);
    case 'JobPriorityChanged':
      return {
        ...job,
        state,
        definition: job.definition && { ...job.definition, priority: event.data.to },
      };
    case 'AllocationVoided':
      return { ...job, state, voided: [...job.voided, event.data.lease] };
    case 'JobCompleted':
      return { ...job, state, endedAt: at };
    case 'JobFailed':
      return { ...job, state, endedAt: at, reason: `${event.data.member}: ${event.data.reason}` };
    case 'JobTimedOut':
    case 'JobCancelled':
      return { ...job, state, endedAt: at, reason: event.data.reason };
    default:
      return evolveGroup(job, event);
  }
}

function allocated(
  job: JobState,
  data: { lease: string; members: { device: string; role: string }[] },
  at: number,
): JobState {
  return {
    ...job,
    lease: data.lease,
    members: data.members.map((m) => newMember(m.device, m.role, at)),
    places: Object.fromEntries(data.members.map((m, place) => [m.device, place])),
    group: {
      roles: data.members.map((m) => m.role),
      countsSelf: job.definition?.countsSelf ?? false,
    },
  };
}

type MemberFact = Extract<JobFact, { type: (typeof memberEvents)[number] }>;

/** An event of one member: the conversation first, then the member itself. */
function evolveGroup(job: JobState, event: MemberFact): JobState {
  const place = placeOf(job, event.data.member);
  const member = job.members[place];
  if (member === undefined)
    throw new Error(`${event.type}: ${event.data.member} is no member of the job`);
  const conversation = converse(job, event, place);
  const members = withItem(job.members, place, evolveMember(member, event, job));
  const next = withGroup(job, conversation, members);
  if (!isEndOfMember(event.type) || event.type === 'MemberCompleted' || job.firstEnd !== null)
    return next;
  const reason = 'reason' in event.data ? (event.data.reason ?? '') : '';
  return { ...next, firstEnd: { member: member.device, reason } };
}

/** Key by key: it comes with every event of a member, and a spread takes many times as long. */
const withGroup = (
  job: JobState,
  conversation: Conversation,
  members: readonly Member[],
): JobState => ({
  state: job.state,
  definition: job.definition,
  submittedAt: job.submittedAt,
  allocatedAt: job.allocatedAt,
  endedAt: job.endedAt,
  lease: job.lease,
  voided: job.voided,
  members,
  places: job.places,
  group: job.group,
  conversation,
  firstEnd: job.firstEnd,
  reason: job.reason,
});

const isEndOfMember = (type: JobFact['type']): boolean =>
  type === 'MemberCompleted' ||
  type === 'MemberFailed' ||
  type === 'MemberTimedOut' ||
  type === 'MemberCancelled';

/** What the group has said and waits for, after the event. */
function converse(job: JobState, event: MemberFact, place: number): Conversation {
  const talk = job.conversation;
  switch (event.type) {
    case 'MessageSent':
      return heard(talk, job.members.length, place, event.data.message, event.data.pairs);
    case 'WaitStarted': {
      const { wait, verb, message, role = null, round } = event.data;
      return began(talk, {
        member: place,
        verb,
        message,
        role,
        round,
        wait,
        barrier: barrierKey({ member: place, verb, message, role, round }),
        since: event.meta.at,
        resumed: 0,
        stuck: null,
      });
    }
    case 'WaitStuck':
    case 'WaitUnstuck': {
      const stuck =
        event.type === 'WaitStuck' ? { since: event.meta.at, form: event.data.form } : null;
      const open = openWait(talk, event.data.wait);
      return open === undefined ? talk : marked(talk, open, stuck);
    }
    case 'WaitResumed': {
      const open = openWait(talk, event.data.wait);
      return open === undefined ? talk : resumed(talk, open);
    }
    case 'WaitReleased':
    case 'WaitTimedOut':
    case 'WaitUnreachable':
    case 'WaitAbandoned': {
      const open = openWait(talk, event.data.wait);
      if (open === undefined) throw new Error(`${event.type}: wait ${event.data.wait} is not open`);
      return ended(talk, open);
    }
    default:
      return talk;
  }
}

/** The member after one of its own events. */
function evolveMember(before: Member, event: MemberFact, job: JobState): Member {
  const endsWait =
    event.type === 'WaitReleased' ||
    event.type === 'WaitTimedOut' ||
    event.type === 'WaitUnreachable' ||
    event.type === 'WaitAbandoned';
  const openWaits = before.openWaits + (event.type === 'WaitStarted' ? 1 : 0) - (endsWait ? 1 : 0);
  // The machine hears of the end of a wait when it was the last open one: until then the member is waiting.
  const state =
    endsWait && openWaits > 0 ? before.state : memberTable.next(before.state, event.type);
  const member =
    state === before.state && openWaits === before.openWaits
      ? before
      : { ...before, state, openWaits };
  return changed(member, event, job);
}

/** What an event says of its member beside its state. */
function changed(before: Member, event: MemberFact, job: JobState): Member {
  const at = event.meta.at;
  const seen = (what: string) => lastSeen(before, what, at);
  switch (event.type) {
    case 'ActionStarted': {
      const { action: index, command } = event.data;
      const up = command === 'deploy_linaro_image' ? false : before.up;
      const action = { index, command, since: at };
      return { ...seen(`action ${index} ${command}`), up, action };
    }
    case 'ActionEnded': {
      const action = job.definition?.actions[event.data.action];
      const deployed = action?.command === 'deploy_linaro_image' && event.data.outcome === 'ok';
      const image = deployed ? action.parameters.image : before.image;
      return { ...before, action: null, actionsDone: before.actionsDone + 1, image };
    }
    case 'MemberBooting':
      return { ...seen('booting'), up: false, bootingSince: at };
    case 'MemberBooted': {
      const { address = null } = event.data;
      return { ...seen('booted'), up: true, bootingSince: null, address };
    }
    case 'SuiteStarted': {
      const { suite } = event.data;
      return { ...seen(`suite ${suite}`), suite, suiteRuns: true };
    }
    case 'AttachmentKept':
      return seen(`file ${event.data.name}`);
    case 'ScriptEnded':
      return seen(`end of ${event.data.script} with status ${event.data.status}`);
    case 'SuiteEnded':
      return { ...seen(`end of suite ${event.data.suite}`), suiteRuns: false };
    case 'ResultRecorded':
      return seen(`result ${event.data.case}: ${event.data.result}`);
    case 'RequestRefused':
      return seen(`a refused lava-${event.data.verb}`);
    case 'MessageSent': {
      const { verb, message, count } = event.data;
      const sender = seen(`lava-${verb} ${message}`);
      if (verb === 'send') return sender;
      return { ...sender, unreleasedSyncs: { ...before.unreleasedSyncs, [message]: count } };
    }
    case 'WaitStarted':
      return seen(`lava-${event.data.verb} ${event.data.message}`);
    case 'WaitReleased':
      return released(before, job, event.data.wait, at);
    case 'WaitTimedOut':
    case 'WaitUnreachable': {
      const how = HOW_WAITS_FAIL[event.type];
      return { ...before, failing: before.failing ?? unheard(job, event.data, how) };
    }
    case 'MemberCompleted':
      return { ...before, ended: { at, reason: null, fault: null } };
    case 'MemberFailed': {
      const { reason, fault = null } = event.data;
      return { ...before, ended: { at, reason, fault } };
    }
    case 'MemberTimedOut':
    case 'MemberCancelled':
      return { ...before, ended: { at, reason: event.data.reason, fault: null } };
    default:
      return before;
  }
}

/** Why the member can no longer end complete, with who was missing. */
function unheard(job: JobState, is: Lacking & { wait: number }, how: string): string {
  const wait = openWait(job.conversation, is.wait);
  return unheardText(wait === undefined ? `wait ${is.wait}` : verbOf(wait), how, is, wait?.verb);
}

function released(before: Member, job: JobState, number: number, at: number): Member {
  const wait = openWait(job.conversation, number);
  if (wait === undefined) return before;
  const member = lastSeen(before, `end of ${verbOf(wait)}`, at);
  if (wait.verb !== 'sync' || own(before.unreleasedSyncs, wait.message) !== wait.round)
    return member;
  const { [wait.message]: _, ...unreleasedSyncs } = before.unreleasedSyncs;
  return { ...member, unreleasedSyncs };
}

export const terminals = (job: JobState): boolean[] => job.members.map(isTerminal);
