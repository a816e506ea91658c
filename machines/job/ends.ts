/**
 * How members, waits and the job end, and what an end brings with it: whoever ends leaves others who wait for it.
 * The commands are in `job-decide.ts`.
 */
import type { JobCommand } from '../commands.ts';
import { type Draft, Rejected } from '../deciding.ts';
import type { Fault, JobEvent, WaitLimit } from '../events.ts';
import { type CutOff, duration, limitText } from '../wording.ts';
import { missing, openWait, waitsOf } from './conversation.ts';
import { describeMissing } from './doing.ts';
import { isOver, type JobState, placeOf, terminals } from './job.ts';
import { isTerminal, type Member } from './member.ts';
import { actionDue, graceEnd } from './next.ts';
import { stuckWaits } from './unreachable.ts';
import type { OpenWait } from './wait-list.ts';

export type JobDraft = Draft<JobState, JobEvent>;
export type Command<T extends JobCommand['type']> = Extract<JobCommand, { type: T }>;

export function failMember(
  draft: JobDraft,
  member: Member,
  is: { reason: string; fault?: Fault | undefined },
  cause?: string,
): void {
  abandonWaits(draft, member, 'member-ended', cause);
  const { reason, fault } = is;
  const failed = { member: member.device, reason, ...(fault !== undefined && { fault }) };
  settle(draft, draft.emit('MemberFailed', failed, cause));
}

export const openWaits = ({ state }: JobDraft, member: Member): OpenWait[] =>
  waitsOf(state.conversation, placeOf(state, member.device)).flat();

export function abandonWaits(
  draft: JobDraft,
  member: Member,
  why: 'member-ended' | 'connection-lost',
  cause?: string,
): void {
  for (const { wait } of openWaits(draft, member))
    draft.emit('WaitAbandoned', { wait, member: member.device, why }, cause);
}

export function abandonWait(
  draft: JobDraft,
  member: Member,
  { wait, why, resumed }: Command<'AbandonWait'>,
): Rejected | undefined {
  const open = openWait(draft.state.conversation, wait);
  if (open === undefined || (resumed !== undefined && resumed !== open.resumed)) return undefined;
  if (draft.state.members[open.member] !== member)
    return new Rejected('no-such-wait', `${member.device} has no wait ${wait}`);
  settle(draft, draft.emit('WaitAbandoned', { wait, member: member.device, why }));
  return undefined;
}

/** Cuts off every open wait of a member, each with who was missing `before`. */
function timeOutWaits(
  draft: JobDraft,
  member: Member,
  limit: WaitLimit,
  before = draft.state,
): CutOff[] {
  const { now } = draft.env;
  return openWaits(draft, member).map((open) => {
    const lacking = missing(before.conversation, before.group, open);
    const lacked = describeMissing(before, lacking, now);
    draft.emit('WaitTimedOut', { wait: open.wait, member: member.device, limit, ...lacked });
    return { wait: open, lacked };
  });
}

export function timeOutAction(draft: JobDraft, member: Member, index: number): void {
  const due = actionDue(draft.state, member);
  if (member.action?.index !== index || due === null || draft.env.now < due) return;
  const limit = draft.state.definition?.actions[index]?.timeoutSeconds ?? 0;
  const cutOff = timeOutWaits(draft, member, 'action');
  const what = `action ${index} ${member.action.command} reached its limit of ${duration(limit * 1000)}`;
  draft.emit('ActionEnded', {
    member: member.device,
    action: index,
    outcome: 'timedOut',
    reason: what,
  });
  const reason = limitText(what, cutOff);
  settle(draft, draft.emit('MemberTimedOut', { member: member.device, reason }));
}

export function timeOutJob(draft: JobDraft, limit: 'job' | 'queue'): void {
  const { state, env } = draft;
  const { definition } = state;
  if (definition === null || isOver(state)) return;
  const seconds = limit === 'queue' ? definition.queueTimeoutSeconds : definition.timeoutSeconds;
  const from = limit === 'queue' ? state.submittedAt : state.allocatedAt;
  const waitsInQueue = state.allocatedAt === null;
  if (seconds === undefined || from === null || (limit === 'queue') !== waitsInQueue) return;
  if (env.now < from + seconds * 1000) return;
  const allowed = duration(seconds * 1000);
  const reason =
    limit === 'queue'
      ? `not allocated within its queue timeout of ${allowed}`
      : `reached its timeout of ${allowed}`;
  // All waits first: who was missing is said of the group as it stood, not of its ruins.
  const alive = state.members.filter((member) => !isTerminal(member));
  const cutOff = alive.map((member) => timeOutWaits(draft, member, 'job', state));
  for (const [i, member] of alive.entries()) {
    const text = limitText(`the job ${reason}`, cutOff[i] ?? []);
    draft.emit('MemberTimedOut', { member: member.device, reason: text });
  }
  draft.emit('JobTimedOut', { limit, reason });
}

