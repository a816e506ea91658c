/** What a board hears when its wait ends, from the event that ended it and the state just after. Pure. */

import type { JobEvent } from '../machines/events.ts';
import { cacheLines, counts } from '../machines/job/conversation.ts';
import { type JobState, placeOf } from '../machines/job/job.ts';
import { verbOf } from '../machines/wording.ts';
import { standing, tellEnd } from '../projections/telling.ts';
import type { WaitEnd } from '../wire/board-answers.ts';
import type { Asked } from './waiters.ts';

export type WaitEndEvent = Extract<
  JobEvent,
  { type: 'WaitReleased' | 'WaitTimedOut' | 'WaitUnreachable' | 'WaitAbandoned' }
>;

export function isWaitEnd(event: JobEvent): event is WaitEndEvent {
  return (
    event.type === 'WaitReleased' ||
    event.type === 'WaitTimedOut' ||
    event.type === 'WaitUnreachable' ||
    event.type === 'WaitAbandoned'
  );
}

/** The answer to a wait: the same whenever it is asked for, because it depends on the log alone. */
export function waitEnd(job: JobState, asked: Asked, event: WaitEndEvent): WaitEnd {
  if (event.type === 'WaitReleased') return released(job, asked);
  const telling = tellEnd(event, asked);
  // A board hears one line.
  return { status: 'fail', reason: `${telling.object} ${standing(telling).join('; ')}` };
}

function released(job: JobState, asked: Asked): WaitEnd {
  const question = { ...asked, member: placeOf(job, asked.member), role: asked.role ?? null };
  const lines = cacheLines(job.conversation, job.group, job.members, question);
  if (asked.role === undefined || job.members.some((_, m) => counts(job.group, question, m)))
    return { status: 'ok', lines };
  const alone = job.group.roles.includes(asked.role);
  const note = alone
    ? `${verbOf(asked)}: only ${asked.member} itself plays ${asked.role}: nobody to wait for`
    : `${verbOf(asked)}: nobody plays ${asked.role}: nobody to wait for`;
  return { status: 'ok', lines, note };
}
