/**
 * Why a member that was up, and whose scripts had not died, did not come to a wait: its ids and rounds beside those of the
 * others. Each gap has one answer at most; the rules about ids, rounds and deadlocks tell it.
 */

import type { Unresolved } from '../../../submission/lint/call-graph.ts';
import {
  type Call,
  counted,
  decidedAt,
  isSend,
  isWait,
  type Member,
  sentCounts,
} from '../facts.ts';
import { certainty } from '../graphs.ts';
import { sitesOfMember } from '../scripts.ts';
import { type Gap, rolesOf, type Situation } from '../situation.ts';
import { family, nearest, nearness } from '../words.ts';

export type Mismatch =
  | { is: 'another-id'; gap: Gap; other: Call }
  | { is: 'rounds'; gap: Gap; last: Call }
  /** The one who waits had sent the id before, which counts as a round of its own. */
  | { is: 'sent'; gap: Gap; send: Call }
  | { is: 'everyone'; gap: Gap }
  | { is: 'cross'; gap: Gap; with: Call }
  | { is: 'never-calls'; gap: Gap }
  | { is: 'nobody-sends'; gap: Gap };

const known = new WeakMap<Situation, readonly Mismatch[]>();

/** In the order in which the waits failed. */
export function mismatchesOf(situation: Situation): readonly Mismatch[] {
  const before = known.get(situation);
  if (before !== undefined) return before;
  const all = situation.gaps.flatMap((gap) => mismatchOf(situation, gap) ?? []);
  // Who came by another name is missed under it, too: that is the same failure.
  const otherNames = new Set(
    all.flatMap((one) => (one.is === 'another-id' ? [one.other.message] : [])),
  );
  const found = all.filter(
    ({ is, gap }) =>
      (is !== 'never-calls' && is !== 'nobody-sends') || !otherNames.has(gap.wait.message),
  );
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
  if (absence.why === 'not-up' || absence.why === 'late') return undefined;
  if (isUnreached(situation, wait, member)) return undefined;
  if (absence.why !== 'blocked' && absence.why !== 'through' && absence.why !== 'busy') {
    // It ended for a reason of its own; it had come all the same, if by another name.
    const other = otherIdFor(situation, wait, member, NEAR);
    const isNumbered = other !== undefined && family(other.message) === family(wait.message);
    return other === undefined || isNumbered ? undefined : { is: 'another-id', gap, other };
  }
  const inside = absence.why === 'blocked' ? absence.in : undefined;
  if (inside !== undefined && everyoneWaits(situation, wait)) return { is: 'everyone', gap };
  if (anotherWouldSendIt(situation, gap)) return undefined;
  const crossed =
    inside !== undefined &&
    isInOneCycle(situation, wait, inside) &&
    !isForAnother(situation, wait, inside) &&
    !isUnreached(situation, inside, wait.member);
  // Both sides have the other's line, only later: no name is wrong.
  // In a circle of more than two it is another one who would answer the other side.
  const isMutual = inside !== undefined && counted(situation.group, inside).includes(wait.member);
  const isAnswered = isMutual && isCertain(situation, inside, wait.member);
  if (crossed && isCertain(situation, wait, member) && (isAnswered || !isMutual))
    return { is: 'cross', gap, with: inside };
  const send = sentARound(wait);
  if (send !== undefined) return { is: 'sent', gap, send };
  const rounds = outOfStep(situation, gap);
  if (rounds !== undefined)
    return isBehind(gap, rounds) ? undefined : { is: 'rounds', gap, last: rounds };
  const could = couldBeSent(situation, wait, member);
  const other = otherIdFor(situation, wait, member, could === 'yes' ? NEAR : undefined);
  if (other !== undefined) return { is: 'another-id', gap, other };
  if (inside !== undefined && could !== 'no') {
    const answered = isMutual ? couldBeSent(situation, inside, wait.member) : 'unknown';
    const awayMax = answered === 'yes' ? NEAR : undefined;
    const hasOther = isMutual && otherIdFor(situation, inside, wait.member, awayMax) !== undefined;
    return crossed && answered !== 'no' && !hasOther
      ? { is: 'cross', gap, with: inside }
      : undefined;
  }
  if (absence.why === 'busy' && could !== 'no') return undefined;
  return unsent(situation, gap);
}

