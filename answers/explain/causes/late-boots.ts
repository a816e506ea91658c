/** Waits that were over before the board that they waited for was up: what two rules have in common. */
import type { ActionRun, Call, Mark, Member } from '../facts.ts';
import { overAt } from '../facts.ts';
import { firstOfEach, type Gap, type Situation } from '../situation.ts';

export interface LateBoot {
  readonly gap: Gap;
  readonly boot: Mark;
  readonly done: Mark;
  /** From the allocation to the shell, or to the end of the wait where it was not up at all. */
  readonly tookMs: number;
}

export function lateBoots(situation: Situation): LateBoot[] {
  const { group } = situation;
  const allocated = group.allocated?.at ?? 0;
  return firstOfEach(
    situation.gaps.filter(
      ({ wait }) => wait.end?.how === 'timedOut' || wait.end?.how === 'abandoned',
    ),
  ).flatMap((gap) => {
    const { wait, member, absence } = gap;
    const boot = member.boots.find(({ done }) => done !== undefined);
    if (boot?.done === undefined) return [];
    const over = overAt(group, wait);
    const isLate =
      absence.why === 'not-up' ||
      // Up at last, but most of the wait was over.
      ((absence.why === 'late' || absence.why === 'busy') &&
        boot.done.at - wait.at > (over.at - wait.at) / 2);
    return isLate ? [{ gap, boot, done: boot.done, tookMs: boot.done.at - allocated }] : [];
  });
}

/** Whether the limit that the job gave the wait is shorter than the boot, and the boot no longer than its like. */
export function isLimitTooShort(
  situation: Situation,
  { gap, tookMs, boot, done }: LateBoot,
): boolean {
  const limit = limitOf(situation, gap.wait);
  if (limit === undefined || limit > tookMs) return false;
  const { group } = situation;
  const type = typeOf(situation, gap.member);
  const like = group.members.flatMap((other) => {
    const up = other.boots[0];
    if (other === gap.member || typeOf(situation, other) !== type) return [];
    return up?.done === undefined ? [] : [up.done.at - up.at];
  });
  const usual = like.length === 0 ? undefined : Math.max(...like);
  return usual === undefined || done.at - boot.at <= usual * 2 + UNUSUAL_MS;
}
const UNUSUAL_MS = 1_000;

const typeOf = ({ group }: Situation, { role }: Member): string | undefined => {
  const request = group.definition?.roles.find((one) => one.role === role);
  return request === undefined ? undefined : JSON.stringify(request.device ?? request.deviceType);
};

/** How long the job let the wait be, in milliseconds; `undefined`: it was its script that gave up. */
export function limitOf({ group }: Situation, wait: Call): number | undefined {
  if (wait.end?.how !== 'timedOut') return undefined;
  const action = actionOf(wait);
  const { definition } = group;
  if (wait.end.limit === 'job') return (definition?.timeoutSeconds ?? 0) * 1_000;
  if (wait.end.limit === 'protocol') return wait.end.at - wait.at;
  const seconds =
    action === undefined ? undefined : definition?.actions[action.index]?.timeoutSeconds;
  return seconds === undefined ? wait.end.at - wait.at : seconds * 1_000;
}

export const actionOf = ({ member, version }: Call): ActionRun | undefined =>
  member.actions.findLast((run) => run.version <= version);
