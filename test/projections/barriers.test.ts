/** Who arrived at a barrier, who is missing, and how each of its waits stands: from the events alone. */
import { describe, expect, it } from 'vitest';
import { barriersOf } from '../../projections/barriers.ts';
import { BarrierView, iso } from '../../projections/views.ts';
import { anyHistory, type History, labOf, play } from '../machines/history.ts';
import { Lab } from '../machines/lab.ts';
import { assertHolds, isCaught } from '../machines/runs.ts';
import { START } from '../machines/spec.ts';

const view = (lab: Lab) => barriersOf(lab.events);
const at = (seconds: number) => iso(START + seconds * 1000);

describe('a barrier', () => {
  it('is there from the first wait at it, with who has arrived and who is missing, in group order', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.pass(5);
    lab.sync('c', 'ready');
    lab.pass(5);
    lab.sync('a', 'ready');
    expect(view(lab)).toEqual([
      {
        id: 'ready',
        verb: 'sync',
        round: 1,
        arrived: ['a', 'c'],
        missing: ['b'],
        released: false,
        since: at(5),
        arrivals: [
          { member: 'c', at: at(5) },
          { member: 'a', at: at(10) },
        ],
        last: 'a',
        waits: [
          { wait: 1, member: 'c', since: at(5), outcome: 'open' },
          { wait: 2, member: 'a', since: at(10), outcome: 'open' },
        ],
      },
    ]);
  });

  it('is released when all have come, and says who came last and whom that released', () => {
    const lab = new Lab('a:r b:r c:r');
    for (const member of ['c', 'a', 'b']) {
      lab.pass(1);
      lab.sync(member, 'ready');
    }
    expect(view(lab)).toMatchObject([
      {
        arrived: ['a', 'b', 'c'],
        missing: [],
        released: true,
        last: 'b',
        waits: [
          { member: 'c', outcome: 'released', by: 'b', endedAt: at(3) },
          { member: 'a', outcome: 'released', by: 'b' },
          { member: 'b', outcome: 'released' },
        ],
      },
    ]);
  });

  it('says who came last by the log, also when all came within one millisecond', () => {
    const lab = new Lab('a:r b:r c:r');
    for (const member of ['c', 'b', 'a']) lab.sync(member, 'ready');
    const [barrier] = view(lab);
    expect(barrier?.arrivals.map((a) => a.member)).toEqual(['c', 'b', 'a']);
    expect(barrier?.last).toBe('a');
  });

  it('is another one in the next round', () => {
    const lab = new Lab('a:r b:r');
    for (const member of ['a', 'b', 'a']) lab.sync(member, 'ready');
    expect(view(lab).map((b) => [b.round, b.released, b.missing])).toEqual([
      [1, true, []],
      [2, false, ['b']],
    ]);
  });

  it('is another one for another verb, id or role; they stand in the order of their first waits', () => {
    const lab = new Lab('a:client b:server c:server');
    lab.waitAll('a', 'x', 'server');
    lab.wait('b', 'x');
    lab.waitAll('c', 'x');
    lab.waitAll('a', 'x', 'server');
    const barriers = view(lab);
    expect(barriers.map((b) => [b.verb, b.id, b.role])).toEqual([
      ['wait-all', 'x', 'server'],
      ['wait', 'x', undefined],
      ['wait-all', 'x', undefined],
    ]);
    expect(barriers[0]?.waits.map((w) => w.wait)).toEqual([1, 4]);
  });

  it('of a role counts that role alone', () => {
    const lab = new Lab('a:client b:server c:server d:client');
    lab.send('d', 'x');
    lab.send('c', 'x');
    lab.waitAll('a', 'x', 'server');
    expect(view(lab)).toMatchObject([{ role: 'server', arrived: ['c'], missing: ['b'] }]);
  });

  it('counts its only waiter where all count, and leaves it out where others count', () => {
    for (const countsSelf of [true, false]) {
      const lab = new Lab('a:r b:r', { countsSelf, onUnreachable: 'wait' });
      lab.waitAll('a', 'x');
      expect(view(lab)[0]?.missing).toEqual(countsSelf ? ['a', 'b'] : ['b']);
    }
  });

  it('of a lava-wait misses nobody any more once one has come', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.wait('a', 'x');
    expect(view(lab)[0]).toMatchObject({ arrived: [], missing: ['b', 'c'], released: false });
    lab.send('c', 'x');
    expect(view(lab)[0]).toMatchObject({ arrived: ['c'], missing: [], released: true, last: 'c' });
  });

  it('knows arrivals from before the first wait, with their own time', () => {
    const lab = new Lab('a:r b:r');
    lab.send('b', 'x');
    lab.pass(60);
    lab.waitAll('a', 'x');
    expect(view(lab)[0]).toMatchObject({
      since: at(60),
      arrivals: [{ member: 'b', at: at(0) }],
      waits: [{ outcome: 'released' }],
    });
  });

  it('whose killed wait was taken up again goes by the later wait', () => {
    const lab = new Lab('a:r b:r');
    lab.abandon(lab.sync('a', 'x'));
    lab.sync('a', 'x');
    lab.sync('b', 'x');
    const [barrier] = view(lab);
    expect(barrier?.waits.map((w) => w.outcome)).toEqual(['abandoned', 'released', 'released']);
    expect(barrier?.released).toBe(true);
  });

  it('tells of each wait that failed why it did', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.waitAll('a', 'x');
    lab.wait('c', 'y');
    lab.fail('b', 'no power');
    lab.pass(600);
    lab.do({ type: 'TimeOutAction', member: 'c', action: 0 });
    const [x, y] = view(lab).map((b) => b.waits[0]);
    expect(x).toMatchObject({
      outcome: 'unreachable',
      reason: expect.stringContaining('no power'),
    });
    expect(y).toMatchObject({ outcome: 'timedOut', reason: expect.stringContaining('a (r)') });
    expect(view(lab).map((b) => b.released)).toEqual([false, false]);
  });

  it('tells which waits are stuck, for as long as they are', () => {
    const lab = new Lab('a:r b:r');
    lab.waitAll('a', 'x');
    lab.waitAll('b', 'y');
    expect(view(lab).map((b) => b.waits[0]?.stuck)).toEqual(['deadlocked', 'deadlocked']);
    lab.send('a', 'y');
    expect(view(lab).map((b) => b.waits[0]?.stuck)).toEqual([undefined, undefined]);
  });

  it('is not there in a job that never waited', () => {
    const lab = new Lab('a:r b:r');
    lab.send('a', 'x');
    expect(view(lab)).toEqual([]);
  });
});

