/** What a job needs next, derived from its state: the step of each member, and the deadlines. Never remembered. */
import type { JobCommand } from '../commands.ts';
import { type Action, actionsOf, needsShell } from '../definition.ts';
import { isOver, type JobState } from './job.ts';
import { isTerminal, type Member } from './member.ts';

export type NextStep =
  | { do: 'run'; index: number; action: Action; begun: boolean }
  | { do: 'boot'; begun: boolean }
  | { do: 'nothing' };

/** What is owed to a member now. */
export function nextStep(job: JobState, member: Member): NextStep {
  if (isOver(job) || job.definition === null || isTerminal(member)) return { do: 'nothing' };
  const next = actionsOf(job.definition, member.role)[member.actionsDone];
  if (next === undefined) return { do: 'nothing' };
  if (member.action !== null) return { do: 'run', ...next, begun: true };
  if (needsShell(next.action) && !member.up)
    return { do: 'boot', begun: member.bootingSince !== null };
  return { do: 'run', ...next, begun: false };
}

/** A time by which something must have happened. `id` is stable: the same deadline keeps it over any restart. */
export interface Deadline {
  id: string;
  /** Milliseconds since the epoch. */
  due: number;
  command: JobCommand;
}

/** All deadlines of a job. A command that comes late or twice finds nothing to do. */
export function deadlinesOf(job: JobState): Deadline[] {
  const { definition } = job;
  if (definition === null || isOver(job)) return [];
  if (job.allocatedAt === null) {
    if (definition.queueTimeoutSeconds === undefined) return [];
    const due = job.submittedAt + definition.queueTimeoutSeconds * 1000;
    return [{ id: 'queue', due, command: { type: 'TimeOutJob', limit: 'queue' } }];
  }
  const due = job.allocatedAt + definition.timeoutSeconds * 1000;
  const deadlines: Deadline[] = [{ id: 'job', due, command: { type: 'TimeOutJob', limit: 'job' } }];
  for (const member of job.members) {
    const at = actionDue(job, member);
    if (member.action === null || at === null) continue;
    const { device, action } = member;
    deadlines.push({
      id: `action ${device} ${action.index}`,
      due: at,
      command: { type: 'TimeOutAction', member: device, action: action.index },
    });
  }
  const graceEnds = graceEnd(job);
  if (graceEnds !== null)
    deadlines.push({
      id: `unreachable ${graceEnds}`,
      due: graceEnds,
      command: { type: 'EndUnreachable' },
    });
  return deadlines;
}

/** When the running action of a member reaches its limit; `null` when it runs none, or none shorter than the job's. */
export function actionDue(job: JobState, member: Member): number | null {
  if (member.action === null || isTerminal(member)) return null;
  const action = job.definition?.actions[member.action.index];
  return action === undefined ? null : member.action.since + action.timeoutSeconds * 1000;
}

/** When the first deadlocked wait has been so for the whole grace; `null` when none is, or the policy is to wait. */
export function graceEnd(job: JobState): number | null {
  if (job.definition?.onUnreachable !== 'fail' || job.conversation.stuckCount === 0) return null;
  let first = Number.POSITIVE_INFINITY;
  for (const { stuck } of job.conversation.waits.flat())
    if (stuck !== null && stuck.since < first) first = stuck.since;
  return first + job.definition.unreachableGraceSeconds * 1000;
}
