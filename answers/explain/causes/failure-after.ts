/** What rules have in common that look at what came of a message. */
import type { Call } from '../facts.ts';
import { firstAfter } from '../harm.ts';
import type { Situation } from '../situation.ts';
import { who } from '../words.ts';

/** What of its member failed after a wait, as a step. */
export function failureAfter(
  { harms }: Situation,
  { member, end }: Call,
): { text: string; event: number } | undefined {
  const over = end?.version ?? Number.POSITIVE_INFINITY;
  const harm = harms.get(member);
  const death = harm === undefined ? undefined : firstAfter(harm.deaths, over);
  const failed = harm === undefined ? undefined : firstAfter(harm.failures, over);
  if (death === undefined && failed === undefined) return undefined;
  const isCase = failed !== undefined && (death === undefined || failed.version < death.version);
  const version = isCase ? failed.version : (death?.version ?? 0);
  const text = isCase
    ? `${who(member)} records ${failed.case}: fail`
    : `the script of ${who(member)} ends with status ${death?.status ?? 0}`;
  return { text, event: version };
}
