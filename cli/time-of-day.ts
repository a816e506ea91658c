/** A time of day, as pages show it, for one of the days on which a job ran: `14:03:59`, `14:03:59.250`, by the reader's clock. */
import { usage } from './evidence.ts';
import { CliFailure, EXIT } from './exit.ts';
import { dateAndTime } from './pages/text.ts';

const TIME_OF_DAY = /^([01]?\d|2[0-3]):([0-5]\d):([0-5]\d)(?:[.,](\d{1,3}))?$/;
/** What was meant as one. */
const LOOKS_LIKE_ONE = /^\d{1,2}:\d/;
/** A job that runs longer has every time of day too often for any to be meant. */
const DAYS_MAX = 1_000;
const DAYS_NAMED_MAX = 3;

/** When a job began and ended, in milliseconds since the epoch. */
export interface Span {
  job: number;
  first: number;
  last: number;
}

/** Whether `atOf` needs to know when the job was. */
export const isTimeOfDay = (word: string): boolean => LOOKS_LIKE_ONE.test(word);

/**
 * The time in ISO 8601 that a time of day is; without a fraction the end of that second. Any other word is itself.
 *
 * @throws CliFailure: it is no time of day, it came on several of the job's days, or before the job
 */
export function atOf(word: string, { job, first, last }: Span): string {
  if (!isTimeOfDay(word)) return word;
  const [, hours, minutes, seconds, fraction] = TIME_OF_DAY.exec(word) ?? [];
  if (seconds === undefined) throw usage(`${word} is no time of day: it is written HH:MM:SS`);
  const ms = fraction === undefined ? 999 : Number(fraction.padEnd(3, '0'));
  const times = daysOf(first, last).map((day) =>
    new Date(day).setHours(Number(hours), Number(minutes), Number(seconds), ms),
  );
  // Of the second that is meant a part is enough.
  const end = fraction === undefined ? last + 999 : last;
  const within = times.filter((time) => time >= first && time <= end);
  const [only, ...others] = within;
  if (only !== undefined && others.length === 0) return iso(only);
  if (only !== undefined) throw several(word, within, job);
  const later = times.find((time) => time > last);
  if (later !== undefined) return iso(later);
  throw failure(
    'no-such-event',
    `nothing had happened by ${word}: job ${job} was submitted at ${dateAndTime(first)}`,
  );
}

function several(word: string, times: readonly number[], job: number): CliFailure {
  const named = times.slice(0, DAYS_NAMED_MAX).map(iso);
  const more = times.length - named.length;
  const or = `${named.join(' or ')}${more > 0 ? `, or one of ${more} more` : ''}`;
  return failure('ambiguous-time', `${word} came ${times.length} times in job ${job}: say ${or}`);
}

const failure = (code: string, message: string): CliFailure =>
  new CliFailure({ code, exit: EXIT.failed, message });

/** A moment of each of the reader's days from the first to the last. */
function daysOf(first: number, last: number): number[] {
  const days: number[] = [];
  const end = new Date(last).setHours(23, 59, 59, 999);
  for (let at = new Date(first); at.getTime() <= end && days.length < DAYS_MAX; ) {
    days.push(at.getTime());
    at = new Date(at.getFullYear(), at.getMonth(), at.getDate() + 1);
  }
  return days;
}

const iso = (time: number): string => new Date(time).toISOString();
