/** What went badly for a member itself: its scripts that ended, and its cases that failed. */
import type { Death } from './deaths.ts';
import type { Member, Result } from './facts.ts';

/** Cases that a test recorded, and not those of the runner and of the verbs. */
export const isOwnCase = ({ case: name }: Result): boolean =>
  name !== 'exit' && name !== 'install' && !name.startsWith('multinode-');

export interface Harm {
  /** Those that were not of a verb that failed. */
  readonly deaths: readonly Death[];
  readonly failures: readonly Result[];
}

/** Of each member, in the order of the log. */
export function harmsOf(members: readonly Member[], deaths: readonly Death[]): Map<Member, Harm> {
  const harms = new Map<Member, { deaths: Death[]; failures: Result[] }>();
  for (const member of members)
    harms.set(member, {
      deaths: [],
      failures: member.results.filter((one) => one.result === 'fail' && isOwnCase(one)),
    });
  for (const death of deaths)
    if (death.ofCall === undefined) harms.get(death.member)?.deaths.push(death);
  for (const harm of harms.values()) harm.deaths.sort((a, b) => a.version - b.version);
  return harms;
}

/** The first of those in order that came after an event. */
export function firstAfter<T extends { version: number }>(
  sorted: readonly T[],
  version: number,
): T | undefined {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sorted[middle]?.version ?? 0) > version) to = middle;
    else from = middle + 1;
  }
  return sorted[from];
}
