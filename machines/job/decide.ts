/**
 * What may happen to a job: `decideJob(command, state, env)` -> events, nothing (already so), or a refusal. How things
 * end is in `job-ends.ts`.
 */
import type { JobCommand } from '../commands.ts';
import { Draft, type Env, Rejected } from '../deciding.ts';
import { actionsOf } from '../definition.ts';
import type { JobEvent, NewEvent } from '../events.ts';
import { measured } from '../measurement.ts';
import { own } from '../names.ts';
import { barrierKey, missing, releasable, sent, waitsOf } from './conversation.ts';
import {
  abandonWait,
  abandonWaits,
  type Command,
  cancel,
  endUnreachable,
  failMember,
  type JobDraft,
  openWaits,
  settle,
  timeOutAction,
  timeOutJob,
} from './ends.ts';
import { evolveJob, initialJob, isOver, type JobState, memberOf, placeOf } from './job.ts';
import { isTerminal, type Member } from './member.ts';
import { nextStep } from './next.ts';
import { readWords } from './verb-words.ts';

/** Where a result goes that came before any suite began. */
const NO_SUITE = 'lava';
/** How many missing members `WaitStarted` names; it counts the others. */
const MISSING_NAMED_MAX = 8;

type MemberBound = Extract<JobCommand, { member: string }>;

/** Decides one command on a job. Pure: the same inputs give the same events, but for their ids. */
export function decideJob(
  command: JobCommand,
  state: JobState,
  env: Env,
): NewEvent<JobEvent>[] | Rejected {
  const draft = new Draft<JobState, JobEvent>(state, env, evolveJob);
  const refused = 'member' in command ? onMember(draft, command) : onJob(draft, command);
  return refused ?? draft.events;
}

function onJob(draft: JobDraft, command: Exclude<JobCommand, MemberBound>): Rejected | undefined {
  const { state } = draft;
  if (command.type === 'SubmitJob') return submit(draft, command);
  if (state.state === 'none') return new Rejected('no-such-job', 'there is no such job');
  switch (command.type) {
    case 'AllocateJob':
      return allocate(draft, command);
    case 'ChangeJobPriority':
      return changePriority(draft, command.priority);
    case 'VoidAllocation':
      if (state.state === 'submitted' && !state.voided.includes(command.lease))
        draft.emit('AllocationVoided', { lease: command.lease, reason: command.reason });
      return undefined;
    case 'CancelJob':
      if (!isOver(state)) cancel(draft, command.reason);
      return undefined;
    case 'TimeOutJob':
      timeOutJob(draft, command.limit);
      return undefined;
    case 'EndUnreachable':
      endUnreachable(draft);
      return undefined;
  }
}

function submit(draft: JobDraft, command: Command<'SubmitJob'>): Rejected | undefined {
  const { definition, document, short } = command;
  if (draft.state !== initialJob && draft.state.state !== 'none')
    return new Rejected('job-exists', 'this job was submitted before');
  const id = draft.emit('JobSubmitted', { definition, document });
  if (draft.events.length === 0) {
    const why =
      'the job says skip_install, and a server on this log is of a version that does not know it: upgrade it';
    return new Rejected('too-new', why);
  }
  if (short.length > 0) draft.emit('JobRejected', { short }, id);
  return undefined;
}

function allocate(draft: JobDraft, command: Command<'AllocateJob'>): Rejected | undefined {
  const { state } = draft;
  if (state.lease === command.lease) return undefined;
  if (isOver(state)) return new Rejected('job-ended', `the job has ended ${state.state}`);
  if (state.state !== 'submitted')
    return new Rejected('lease-void', 'the job has its boards already');
  if (state.voided.includes(command.lease))
    return new Rejected('lease-void', 'this reservation lapsed and was given back');
  const id = draft.emit('JobAllocated', { lease: command.lease, members: command.members });
  for (const { device, role } of command.members)
    if (state.definition !== null && actionsOf(state.definition, role).length === 0)
      draft.emit('MemberCompleted', { member: device }, id);
  settle(draft, id);
  return undefined;
}

function changePriority(draft: JobDraft, to: number): Rejected | undefined {
  const { state } = draft;
  if (isOver(state)) return new Rejected('job-ended', `the job has ended ${state.state}`);
  if (state.state !== 'submitted' || state.definition === null)
    return new Rejected('not-waiting', 'the job has its boards already: its priority is of no use');
  const from = state.definition.priority;
  if (from !== to) draft.emit('JobPriorityChanged', { from, to });
  return undefined;
}

