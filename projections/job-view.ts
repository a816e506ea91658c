/** A job as people see it. */
import { doing } from '../machines/job/doing.ts';
import type { JobState } from '../machines/job/job.ts';
import type { Member } from '../machines/job/member.ts';
import { iso, type JobView } from './views.ts';

/** @param now milliseconds since the epoch: what `doing` counts from */
export function jobView(id: number, job: JobState, now: number): JobView {
  const { definition } = job;
  if (definition === null || job.state === 'none') throw new Error(`job ${id} was never submitted`);
  return {
    id,
    name: definition.name,
    state: job.state,
    priority: definition.priority,
    submittedAt: iso(job.submittedAt),
    ...(job.allocatedAt !== null && { allocatedAt: iso(job.allocatedAt) }),
    ...(job.endedAt !== null && { endedAt: iso(job.endedAt) }),
    ...(job.reason !== null && { reason: job.reason }),
    timeoutSeconds: definition.timeoutSeconds,
    roles: definition.roles,
    members: job.members.map((member) => memberView(job, member, now)),
  };
}

function memberView(job: JobState, member: Member, now: number): JobView['members'][number] {
  const { device, role, state, action, suite, ended } = member;
  return {
    device,
    role,
    state,
    doing: doing(job, member, now),
    // A member may end in the middle of its action: nothing runs any more.
    ...(action !== null && ended === null && { action: { ...action, since: iso(action.since) } }),
    ...(suite !== null && { suite }),
    ...(ended !== null && { endedAt: iso(ended.at) }),
    ...(ended?.reason && { reason: ended.reason }),
  };
}