describe('the barriers of any history', () => {
  /** Every wait is at one barrier, as the log tells its outcome, and arrivals are those who arrived. */
  const tellTheLog =
    (barriers: typeof barriersOf) =>
    ([group, ops]: History): void => {
      const lab = play(labOf(group), ops);
      const views = barriers(lab.events);
      for (const barrier of views) {
        expect(BarrierView.parse(barrier)).toEqual(barrier);
        expect(barrier.arrivals.map((a) => a.member).sort()).toEqual([...barrier.arrived].sort());
        expect(barrier.missing.filter((m) => barrier.arrived.includes(m))).toEqual([]);
        expect(barrier.last).toBe(barrier.arrivals.at(-1)?.member);
      }
      const told = views.flatMap((b) => b.waits).sort((one, other) => one.wait - other.wait);
      expect(told.map((w) => [w.wait, w.member, w.outcome])).toEqual(
        lab.all('WaitStarted').map((w) => [w.wait, w.member, lab.is(w.wait)]),
      );
    };

  it('tell every wait with its outcome, and are of the published shape', () =>
    assertHolds(anyHistory, tellTheLog(barriersOf), 200));

  it('are caught when waits of the same question of different rounds share a barrier', () => {
    const merged: typeof barriersOf = (events) =>
      barriersOf(events).filter((b, i, all) => all.findIndex((o) => o.id === b.id) === i);
    isCaught(anyHistory, tellTheLog(merged));
  });
});