function onMember(draft: JobDraft, command: MemberBound): Rejected | undefined {
  const { state } = draft;
  if (state.state === 'none') return new Rejected('no-such-job', 'there is no such job');
  const member = memberOf(state, command.member);
  if (isOver(state)) return new Rejected('job-ended', `the job has ended ${state.state}`);
  if (member === undefined)
    return new Rejected('no-such-member', `${command.member} is no member of this job`);
  if (isTerminal(member))
    return new Rejected('member-ended', `${member.device} has ended ${member.state}`);
  switch (command.type) {
    case 'CallVerb':
    case 'StartSuite':
    case 'EndSuite':
    case 'RecordResult':
    case 'NoteGarbledSignal':
    case 'KeepAttachment':
    case 'EndScript':
      if (!isUp(member))
        return new Rejected(
          'member-not-booted',
          `${member.device} has not booted (${member.state})`,
        );
      return command.type === 'CallVerb'
        ? callVerb(draft, command)
        : record(draft, member, command);
    case 'ResumeWait':
      if (openWaits(draft, member).some(({ wait }) => wait === command.wait))
        draft.emit('WaitResumed', { wait: command.wait, member: member.device });
      return undefined;
    case 'AbandonWait':
      return abandonWait(draft, member, command);
    case 'TimeOutAction':
      timeOutAction(draft, member, command.action);
      return undefined;
    case 'FailMember':
      failMember(draft, member, command);
      return undefined;
    case 'PrepareSuite': {
      const { type: _, ...prepared } = command;
      draft.emit('SuitePrepared', prepared);
      return undefined;
    }
    case 'RaiseMember':
      failMember(draft, member, { reason: `lava-test-raise: ${command.reason}` });
      return undefined;
    default:
      return progress(draft, member, command);
  }
}

const isUp = (member: Member): boolean =>
  member.state === 'booted' || member.state === 'waiting' || member.state === 'synced';

// actions of a member

function progress(
  draft: JobDraft,
  member: Member,
  command: Command<'StartAction' | 'EndAction' | 'StartBoot' | 'ConfirmBoot'>,
): Rejected | undefined {
  const name = member.device;
  switch (command.type) {
    case 'StartAction': {
      if (member.action?.index === command.action) return undefined;
      const next = nextStep(draft.state, member);
      if (next.do !== 'run' || next.index !== command.action)
        return new Rejected('not-owed', `action ${command.action} is not the next one of ${name}`);
      draft.emit('ActionStarted', {
        member: name,
        action: next.index,
        command: next.action.command,
      });
      return undefined;
    }
    case 'EndAction':
      return endAction(draft, member, command);
    case 'StartBoot':
      if (member.state === 'booting') return undefined;
      abandonWaits(draft, member, 'connection-lost');
      settle(draft, draft.emit('MemberBooting', { member: name }));
      return undefined;
    case 'ConfirmBoot':
      if (isUp(member)) return undefined;
      if (member.state !== 'booting') return new Rejected('not-owed', `${name} is not booting`);
      draft.emit('MemberBooted', {
        member: name,
        ...(command.address !== undefined && { address: command.address }),
      });
      return undefined;
  }
}

function endAction(
  draft: JobDraft,
  member: Member,
  command: Command<'EndAction'>,
): Rejected | undefined {
  const { action: index, outcome, reason, fault } = command;
  const definition = draft.state.definition;
  if (member.action?.index !== index) {
    const own = definition === null ? [] : actionsOf(definition, member.role);
    if (own.slice(0, member.actionsDone).some((a) => a.index === index)) return undefined;
    return new Rejected('not-owed', `${member.device} does not run action ${index}`);
  }
  const id = draft.emit('ActionEnded', {
    member: member.device,
    action: index,
    outcome,
    ...(reason !== undefined && { reason }),
  });
  const after = memberOf(draft.state, member.device) ?? member;
  if (outcome === 'failed') {
    const what = `action ${index} ${member.action.command} failed${reason ? `: ${reason}` : ''}`;
    failMember(draft, after, { reason: what, fault }, id);
  } else if (after.failing !== null) failMember(draft, after, { reason: after.failing }, id);
  else if (definition !== null && after.actionsDone >= actionsOf(definition, after.role).length) {
    abandonWaits(draft, after, 'member-ended', id);
    settle(draft, draft.emit('MemberCompleted', { member: after.device }, id));
  }
  return undefined;
}