export function cancel(draft: JobDraft, reason: string): void {
  cancelMembers(draft, reason);
  draft.emit('JobCancelled', { reason });
}

function cancelMembers(draft: JobDraft, reason: string, cause?: string): void {
  for (const member of draft.state.members) {
    if (isTerminal(member)) continue;
    abandonWaits(draft, member, 'member-ended', cause);
    draft.emit('MemberCancelled', { member: member.device, reason }, cause);
  }
}

/** A member of an essential role that ended other than complete takes its group with it (SEMANTICS 2.2). */
function cancelWithoutEssential(draft: JobDraft, cause: string): void {
  const { members, definition } = draft.state;
  const essential = definition?.roles.filter((r) => r.essential).map((r) => r.role) ?? [];
  if (essential.length === 0) return;
  const lost = members.find((m) => m.ended && m.state !== 'complete' && essential.includes(m.role));
  if (lost === undefined) return;
  cancelMembers(
    draft,
    `role ${lost.role} is essential and ${lost.device} ended ${lost.state}`,
    cause,
  );
}

// barriers that can never be released (SEMANTICS 2.1), and the end of the job

/** After anything that changed who can still send: says what is stuck, ends what is certain, ends the job. */
export function settle(draft: JobDraft, cause: string): void {
  cancelWithoutEssential(draft, cause);
  const acts = draft.state.definition?.onUnreachable === 'fail';
  for (;;) {
    const { conversation, group } = draft.state;
    const stuck = stuckWaits(conversation, group, terminals(draft.state));
    const certain = acts ? stuck.filter((s) => s.form === 'certain') : [];
    if (certain.length === 0) {
      noteStuck(draft, stuck, cause);
      break;
    }
    // Their proofs are of one moment: all are described before the first of them ends.
    const proofs = certain.map((s) => proofOf(draft, s));
    for (const proof of proofs) draft.emit('WaitUnreachable', proof, cause);
  }
  // A wait that failed between two actions: no later action is run (SEMANTICS 2.3).
  const failing = draft.state.members.find((m) => m.failing && !m.action && !isTerminal(m));
  if (failing?.failing) failMember(draft, failing, { reason: failing.failing }, cause);
  else endJob(draft, cause);
}

type Stuck = ReturnType<typeof stuckWaits>[number];

function proofOf(draft: JobDraft, { wait, form, lacking, cycle }: Stuck) {
  const name = (place: number) => draft.state.members[place]?.device ?? '';
  return {
    wait: wait.wait,
    member: name(wait.member),
    form,
    ...describeMissing(draft.state, lacking, draft.env.now),
    cycle: cycle.map(name),
  };
}

function noteStuck(draft: JobDraft, stuck: readonly Stuck[], cause: string): void {
  if (stuck.length === 0 && draft.state.conversation.stuckCount === 0) return;
  const now = new Map(stuck.map((s) => [s.wait.wait, s]));
  const before = draft.state.conversation.waits.flat();
  for (const open of before) {
    const found = now.get(open.wait);
    if (found === undefined && open.stuck !== null) {
      const member = draft.state.members[open.member]?.device ?? '';
      draft.emit('WaitUnstuck', { wait: open.wait, member }, cause);
    }
    if (found !== undefined && open.stuck?.form !== found.form)
      draft.emit('WaitStuck', proofOf(draft, found), cause);
  }
}

export function endUnreachable(draft: JobDraft): void {
  const { state, env } = draft;
  const first = graceEnd(state);
  if (first === null || env.now < first || state.definition === null) return;
  const heldSince = env.now - state.definition.unreachableGraceSeconds * 1000;
  const due = stuckWaits(state.conversation, state.group, terminals(state)).filter(
    ({ wait }) => wait.stuck !== null && wait.stuck.since <= heldSince,
  );
  const proofs = due.map((s) => proofOf(draft, s));
  let last: string | undefined;
  for (const proof of proofs) last = draft.emit('WaitUnreachable', proof);
  if (last !== undefined) settle(draft, last);
}

function endJob(draft: JobDraft, cause: string): void {
  const { state } = draft;
  if (state.state !== 'allocated' || !state.members.every(isTerminal)) return;
  if (state.members.every((m) => m.state === 'complete')) draft.emit('JobCompleted', {}, cause);
  else if (state.firstEnd !== null) draft.emit('JobFailed', state.firstEnd, cause);
}
