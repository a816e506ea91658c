/**
 * Why a member that was up, and whose scripts had not died, did not come to a wait: its ids and rounds beside those of the
 * others. Each gap has one answer at most; the rules about ids, rounds and deadlocks tell it.
 */
import { type Call, counted, isSend, isWait, type Member, overAt, sentCounts } from '../facts.ts';
import { mayBuildIds, sendersOf } from '../scripts.ts';
import type { Gap, Situation } from '../situation.ts';
import { family, nearest } from '../words.ts';

export type Mismatch =
  | { is: 'another-id'; gap: Gap; other: Call }
  | { is: 'rounds'; gap: Gap; last: Call }
  | { is: 'everyone'; gap: Gap }
  | { is: 'cross'; gap: Gap; with: Call }
  | { is: 'never-calls'; gap: Gap }
  | { is: 'nobody-sends'; gap: Gap };

const known = new WeakMap<Situation, readonly Mismatch[]>();

/** In the order in which the waits failed. */
export function mismatchesOf(situation: Situation): readonly Mismatch[] {
  const before = known.get(situation);
  if (before !== undefined) return before;
  const found = situation.gaps.flatMap((gap) => mismatchOf(situation, gap) ?? []);
  known.set(situation, found);
  return found;
}

export const mismatches = <K extends Mismatch['is']>(
  situation: Situation,
  is: K,
): Extract<Mismatch, { is: K }>[] =>
  mismatchesOf(situation).filter((one): one is Extract<Mismatch, { is: K }> => one.is === is);

function mismatchOf(situation: Situation, gap: Gap): Mismatch | undefined {
  const { wait, member, absence } = gap;
  if (absence.why !== 'blocked' && absence.why !== 'through' && absence.why !== 'busy')
    return undefined;
  const rounds = outOfStep(situation, gap);
  if (rounds !== undefined) return { is: 'rounds', gap, last: rounds };
  const inside = absence.why === 'blocked' ? absence.in : undefined;
  if (inside !== undefined && everyoneWaits(situation, wait)) return { is: 'everyone', gap };
  const other = otherId(situation, gap);
  if (other !== undefined) return { is: 'another-id', gap, other };
  const could = couldBeSent(situation, wait, member);
  if (inside !== undefined) {
    if (could === 'no') return unsent(situation, gap);
    const mutual = counted(situation.group, inside).includes(wait.member);
    const answered = couldBeSent(situation, inside, wait.member) !== 'no';
    const hasOther = otherIdFor(situation, inside, wait.member) !== undefined;
    if (mutual && answered && !hasOther && isDeadlocked(wait, inside))
      return { is: 'cross', gap, with: inside };
    return undefined;
  }
  if (absence.why === 'busy' && could !== 'no') return undefined;
  return unsent(situation, gap);
}

/** Nobody was to send it, or all but one role were. */
function unsent({ group }: Situation, gap: Gap): Mismatch {
  const { wait } = gap;
  const counts = sentCounts(group, wait.message, overAt(group, wait).version);
  const isCommon = wait.verb === 'sync' || (wait.verb === 'wait-all' && counts.size > 0);
  return { is: isCommon ? 'never-calls' : 'nobody-sends', gap };
}

const isDeadlocked = (...waits: Call[]): boolean =>
  waits.some(
    ({ stuck, end }) =>
      stuck?.form === 'deadlocked' || (end?.how === 'unreachable' && end.form === 'deadlocked'),
  );

/** It came to fewer rounds of the sync: the last one that it came to. */
function outOfStep({ group }: Situation, { wait, member }: Gap): Call | undefined {
  if (wait.verb !== 'sync') return undefined;
  const over = overAt(group, wait).version;
  const mine = member.calls.filter((call) => call.verb === 'sync' && call.version <= over);
  const same = mine.findLast((call) => call.message === wait.message);
  if (wait.round > 1) return same;
  // Rounds that are counted in the id: both have been in one of the family together.
  const name = family(wait.message);
  if (name === wait.message) return undefined;
  const theirs = new Set(
    wait.member.calls.filter(({ verb }) => verb === 'sync').map(({ message }) => message),
  );
  const shared = mine.filter(({ message }) => family(message) === name && theirs.has(message));
  return shared.length > 0 ? mine.findLast(({ message }) => family(message) === name) : undefined;
}

/** All who are not at their end wait for this very message, and nobody ever sent it. */
function everyoneWaits({ group }: Situation, wait: Call): boolean {
  if (wait.verb === 'sync' || group.members.length < 2) return false;
  if ((group.byMessage.get(wait.message) ?? []).some(isSend)) return false;
  const over = overAt(group, wait).version;
  return group.members.every((member) =>
    member.calls.some(
      (call) =>
        isWait(call) &&
        call.verb !== 'sync' &&
        call.message === wait.message &&
        call.version <= over &&
        (call.end === undefined || call.end.how !== 'released'),
    ),
  );
}

function otherId(situation: Situation, { wait, member }: Gap): Call | undefined {
  return otherIdFor(situation, wait, member);
}

/** A send of the member that nobody was waiting for, of an id that is near to the one that was awaited. */
function otherIdFor(situation: Situation, wait: Call, member: Member): Call | undefined {
  const { group } = situation;
  const over = overAt(group, wait).version;
  const sent = member.calls.filter((call) => isSend(call) && call.version <= over + SLACK_EVENTS);
  const heard = (message: string) =>
    (group.byMessage.get(message) ?? []).some(
      (call) => call.member !== member && (isWait(call) || call.verb === 'sync'),
    );
  const lonely = new Map(
    sent.filter(({ message }) => !heard(message)).map((call) => [call.message, call]),
  );
  const near = nearest(wait.message, lonely.keys());
  return near === undefined ? undefined : lonely.get(near);
}
/** What was under way when the wait ended counts. */
const SLACK_EVENTS = 2;

/** Whether a script of somebody who counts could send what a wait waits for. */
export function couldBeSent(
  situation: Situation,
  wait: Call,
  missing: Member,
): 'yes' | 'no' | 'unknown' {
  const { group, places } = situation;
  const candidates = wait.verb === 'wait' ? counted(group, wait) : [missing];
  let answer: 'yes' | 'no' | 'unknown' = 'no';
  for (const member of candidates) {
    if (sendersOf(situation, member, wait.message).length > 0) return 'yes';
    if (!places.knows(member.device) || mayBuildIds(situation, member)) answer = 'unknown';
  }
  return answer;
}
