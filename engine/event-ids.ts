/**
 * Ids of events and leases: UUIDs of version 7, in the order in which they were made, so that the log's index grows
 * at its end instead of everywhere.
 */
import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4096;
/** Of the counter within a millisecond; when it runs over, the next millisecond is used ahead of time. */
const COUNTER_MAX = 0xfff;

/** Makes a source of ids. `now`: milliseconds since the epoch; a clock that goes back does not take the ids along. */
export function eventIds(now: () => number = Date.now): () => string {
  const pool = Buffer.alloc(POOL_BYTES);
  let used = POOL_BYTES;
  let last = 0;
  let counter = 0;
  return () => {
    const at = now();
    if (at > last) [last, counter] = [at, 0];
    else if (++counter > COUNTER_MAX) [last, counter] = [last + 1, 0];
    if (used === POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    const random = pool.toString('hex', used, used + 8);
    used += 8;
    const time = last.toString(16).padStart(12, '0');
    const count = counter.toString(16).padStart(3, '0');
    const variant = '89ab'[Number.parseInt(random[0] ?? '0', 16) & 3];
    return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${variant}${random.slice(1, 4)}-${random.slice(4)}`;
  };
}
