/** Which of the waits that are open at the end can never be released, whatever is not known. */
import type { OpenWait } from '../../machines/job/wait-list.ts';

export interface StuckWait {
  readonly wait: OpenWait;
  readonly order: number;
  readonly lacking: readonly number[];
  /** Whether nobody that it lacks may do what nobody knows. */
  readonly isCertain: boolean;
  readonly isBackground: boolean;
}

/** What may call a verb that nobody saw. */
export const HIDES = new Set(['file', 'command', 'syntax', 'shell', 'limit']);

/**
 * The greatest set of waits that hold each other: one that a member outside of it may still release is not certain, nor is one
 * that needs such a member.
 */
export function withCertainty(
  waits: readonly StuckWait[],
  mayCome: (member: number, message: string) => boolean,
  group: { readonly roles: readonly string[] },
): StuckWait[] {
  const uncertain = new Set<number>();
  const hopeful = new Set<number>();
  const isHopeless = ({ wait, lacking }: StuckWait) => {
    const never = (m: number) => !hopeful.has(m) && !mayCome(m, wait.message);
    if (group.roles.length === 0) return false;
    return wait.verb === 'wait' ? lacking.every(never) : lacking.some(never);
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const one of waits)
      if (!uncertain.has(one.wait.wait) && !isHopeless(one)) {
        uncertain.add(one.wait.wait);
        hopeful.add(one.wait.member);
        changed = true;
      }
  }
  return waits.map((one) => ({ ...one, isCertain: !uncertain.has(one.wait.wait) }));
}
