/** Consoles as lines with times, and one log of them with the events between. */
import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../machines/events.ts';
import { marksOf, marksOfEvents, merged, timedLines } from '../../web/job/console-lines.ts';
import { JobFold } from '../../web/job/fold.ts';

function foldAt(times: readonly (readonly [number, number?])[]): JobFold {
  const fold = new JobFold();
  const members = [
    { device: 'a', role: 'r' },
    { device: 'b', role: 'r' },
  ];
  fold.take({
    type: 'JobAllocated',
    data: { members },
    meta: { at: 0 },
  } as unknown as RecordedEvent);
  for (const [at, console] of times)
    fold.take({
      type: 'SuiteStarted',
      data: { member: 'a', suite: 's' },
      meta: { at, ...(console !== undefined && { console }) },
    } as unknown as RecordedEvent);
  return fold;
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe('a console as lines', () => {
  it('has each line at the time by which all of it had come', () => {
    const marks = marksOf('4 10\n6 20\n13 30\n');
    const lines = timedLines(0, bytes('abc\nde\nfg\nhij'), 0, marks, 99);
    expect(lines.map(({ at, text }) => [at, text])).toEqual([
      [10, 'abc'],
      [30, 'de'],
      [30, 'fg'],
      [30, 'hij'],
    ]);
  });

  it('passes over marks that were torn, and gives what came after the last one the end', () => {
    expect(marksOf('4 10\nx 3\n3 20\n9 5\n12 30')).toEqual([
      { bytes: 4, at: 10 },
      { bytes: 12, at: 30 },
    ]);
    expect(timedLines(0, bytes('late\n'), 20, marksOf('4 10\n'), 77)[0]?.at).toBe(77);
  });

  it('has its times of the events where it has no index', () => {
    const fold = foldAt([[5, 4], [9], [12, 8]]);
    expect(marksOfEvents(fold, 0)).toEqual([
      { bytes: 4, at: 5 },
      { bytes: 8, at: 12 },
    ]);
  });
});

describe('the combined log', () => {
  it('is in the order of time, what a board printed before the event that it made', () => {
    const fold = foldAt([[10], [20]]);
    const a = timedLines(0, bytes('one\ntwo\n'), 0, marksOf('4 10\n8 25\n'), 0);
    const b = timedLines(1, bytes('three\n'), 0, marksOf('6 15\n'), 0);
    const told = merged(fold, [a, b]).map((is) => ('event' in is ? is.event : is.text));
    expect(told).toEqual([0, 'one', 1, 'three', 2, 'two']);
  });
});
