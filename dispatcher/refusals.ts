/** What it means when the server does not take a report. */
import type { RejectionCode } from '../machines/deciding.ts';
import { codeOf } from './failure.ts';

/**
 * `over`: the member or its step is not ours any more; what is owed is asked for anew. `refused`: this report will never
 * be taken, the step goes on without it. Every code of the rules is here: a new one does not compile until it is.
 */
const MEANINGS = {
  'no-such-job': 'over',
  'no-such-member': 'over',
  'job-ended': 'over',
  'member-ended': 'over',
  'not-owed': 'over',
  'no-such-device': 'refused',
  'no-such-worker': 'refused',
  'no-such-wait': 'refused',
  'job-exists': 'refused',
  'job-not-allocated': 'refused',
  'member-not-booted': 'refused',
  'not-waiting': 'refused',
  'board-taken': 'refused',
  'worker-lost': 'refused',
  'worker-here': 'refused',
  'not-holder': 'refused',
  'not-idle': 'refused',
  retired: 'refused',
  'lease-void': 'refused',
  'too-new': 'refused',
  'key-reused': 'refused',
} satisfies Record<RejectionCode, 'over' | 'refused'>;

/** `again`: the server is away, or its disk is full: it may be taken later. */
export function meaningOf(error: unknown): 'over' | 'refused' | 'again' {
  const code = codeOf(error);
  if (code !== undefined && Object.hasOwn(MEANINGS, code)) return MEANINGS[code as RejectionCode];
  // A report that is not of its own shape, or a fault of ours: it will not get better.
  if (error instanceof Error && (error.name === 'ZodError' || error instanceof TypeError))
    return 'refused';
  return 'again';
}
