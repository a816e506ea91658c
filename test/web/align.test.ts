/** Two boards' events beside one another. */
import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../machines/events.ts';
import { aligned } from '../../web/compare/align.ts';
import { JobFold } from '../../web/job/fold.ts';
import { foldOf, histories, jobsOf } from './histories.ts';

/** A board that records these cases, one after the other. */
function recorded(cases: string): JobFold {
  const fold = new JobFold();
  const take = (type: string, data: object) =>
    fold.take({ type, data, stream: 'job-1', meta: { at: 0 } } as unknown as RecordedEvent);
  take('JobAllocated', { members: [{ device: 'a', role: 'r' }] });
  for (const name of cases)
    take('ResultRecorded', { member: 'a', suite: 's', case: name, result: 'pass' });
  return fold;
}

const told = (good: string, bad: string): string[] => {
  const [left, right] = [recorded(good), recorded(bad)];
  const of = (fold: JobFold, at: number | undefined) => {
    const event = at === undefined ? undefined : fold.events[at];
    return event?.type === 'ResultRecorded' ? event.data.case : '-';
  };
  return aligned({ fold: left, lane: 0 }, { fold: right, lane: 0 }).map(
    ({ good: one, bad: other }) => `${of(left, one)}${of(right, other)}`,
  );
};

describe('two boards beside one another', () => {
  it('stand on one line where they did the same, and beside nothing where one of them did it alone', () => {
    expect(told('abc', 'abc')).toEqual(['aa', 'bb', 'cc']);
    expect(told('abcd', 'abxd')).toEqual(['aa', 'bb', 'c-', '-x', 'dd']);
    expect(told('abc', 'a')).toEqual(['aa', 'b-', 'c-']);
    expect(told('', 'ab')).toEqual(['-a', '-b']);
    expect(told('abcde', 'xbcdy')).toEqual(['a-', '-x', 'bb', 'cc', 'dd', 'e-', '-y']);
  });

  it.each(histories)(
    'lose no event and keep the order of each, for every two boards of %s',
    (name) => {
      for (const events of jobsOf(name)) {
        const fold = foldOf(events);
        for (let lane = 1; lane < Math.min(4, fold.lanes.length); lane++) {
          const rows = aligned({ fold, lane: lane - 1 }, { fold, lane });
          const own = (of: number) => fold.laneOf.flatMap((is, at) => (is === of ? [at] : []));
          expect(rows.flatMap(({ good }) => good ?? [])).toEqual(own(lane - 1));
          expect(rows.flatMap(({ bad }) => bad ?? [])).toEqual(own(lane));
        }
      }
    },
  );
});
