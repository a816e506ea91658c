import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConsoleTimes } from '../../answers/console-times.ts';

describe('the index beside a console', () => {
  it('tells when a byte had come, and what had come by a time', () => {
    const times = ConsoleTimes.of('10 1000\n25 2000\n');
    expect([0, 9, 10, 24, 25].map((offset) => times?.timeAt(offset))).toEqual([
      1000,
      1000,
      2000,
      2000,
      undefined,
    ]);
    expect([999, 1000, 1999, 2000, 9999].map((time) => times?.offsetAt(time))).toEqual([
      0, 10, 10, 25, 25,
    ]);
  });

  it('is believed as far as it is whole: torn lines and lines that go back are passed over', () => {
    const whole = ConsoleTimes.of('10 1000\n2');
    expect(whole?.timeAt(10)).toBeUndefined();
    expect(ConsoleTimes.of('10 1000\n5 1500\n\0\0\n25 500\n30 2000\n')?.timeAt(12)).toBe(2000);
    for (const nothing of ['', '10 1000', 'x y\n', '\n'])
      expect(ConsoleTimes.of(nothing)).toBeUndefined();
  });

  it('agrees with a look through all of it, whatever bytes are in it', () => {
    const text = fc.oneof(
      fc.string(),
      fc
        .array(fc.tuple(fc.nat(60), fc.nat(60)))
        .map((rows) => rows.map(([o, t]) => `${o} ${t}\n`).join('')),
    );
    fc.assert(
      fc.property(text, fc.nat(70), (written, at) => {
        const times = ConsoleTimes.of(written);
        if (times === undefined) return;
        const when = times.timeAt(at);
        if (when !== undefined) expect(times.offsetAt(when)).toBeGreaterThan(at);
        const by = times.offsetAt(at);
        if (by > 0) expect(times.timeAt(by - 1)).toBeLessThanOrEqual(at);
      }),
    );
  });
});
