/**
 * Ids of events and leases: UUIDs of version 7, in the order in which they were made, so that the log's index grows
 * at its end instead of everywhere.
 */
import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4096;
/** Of the counter within a millisecond; when it runs over, the next millisecond is used ahead of time. */
const COUNTER_MAX = 0xfff;
/** The counter as it is written. */
const HEX3 = Array.from({ length: COUNTER_MAX + 1 }, (_, n) => n.toString(16).padStart(3, '0'));
/** Hexadecimal digits of chance in an id; the first of them only chooses the variant. */
const RANDOM_DIGITS = 16;

/** Makes a source of ids. `now`: milliseconds since the epoch; a clock that goes back does not take the ids along. */
export function eventIds(now: () => number = Date.now): () => string {
  const pool = Buffer.alloc(POOL_BYTES);
  let random = '';
  let used = 0;
  let last = 0;
  let time = '';
  let counter = 0;
  const moveTo = (at: number) => {
    [last, counter] = [at, 0];
    const digits = at.toString(16).padStart(12, '0');
    time = `${digits.slice(0, 8)}-${digits.slice(8)}-7`;
  };
  return () => {
    const at = now();
    if (at > last) moveTo(at);
    else if (++counter > COUNTER_MAX) moveTo(last + 1);
    if (used === random.length) {
      random = randomFillSync(pool).toString('hex');
      used = 0;
    }
    const variant = '89ab'[random.charCodeAt(used) & 3];
    const id = `${time}${HEX3[counter]}-${variant}${random.slice(used + 1, used + 4)}-${random.slice(used + 4, used + 16)}`;
    used += RANDOM_DIGITS;
    return id;
  };
}