/**
 * Of several who could each release a `lava-wait`, another one has a line that sends it: that those who wait beside it do not
 * send it either is no news. What became of that one is told of the gap that it left itself.
 */
function anotherWouldSendIt(situation: Situation, { wait, member }: Gap): boolean {
  if (wait.verb !== 'wait' || situation.graphs.couldSend(member, wait.message)) return false;
  return counted(situation.group, wait).some(
    (other) => other !== member && situation.graphs.couldSend(other, wait.message),
  );
}

/** It did come to its line, and was refused; or a script that ended in a `lava-test-case` did not come to it, and nobody heard. */
const isUnreached = ({ deaths }: Situation, { message }: Call, member: Member): boolean =>
  member.calls.some((call) => call.message === message && call.end?.how === 'refused') ||
  deaths.some((death) => death.member === member && death.inCase?.hides.includes(message) === true);

/** Whether the other side of a circle waits for somebody who is not in it. */
function isForAnother(situation: Situation, wait: Call, inside: Call): boolean {
  if (inside.verb !== 'wait') return false;
  const circle = new Set([wait, inside].flatMap(cycleOf));
  const senders = counted(situation.group, inside).filter((one) =>
    situation.graphs.couldSend(one, inside.message),
  );
  return senders.length > 0 && senders.every(({ device }) => !circle.has(device));
}

/** As `nearness` counts: a name that is that near is taken for the one that was meant, whatever else could be sent. */
const NEAR = 2;

/** Whether a line of the member says this very id. */
const isCertain = ({ graphs }: Situation, { message }: Call, member: Member): boolean =>
  graphs
    .of(member)
    ?.sites.some(
      ({ verb, id }) =>
        (verb === 'send' || verb === 'sync') && id.kind === 'exact' && id.text === message,
    ) === true;

/** Nobody was to send it, or all but one role were. */
function unsent({ group }: Situation, gap: Gap): Mismatch {
  const { wait } = gap;
  const counts = sentCounts(group, wait.message, decidedAt(group, wait).version);
  const isCommon = wait.verb === 'sync' || (wait.verb === 'wait-all' && counts.size > 0);
  return { is: isCommon ? 'never-calls' : 'nobody-sends', gap };
}

/** Whether two waits are of one circle of members that wait for one another. */
function isInOneCycle({ group }: Situation, wait: Call, inside: Call): boolean {
  if (counted(group, inside).includes(wait.member) && isDeadlocked(wait, inside)) return true;
  const cycle = [wait, inside].flatMap(cycleOf);
  return cycle.includes(wait.member.device) && cycle.includes(inside.member.device);
}

const cycleOf = ({ deadlock }: Call): readonly string[] => deadlock?.cycle ?? [];

const isDeadlocked = (...waits: Call[]): boolean => waits.some((wait) => cycleOf(wait).length > 0);

/** A `lava-send` of the id by the one who syncs with it in a later round. */
const sentARound = (wait: Call): Call | undefined =>
  wait.verb === 'sync' && wait.round > 1
    ? wait.member.calls.find(
        ({ verb, message, version }) =>
          verb === 'send' && message === wait.message && version < wait.version,
      )
    : undefined;

