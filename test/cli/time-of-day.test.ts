import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { preciseTimeOfDay, timeOfDay } from '../../cli/pages/text.ts';
import { atOf } from '../../cli/time-of-day.ts';

const at = (day: number, hours: number, minutes: number, seconds = 0, ms = 0): number =>
  new Date(2026, 7, day, hours, minutes, seconds, ms).getTime();
const iso = (time: number) => new Date(time).toISOString();
const afternoon = { job: 12, first: at(1, 14, 0, 0, 250), last: at(1, 14, 10) };
const overnight = { job: 12, first: at(1, 23, 50), last: at(2, 0, 10) };
const long = { job: 12, first: at(1, 14, 0), last: at(3, 15, 0) };

describe('a time of day', () => {
  it('is a time of the day on which the job ran; without a fraction the end of that second', () => {
    expect(atOf('14:03:59', afternoon)).toBe(iso(at(1, 14, 3, 59, 999)));
    expect(atOf('14:03:59.25', afternoon)).toBe(iso(at(1, 14, 3, 59, 250)));
    expect(atOf('23:55:00', overnight)).toBe(iso(at(1, 23, 55, 0, 999)));
    expect(atOf('0:05:00', overnight)).toBe(iso(at(2, 0, 5, 0, 999)));
  });

  it('after the end of the job is the end', () => {
    expect(atOf('18:00:00', afternoon)).toBe(iso(at(1, 18, 0, 0, 999)));
    expect(Date.parse(atOf('12:00:00', overnight))).toBeGreaterThan(overnight.last);
  });

  it('before the job is refused, and says when that was submitted', () => {
    expect(() => atOf('13:59:59', afternoon)).toThrow(
      'nothing had happened by 13:59:59: job 12 was submitted at 2026-08-01 14:00:00',
    );
    expect(() => atOf('14:00:00.100', afternoon)).toThrow('nothing had happened by 14:00:00.100');
  });

  it('that came on several days is refused with the times that it may be', () => {
    expect(() => atOf('14:30:00', long)).toThrow(
      `14:30:00 came 3 times in job 12: say ${[1, 2, 3].map((day) => iso(at(day, 14, 30, 0, 999))).join(' or ')}`,
    );
    expect(atOf('16:00:00', { ...long, last: at(2, 15, 0) })).toBe(iso(at(1, 16, 0, 0, 999)));
    expect(() => atOf('14:30:00', { ...long, last: at(30, 15, 0) })).toThrow('or one of 27 more');
  });

  it('is none where it cannot be one; any other word is left as it is', () => {
    for (const word of ['24:00:00', '14:60:00', '14:03', '14:3:59', '1:2:3', '14:03:59Z'])
      expect(() => atOf(word, afternoon), word).toThrow('is no time of day');
    for (const word of ['41', '2026-08-01T14:03:59Z', 'noon', ''])
      expect(atOf(word, afternoon)).toBe(word);
  });

  it('as a page shows it leads to the event beside which it stands', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: at(1, 3, 0), max: at(1, 20, 0) }),
        fc.integer({ min: 0, max: 86_400_000 }),
        fc.integer({ min: 0, max: 86_400_000 }),
        (time, before, after) => {
          const span = { job: 1, first: time - before, last: time + after };
          const same = new Set([-1, 0, 1].map((days) => time + days * 86_400_000));
          const within = [...same].filter(
            (one) => one >= span.first - 999 && one <= span.last + 999,
          );
          if (within.length > 1) return;
          expect(atOf(preciseTimeOfDay(time), span)).toBe(iso(time));
          expect(Math.floor(Date.parse(atOf(timeOfDay(time), span)) / 1000)).toBe(
            Math.floor(time / 1000),
          );
        },
      ),
    );
  });
});
