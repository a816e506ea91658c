/** How far the axis of a job goes. */
import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../machines/events.ts';
import { heldFor } from '../../web/job/at.ts';
import { endOf, whole } from '../../web/job/axis.ts';
import { JobFold } from '../../web/job/fold.ts';

function waiting(): JobFold {
  const fold = new JobFold();
  const take = (type: string, at: number, data: object) =>
    fold.take({ type, data, meta: { at } } as unknown as RecordedEvent);
  take('JobAllocated', 1_000, { members: [{ device: 'a', role: 'peer' }] });
  const wait = { wait: 1, verb: 'wait', message: 'x', missing: [], missingCount: 1 };
  take('WaitStarted', 1_200, { member: 'a', ...wait });
  return fold;
}

describe('the axis of a job', () => {
  it('that goes on reaches to now, and what is open on it grows', () => {
    const fold = waiting();
    expect(endOf(fold, 'wall', 9_000)).toBe(8_000);
    expect(whole(fold, 'wall', 9_000).to).toBeGreaterThan(8_000);
    const [wait] = fold.lanes[0]?.waits ?? [];
    expect(heldFor(fold, wait!, 1, 9_000)).toBe(7_800);
  });

  it('ends with its last event where it does not go on, by a clock that is behind, and in the causal order', () => {
    const fold = waiting();
    expect(endOf(fold, 'wall')).toBe(200);
    expect(endOf(fold, 'wall', 900)).toBe(200);
    expect(endOf(fold, 'causal', 9_000)).toBe(fold.rankMax);
  });

  it('has waits that are as long as they were at an event before the last one', () => {
    const fold = waiting();
    const [wait] = fold.lanes[0]?.waits ?? [];
    fold.take({
      type: 'SuiteStarted',
      data: { member: 'a', suite: 's' },
      meta: { at: 1_500 },
    } as unknown as RecordedEvent);
    expect(heldFor(fold, wait!, 1, 9_000)).toBe(0);
    expect(heldFor(fold, wait!, 2)).toBe(300);
  });
});