/** It came to fewer rounds of the sync: the last one that it came to. */
function outOfStep({ group }: Situation, { wait, member }: Gap): Call | undefined {
  if (wait.verb !== 'sync') return undefined;
  const over = decidedAt(group, wait).version;
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

/** It waits in an earlier one of rounds that are counted in the id: then it is the other one that left a round out. */
function isBehind({ wait, absence }: Gap, last: Call): boolean {
  const number = ({ message }: Call) => Number(/\d+/.exec(message)?.[0] ?? 0);
  return absence.why === 'blocked' && last.message !== wait.message && number(last) < number(wait);
}

/** All who are not at their end wait for this very message, and nobody ever sent it. */
function everyoneWaits({ group }: Situation, wait: Call): boolean {
  if (wait.verb === 'sync' || group.members.length < 2) return false;
  // Who names a role waits for that one: these wait for one another.
  if (
    group.members.every(({ calls }) =>
      calls.some(({ message, role }) => message === wait.message && role !== undefined),
    )
  )
    return false;
  const over = decidedAt(group, wait).version;
  const calls = group.byMessage.get(wait.message) ?? [];
  if (calls.some((call) => isSend(call) && call.version <= over)) return false;
  return group.members.every((member) =>
    member.calls.some(
      (call) =>
        isWait(call) &&
        call.verb !== 'sync' &&
        call.message === wait.message &&
        call.version <= over &&
        (call.end === undefined || call.end.how !== 'released' || call.end.version > over),
    ),
  );
}

/** A send of the member that nobody was waiting for, of an id that is near to the one that was awaited. */
function otherIdFor(
  situation: Situation,
  wait: Call,
  member: Member,
  awayMax?: number,
): Call | undefined {
  const { group } = situation;
  const over = decidedAt(group, wait).version;
  const sent = member.calls.filter((call) => isSend(call) && call.version <= over + SLACK_EVENTS);
  const heard = (message: string) =>
    (group.byMessage.get(message) ?? []).some(
      (call) => call.member !== member && (isWait(call) || call.verb === 'sync'),
    );
  const lonely = new Map(
    sent.filter(({ message }) => !heard(message)).map((call) => [call.message, call]),
  );
  const near = nearest(wait.message, lonely.keys());
  if (near === undefined) return undefined;
  const away = nearness(wait.message, near) ?? 0;
  return awayMax === undefined || away <= awayMax ? lonely.get(near) : undefined;
}
/** What was under way when the wait ended counts. */
const SLACK_EVENTS = 2;

/** Whether a script of somebody who counts could send what a wait waits for. */
export function couldBeSent(
  situation: Situation,
  wait: Call,
  missing: Member,
): 'yes' | 'no' | 'unknown' {
  const { group, graphs } = situation;
  const candidates = wait.verb === 'wait' ? counted(group, wait) : [missing];
  let answer: 'yes' | 'no' | 'unknown' = 'no';
  for (const member of candidates) {
    const graph = graphs.of(member);
    const sure = (graph?.sites ?? [])
      .filter(({ verb }) => verb === 'send' || verb === 'sync')
      .flatMap(({ id }) => certainty(id, wait.message) ?? []);
    if (sure.some((characters) => characters > 0)) return 'yes';
    if (graph === undefined || sure.length > 0 || graph.unresolved.some(hidesCalls))
      answer = 'unknown';
  }
  return answer === 'unknown' && candidates.some((one) => writes(situation, one, wait.message))
    ? 'yes'
    : answer;
}

/** A file of its own, which its graph does not come to, says this very id: `hooks-$(lava-role)/10-clock`. */
const writes = (situation: Situation, member: Member, message: string): boolean => {
  const { role } = member;
  const others = [...rolesOf(situation.group)].filter((one) => one !== role);
  return sitesOfMember(situation, member, ['send', 'sync']).some(({ script: { path }, site }) => {
    const [word] = site.words;
    const isIt = word?.length === 1 && word[0] === message;
    return isIt && (path.includes(role) || !others.some((one) => path.includes(one)));
  });
};

/** Whatever could not be read may have calls in it. */
const hidesCalls = ({ what }: Unresolved): boolean =>
  what === 'file' || what === 'command' || what === 'syntax' || what === 'shell';
