/** What a member was last seen doing, in words: for the text of every wait that failed, and for people who watch. */

import type { MissingMember } from '../events.ts';
import { duration, headline, verbOf } from '../wording.ts';
import { waitsOf } from './conversation.ts';
import { type JobState, placeOf } from './job.ts';
import type { Member } from './member.ts';

/** How many missing members an event describes; it counts the others. */
export const MISSING_DESCRIBED_MAX = 16;

/** One phrase: what the member does now and for how long, or how it ended. */
export function doing(job: JobState, member: Member, now: number): string {
  const since = (at: number) => `for ${duration(now - at)}`;
  const ago = (at: number) => `${duration(now - at)} ago`;
  if (member.ended !== null) {
    const why = ownCause(member);
    return `ended ${member.state} ${ago(member.ended.at)}${why === '' ? '' : `: ${why}`}`;
  }
  const waits = waitsOf(job.conversation, placeOf(job, member.device)).flat();
  const first = waits[0];
  if (first !== undefined) {
    const more = waits.length > 1 ? ` and ${waits.length - 1} more` : '';
    return `waits in ${verbOf(first)}${more} ${since(first.since)}`;
  }
  if (member.bootingSince !== null) return `boots ${since(member.bootingSince)}`;
  const running = member.action;
  if (running === null) return `no action yet, last: ${member.last.what} ${ago(member.last.at)}`;
  const { suite, last } = member;
  const where = suite === null || last.what === `suite ${suite}` ? '' : `, suite ${suite}`;
  return `runs action ${running.index} ${running.command} ${since(running.since)}${where}, last: ${last.what} ${ago(last.at)}`;
}

/** Why a member ended, but not for whom it had waited: that is told of its own wait, and not within another's. */
function ownCause({ state, ended, failing }: Member): string {
  const reason = ended?.reason ?? '';
  const hadWaited =
    state === 'timedOut' || (failing !== null && headline(failing, 1) === headline(reason, 1));
  return headline(reason, hadWaited ? 1 : undefined);
}

/** The missing members of a wait, as events record them. */
export function describeMissing(
  job: JobState,
  lacking: readonly number[],
  now: number,
): { missingCount: number; missing: MissingMember[] } {
  const missing = lacking.slice(0, MISSING_DESCRIBED_MAX).flatMap((place) => {
    const member = job.members[place];
    if (member === undefined) return [];
    const { device, role, state } = member;
    return [{ member: device, role, state, doing: doing(job, member, now) }];
  });
  return { missingCount: lacking.length, missing };
}
