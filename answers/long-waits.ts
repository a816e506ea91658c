/** Which waits wait longer than their like in the last runs, while they still wait. */
import { missing } from '../machines/job/conversation.ts';
import { describeMissing } from '../machines/job/doing.ts';
import type { JobState } from '../machines/job/job.ts';
import { verbOf } from '../machines/wording.ts';
import { iso } from '../projections/views.ts';
import type { BoardCalls } from './calls.ts';
import type { LongWait } from './compared-views.ts';
import { callKey, type RunFacts, usualOf } from './run-facts.ts';

/**
 * @param boards the calls of the job's boards, as far as the state
 * @param now milliseconds since the epoch
 */
export function longWaits(
  id: number,
  job: JobState,
  boards: readonly BoardCalls[],
  past: readonly RunFacts[],
  now: number,
): LongWait[] {
  if (past.length === 0) return [];
  const { conversation, group, members } = job;
  return conversation.waits.flat().flatMap((wait) => {
    const board = boards[wait.member];
    const what = verbOf(wait);
    const nth = board?.calls.filter((call) => call.what === what) ?? [];
    // Of several that are open at once the oldest is named first.
    const at = nth.findIndex((call) => call.outcome === '' && call.at === wait.since);
    const usual = board && usualOf(past, 'lasted', callKey(board, what, at + 1));
    const waited = now - wait.since;
    if (at < 0 || usual === undefined || waited <= usual.high) return [];
    const lacking = describeMissing(job, missing(conversation, group, wait), now);
    return [
      {
        job: id,
        event: nth[at]?.event ?? 0,
        member: members[wait.member]?.device ?? '',
        role: members[wait.member]?.role ?? '',
        what,
        since: iso(wait.since),
        seconds: waited / 1000,
        usual: usual.median / 1000,
        runs: usual.runs,
        missing: lacking.missing.map(({ member, doing }) => `${member}: ${doing}`),
      },
    ];
  });
}
