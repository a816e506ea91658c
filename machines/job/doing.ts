/** What a member was last seen doing, in words: for the text of every wait that failed, and for people who watch. */

import type { MissingMember } from '../events.ts';
import { duration, verbOf } from '../wording.ts';
import { waitsOf } from './conversation.ts';
import { type JobState, placeOf } from './job.ts';
import type { Member } from './member.ts';

/** How many missing members an event describes; it counts the others. */
export const MISSING_DESCRIBED_MAX = 16;

/** A reason within another one: were it whole, the reasons of a group would double with every member that ends. */
const REASON_CHARACTERS_MAX = 100;
const short = (reason: string) =>
  reason.length > REASON_CHARACTERS_MAX
    ? `${reason.slice(0, REASON_CHARACTERS_MAX - 3)}...`
    : reason;

/** One phrase: what the member does now and for how long, or how it ended. */
export function doing(job: JobState, member: Member, now: number): string {
  const since = (at: number) => `for ${duration(now - at)}`;
  const ago = (at: number) => `${duration(now - at)} ago`;
  if (member.ended !== null) {
    const why = member.ended.reason === null ? '' : `: ${short(member.ended.reason)}`;
    return `ended ${member.state} ${ago(member.ended.at)}${why}`;
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
  const suite = member.suite === null ? '' : `, suite ${member.suite}`;
  return `runs action ${running.index} ${running.command} ${since(running.since)}${suite}, last: ${member.last.what} ${ago(member.last.at)}`;
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
