/** What a board hears of an error, in the words of the shell dialect and of the line. */
import type { BoardAnswer, BoardTrouble } from '../wire/board-answers.ts';
import { type ProblemCode, problemOf } from './problems.ts';

/** While the store is away every board asks again each second: one line of the log for all of them. */
const STORE_LOG_EVERY_MS = 10_000;

/** Makes the one who tells of errors. Those that are the server's own are given to `log`, not too often. */
export function troubleTeller() {
  let storeLoggedAt = Number.NEGATIVE_INFINITY;
  return (error: unknown, log: () => void): BoardAnswer | BoardTrouble => {
    const { code, message } = problemOf(error);
    const now = performance.now();
    if (code === 'internal') log();
    if (code === 'store-unavailable' && now - storeLoggedAt > STORE_LOG_EVERY_MS) {
      storeLoggedAt = now;
      log();
    }
    return troubleOf(code, message);
  };
}

function troubleOf(code: ProblemCode, reason: string): BoardAnswer | BoardTrouble {
  switch (code) {
    case 'internal':
    case 'stopping':
    case 'store-unavailable':
    case 'member-not-booted':
      return { status: 'retry', reason };
    case 'token-missing':
    case 'token-refused':
    case 'job-not-allocated':
    case 'job-ended':
    case 'member-ended':
    case 'no-such-job':
    case 'no-such-member':
      return { status: 'denied', reason };
    case 'too-large':
      return { status: 'refused', reason: `too large: ${reason}` };
    default:
      return { status: 'refused', reason };
  }
}
