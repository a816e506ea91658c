/** Times as people read them. */
import { signal } from '@preact/signals';

/** Now, once a second: ages on the screen grow together. */
export const clock = signal(Date.now());
setInterval(() => {
  if (document.visibilityState === 'visible') clock.value = Date.now();
}, 1_000);
document.addEventListener('visibilitychange', () => {
  clock.value = Date.now();
});

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `12 s`, `3 min`, `5 h`, `2 d`. */
export function age(ms: number): string {
  const since = Math.max(0, ms);
  if (since < MINUTE) return `${Math.floor(since / SECOND)} s`;
  if (since < HOUR) return `${Math.floor(since / MINUTE)} min`;
  if (since < 2 * DAY) return `${Math.floor(since / HOUR)} h`;
  return `${Math.floor(since / DAY)} d`;
}

/** A length of time with as many digits as help: `3 ms`, `1.24 s`, `12.3 s`, `2 min 4 s`. */
export function lasting(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(2)} s`;
  if (ms < MINUTE) return `${(ms / SECOND).toFixed(1)} s`;
  const seconds = Math.floor((ms % MINUTE) / SECOND);
  const minutes = Math.floor(ms / MINUTE) % 60;
  if (ms < HOUR) return `${minutes} min${seconds === 0 ? '' : ` ${seconds} s`}`;
  return `${Math.floor(ms / HOUR)} h${minutes === 0 ? '' : ` ${minutes} min`}`;
}

const clockTime = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});
const dayAndTime = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  hour12: false,
});

/** The time of day; with the day when it was another. */
export function moment(at: number): string {
  const isToday = new Date(at).toDateString() === new Date(clock.peek()).toDateString();
  return isToday ? clockTime.format(at) : dayAndTime.format(at);
}

export const exactly = (at: number): string => new Date(at).toISOString();
