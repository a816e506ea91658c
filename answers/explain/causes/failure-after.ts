import type { Call } from '../facts.ts';
import type { Situation } from '../situation.ts';
import { who } from '../words.ts';

/** What of its member failed after a wait, and before its next call. */
export function failureAfter(
  { deaths }: Situation,
  { member, end }: Call,
): { text: string; event: number } | undefined {
  const over = end?.version ?? Number.POSITIVE_INFINITY;
  const death = deaths.find(
    (one) => one.member === member && one.version > over && one.ofCall === undefined,
  );
  const failed = member.results.find(
    (one) =>
      one.version > over && one.result === 'fail' && !/^multinode-|^exit$|^install$/.test(one.case),
  );
  if (death === undefined && failed === undefined) return undefined;
  const isCase = failed !== undefined && (death === undefined || failed.version < death.version);
  const version = isCase ? failed.version : (death?.version ?? 0);
  const text = isCase
    ? `${who(member)} records ${failed.case}: fail`
    : `the script of ${who(member)} ends with status ${death?.status ?? 0}`;
  return { text, event: version };
}