function record(
  draft: JobDraft,
  member: Member,
  command: Command<
    | 'StartSuite'
    | 'EndSuite'
    | 'RecordResult'
    | 'NoteGarbledSignal'
    | 'KeepAttachment'
    | 'EndScript'
  >,
): Rejected | undefined {
  const suite = command.suite ?? member.suite ?? NO_SUITE;
  switch (command.type) {
    case 'RecordResult': {
      const { type: _, measurement, units, note, ...result } = command;
      const { measurement: number, ...said } = measured({ measurement, units, note });
      const text = number && { measurement: number.text };
      draft.emit('ResultRecorded', { ...result, suite, ...text, ...said });
      return undefined;
    }
    case 'EndScript': {
      const { type: _, ...ended } = command;
      draft.emit('ScriptEnded', ended);
      return undefined;
    }
    case 'NoteGarbledSignal': {
      const { type: _, ...signal } = command;
      draft.emit('SignalGarbled', member.suite === null ? signal : { ...signal, suite });
      return undefined;
    }
    case 'KeepAttachment': {
      const { type: _, ...attachment } = command;
      draft.emit('AttachmentKept', { ...attachment, suite });
      if (draft.events.length > 0) return undefined;
      const why = 'a server on this log is of a version that knows no attachments: upgrade it';
      return new Rejected('too-new', why);
    }
    // The board says both and so does its console, which may be many suites behind: whoever comes second changes nothing.
    case 'StartSuite': {
      const { type: _, ...started } = command;
      if (isLater(command.suite, member.suite)) draft.emit('SuiteStarted', started);
      return undefined;
    }
    case 'EndSuite':
      if (command.suite === member.suite ? member.suiteRuns : isLater(command.suite, member.suite))
        draft.emit('SuiteEnded', { member: command.member, suite: command.suite });
      return undefined;
  }
}

/** A member runs its suites one after the other, and their names begin with their numbers. */
function isLater(suite: string, than: string | null): boolean {
  const [number, last] = [suite, than ?? ''].map((name) => /^\d+(?=_)/.exec(name)?.[0]);
  if (number === undefined || last === undefined) return suite !== than;
  return Number(number) > Number(last);
}

// the MultiNode API (SEMANTICS 2)

function callVerb(draft: JobDraft, command: Command<'CallVerb'>): undefined {
  const { member, verb } = command;
  const from = command.from === undefined ? {} : { from: command.from };
  const roles = draft.state.definition?.roles.map((r) => r.role) ?? [];
  const said = readWords(verb, command.words, roles);
  if ('code' in said) {
    const { code, reason, message } = said;
    draft.emit('RequestRefused', {
      member,
      verb,
      code,
      reason,
      ...(message && { message }),
      ...from,
    });
    return;
  }
  const place = placeOf(draft.state, member);
  const { message, pairs, role } = said;
  if (verb === 'send') {
    const id = send(draft, command, message, pairs);
    release(draft, place, message, id);
    settle(draft, id);
    return;
  }
  // A sync from which this member was not released is taken up again: a retry is not a new round.
  const unreleased = own(draft.state.members[place]?.unreleasedSyncs ?? {}, message);
  const sentNow =
    verb === 'sync' && unreleased === undefined ? send(draft, command, message, []) : undefined;
  const round = verb === 'sync' ? (unreleased ?? sentCount(draft, place, message)) : 1;
  const question = { member: place, verb, message, role: role ?? null, round };
  const lacking = missing(draft.state.conversation, draft.state.group, question);
  const barrier = barrierKey(question);
  const hasTwin = waitsOf(draft.state.conversation, place).some((chunk) =>
    chunk.some((open) => open.barrier === barrier && open.stuck === null),
  );
  const started = draft.emit('WaitStarted', {
    wait: draft.state.conversation.waitCount + 1,
    member,
    verb,
    message,
    ...(role !== undefined && { role }),
    round,
    missingCount: lacking.length,
    missing: lacking.slice(0, MISSING_NAMED_MAX).map((m) => draft.state.members[m]?.device ?? ''),
    // A sync that was sent now says who called in its message.
    ...(sentNow === undefined && from),
  });
  // Its twin is open and not stuck, and nobody has sent since: so is this one, and nothing else has changed.
  if (hasTwin && sentNow === undefined) return;
  release(draft, place, message, sentNow ?? started, draft.state.conversation.waitCount);
  settle(draft, started);
}

function send(
  draft: JobDraft,
  { member, verb, from }: Command<'CallVerb'>,
  message: string,
  pairs: [string, string][],
): string {
  const count = sentCount(draft, placeOf(draft.state, member), message) + 1;
  const sent = { member, verb: verb === 'sync' ? verb : 'send', message, count, pairs } as const;
  return draft.emit('MessageSent', from === undefined ? sent : { ...sent, from });
}

const sentCount = (draft: JobDraft, place: number, message: string): number =>
  sent(draft.state.conversation, message, place);

/** Ends every wait on `message` that is satisfied now. `sender`: whose call it was; `own`: the wait that it began. */
function release(
  draft: JobDraft,
  sender: number,
  message: string,
  cause: string,
  own?: number,
): void {
  const { conversation, group, members } = draft.state;
  const by = members[sender]?.device;
  for (const open of releasable(conversation, group, message)) {
    const member = members[open.member]?.device;
    if (member === undefined) continue;
    // The caller's own wait, satisfied as it started, lacked nobody: no arrival released it.
    const arrival = open.wait === own || by === undefined ? {} : { by };
    draft.emit('WaitReleased', { wait: open.wait, member, ...arrival }, cause);
  }
}
