/** What a what-if comes to, in a word and a sentence. Pure. */
import type { WhatIfView } from '../api/types.ts';
import type { Tone } from '../ui/tone.ts';

export interface Verdict {
  word: string;
  tone: Tone;
  says: string;
  /** What stands at the waits that were not released; absent: nothing. */
  flag?: string;
}

type Is = Pick<WhatIfView, 'outcome' | 'hangs' | 'beyond' | 'reason' | 'members' | 'recorded'>;

export function verdictOf(is: Is): Verdict {
  const because = (is.reason ?? '').split('\n')[0] ?? '';
  if (is.outcome === 'unknown') {
    const where = is.beyond
      .map(({ member, event }) => `what ${member} does after event ${event}`)
      .join(', and ');
    const says = `nothing is recorded that says ${where || 'how it goes on'}`;
    return { word: 'nobody knows', tone: 'quiet', says };
  }
  if (is.outcome === 'complete')
    return { word: 'converges', tone: 'good', says: 'every member runs to its end' };
  if (is.outcome === 'timedOut')
    return { word: 'times out', tone: 'bad', says: because, flag: 'times out here' };
  if (is.hangs.length > 0) return { word: 'hangs', tone: 'bad', says: because, flag: 'hangs here' };
  if (is.outcome === 'cancelled')
    return { word: 'is cancelled', tone: 'warn', says: because || 'as it was then' };
  return { word: 'fails', tone: 'bad', says: because, flag: 'is stuck here' };
}
