/** Which arrows are painted on the lanes: a few by themselves, what one send released on many lanes as one bundle. */
import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../machines/events.ts';
import { type ArrowSight, arrowsInSight, arrowsOf } from '../../web/job/arrows.ts';
import { JobFold } from '../../web/job/fold.ts';

/** So many members meet in so many syncs; the last of them comes last. */
function meeting(members: number, rounds = 1, culprit?: string): JobFold {
  const fold = new JobFold();
  let at = 0;
  const take = (type: string, data: object) =>
    fold.take({ type, data, meta: { at: at++ } } as unknown as RecordedEvent);
  const names = Array.from({ length: members }, (_, n) => `b${n}`);
  const last = names.at(-1);
  take('JobAllocated', { members: names.map((device) => ({ device, role: 'peer' })) });
  let wait = 0;
  for (let round = 1; round <= rounds; round++) {
    const is = { verb: 'sync', message: 'end', round };
    for (const [n, member] of names.entries()) {
      take('MessageSent', { member, ...is, count: round, pairs: [] });
      take('WaitStarted', { member, ...is, wait: wait + n, missing: [], missingCount: 0 });
    }
    for (const [n, member] of names.entries())
      take('WaitReleased', { member, wait: wait + n, by: last });
    wait += members;
  }
  if (culprit !== undefined) take('JobFailed', { member: culprit, reason: 'so' });
  return fold;
}

const sight = (fold: JobFold, more: Partial<ArrowSight> = {}): ArrowSight => ({
  ...{ fold, width: 10_000, firstLane: 0, lastLane: 25, chosenLane: -1 },
  x: (index) => index,
  ...more,
});

describe('the arrows of a barrier', () => {
  it('of a few members are each a line', () => {
    const { bundles, lines } = arrowsInSight(sight(meeting(9)));
    expect(bundles).toEqual([]);
    expect(lines.map(({ lane, to }) => [lane, to.length])).toEqual([[8, 8]]);
  });

  it('of 128 members are one bundle, from who came last to each that it released', () => {
    const { bundles, lines } = arrowsInSight(sight(meeting(128)));
    expect(lines).toEqual([]);
    expect(bundles.map(({ fan, hasHeads }) => [fan.lane, fan.to.length, hasHeads])).toEqual([
      [127, 127, true],
    ]);
  });

  it('are told one by one for the lane that is chosen, and for the one that ended the job', () => {
    const chosen = arrowsInSight(sight(meeting(128, 1, 'b9'), { chosenLane: 5 }));
    expect(chosen.bundles).toHaveLength(1);
    expect(chosen.lines.flatMap(({ to }) => to.map(({ lane }) => lane))).toEqual([5, 9]);
  });

  it('thin where they lie close: first without heads, then one for all that are on the same spot', () => {
    const fold = meeting(20, 40);
    const at = (scale: number) =>
      arrowsInSight(sight(fold, { x: (index) => index * scale })).bundles;
    expect(at(1).map(({ hasHeads }) => hasHeads)).toEqual(Array(40).fill(true));
    expect(at(0.1).map(({ hasHeads }) => hasHeads)).toEqual([true, ...Array(39).fill(false)]);
    expect(at(0.01).length).toBeLessThan(10);
  });

  it('are left out where too many single ones are in sight, but for the lanes that matter', () => {
    const fold = meeting(3, 700);
    expect(arrowsInSight(sight(fold)).lines).toEqual([]);
    const lanes = arrowsInSight(sight(fold, { chosenLane: 0 })).lines.map(({ to }) => to);
    expect(lanes).toHaveLength(700);
    expect(lanes.every((to) => to.every(({ lane }) => lane === 0))).toBe(true);
  });

  it('are known by the send, by a release, and by the wait that it ended', () => {
    const fold = meeting(128);
    const ofType = (type: string) =>
      fold.events.flatMap((event, n) => (event.type === type ? [n] : []));
    const [waits, sends, ends] = ['WaitStarted', 'MessageSent', 'WaitReleased'].map(ofType);
    expect(arrowsOf(fold, sends?.at(-1) ?? 0)).toHaveLength(127);
    expect(arrowsOf(fold, sends?.[0] ?? 0)).toEqual([]);
    const [of] = arrowsOf(fold, waits?.[3] ?? 0);
    expect([of?.fromLane, of?.toLane]).toEqual([127, 3]);
    expect(arrowsOf(fold, ends?.[3] ?? 0)).toEqual([of]);
    expect(arrowsOf(fold, 0)).toEqual([]);
  });
});
