/** All orders of a conversation that causality allows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Explored, explore } from '../../answers/interleave.ts';
import { recordingOf } from '../../answers/recorded-steps.ts';
import type { Verb } from '../../machines/events.ts';
import { Lab } from '../machines/lab.ts';
import { assertHolds, isCaught } from '../machines/runs.ts';

const explored = (
  lab: Pick<Lab, 'events'>,
  options: { isFull?: boolean; statesMax?: number } = {},
): Explored => {
  const recording = recordingOf(lab.events);
  if (recording === undefined) throw new Error('it was never allocated');
  return explore(recording, { statesMax: 50_000, ...options });
};

interface Say {
  member: number;
  verb: Verb | 'abandon' | 'end';
  id: string;
  value: string;
}
const anySay: fc.Arbitrary<Say> = fc.record({
  member: fc.nat(2),
  verb: fc.constantFrom('send', 'send', 'wait', 'wait-all', 'sync', 'abandon', 'end'),
  id: fc.constantFrom('x', 'y'),
  value: fc.constantFrom('', '1', '2'),
});

/** A small conversation: each says something when it does not wait. */
function spoken(says: readonly Say[]): Lab {
  const lab = new Lab('m0:r m1:r m2:s', { onUnreachable: 'wait' });
  for (const { member, verb, id, value } of says) {
    const is = lab.member(`m${member}`);
    const { device } = is;
    if (is.ended !== null) continue;
    const [open] = lab.state.conversation.waitsOfMember[member]?.flat() ?? [];
    if (verb === 'abandon') {
      if (open !== undefined) lab.abandon(open.wait);
    } else if (open !== undefined) continue;
    else if (verb === 'end')
      lab.try({ type: 'EndAction', member: device, action: 0, outcome: 'ok' });
    else lab.call(device, verb, ...(verb === 'send' && value !== '' ? [id, `k=${value}`] : [id]));
  }
  return lab;
}
const conversation = fc.array(anySay, { maxLength: 9 });

const outcomes = ({ ends, races }: Explored) => ({
  ends: Object.entries(ends)
    .filter(([, count]) => count > 0)
    .map(([outcome]) => outcome)
    .sort(),
  races: races
    .map(({ member, event, reads }) => [member, event, reads.map((r) => r.join()).sort()])
    .sort(),
});

describe('the orders of a conversation', () => {
  it('come out the same when only those are taken that can be told apart, and are fewer', () => {
    let [few, many] = [0, 0];
    assertHolds(
      conversation,
      (says: Say[]) => {
        const lab = spoken(says);
        const reduced = explored(lab);
        const full = explored(lab, { isFull: true });
        expect([reduced.all, full.all]).toEqual([true, true]);
        expect(outcomes(reduced)).toEqual(outcomes(full));
        expect(reduced.states).toBeLessThanOrEqual(full.states);
        few += reduced.states;
        many += full.states;
      },
      100,
    );
    expect(few * 3).toBeLessThan(many);
  });

  it('lose outcomes when not all that can be told apart are taken: the property sees it', () => {
    isCaught(conversation, (says: Say[]) => {
      const lab = spoken(says);
      expect(outcomes(explored(lab, { statesMax: 8 }))).toEqual(
        outcomes(explored(lab, { isFull: true })),
      );
    });
  });

  it('are one where nothing depends on the order', () => {
    const lab = new Lab('a:r b:r c:r');
    for (const member of ['a', 'b', 'c']) lab.send(member, `of-${member}`, 'k=1');
    for (const member of ['a', 'b', 'c']) lab.sync(member, 'ready');
    for (const member of ['a', 'b', 'c']) lab.endAction(member);
    const { ends, all, races, states } = explored(lab);
    expect([ends, all, races]).toEqual([
      { complete: 1, failed: 0, hangs: 0, unknown: 0 },
      true,
      [],
    ]);
    expect(states).toBeLessThan(30);
  });

  it('find that a wait reads another value when its two senders come the other way round', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.send('a', 'ip', 'ip=1');
    lab.send('b', 'ip', 'ip=2');
    lab.wait('c', 'ip');
    for (const member of ['a', 'b', 'c']) lab.endAction(member);
    const { races, all } = explored(lab);
    expect(all).toBe(true);
    expect(races).toMatchObject([{ member: 'c' }]);
    expect(races[0]?.reads.map((lines) => lines.join()).sort()).toEqual(['ip=1', 'ip=2']);
  });

  it('find the shortest that hangs where a script gives a wait up and goes on without what it sent for', () => {
    const lab = new Lab('a:r b:r', { onUnreachable: 'wait' });
    // a waits ten seconds for b, which comes in time; then both meet.
    const wait = lab.wait('b', 'go');
    lab.send('a', 'go');
    expect(lab.is(wait)).toBe('released');
    const late = lab.wait('a', 'late');
    lab.abandon(late);
    lab.sync('a', 'end');
    lab.send('b', 'late');
    lab.sync('b', 'end');
    for (const member of ['a', 'b']) lab.endAction(member);
    const { ends, shortest, all } = explored(lab);
    expect([all, ends.hangs, ends.complete > 0]).toEqual([true, 0, true]);
    expect(shortest.complete?.steps.length).toBeGreaterThan(0);
  });

  it('say that they are not all when there are more than it looks at', () => {
    const lab = new Lab('a:r b:r c:r');
    for (let i = 0; i < 4; i++) for (const m of ['a', 'b', 'c']) lab.send(m, 'ip', `ip=${m}${i}`);
    lab.wait('a', 'ip');
    expect(explored(lab, { statesMax: 50 })).toMatchObject({ all: false, states: 50 });
  });

  it('are said to be all exactly when none was left out', () => {
    assertHolds(
      conversation,
      (says: Say[]) => {
        const lab = spoken(says);
        const { states, all } = explored(lab);
        expect(all).toBe(true);
        expect(explored(lab, { statesMax: states })).toMatchObject({ all: true, states });
        if (states < 2) return;
        expect(explored(lab, { statesMax: states - 1 }).all).toBe(false);
      },
      100,
    );
  });

  it('hang in every order where a wait was never heard', () => {
    const lab = new Lab('a:r b:r', { onUnreachable: 'wait' });
    lab.sync('a', 'raedy');
    lab.sync('b', 'ready');
    const { ends, shortest } = explored(lab);
    expect(ends).toEqual({ complete: 0, failed: 0, hangs: 1, unknown: 0 });
    expect(shortest.hangs?.job.conversation.waits.flat()).toHaveLength(2);
  });
});
