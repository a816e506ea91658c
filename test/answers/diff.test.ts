/** Two runs beside one another. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DiffView } from '../../answers/compared-views.ts';
import { compare } from '../../answers/diff.ts';
import { diffOf, goodRun } from '../../answers/diff-view.ts';
import { HappensBefore, isBefore } from '../../answers/happens-before.ts';
import { factsOf } from '../../answers/run-facts.ts';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { evolveJob, initialJob } from '../../machines/job/job.ts';
import { anyHistory, type History, labOf, play } from '../machines/history.ts';
import { bootOf, Lab } from '../machines/lab.ts';
import { assertHolds, isCaught } from '../machines/runs.ts';
import { evidenceOf } from './evidence.ts';

type Events = readonly RecordedEvent<JobEvent>[];

/** The same job on other boards: every name is another one, wherever it stands. */
function renamed(events: Events): Events {
  const text = JSON.stringify(events).replace(/"m(\d)"/g, '"board-$1x"');
  return JSON.parse(text) as Events;
}

/** The same job in another order of the log that causality allows, as far as the rules take it. */
function reordered(events: Events, picks: readonly number[]): Events {
  let all = [...events];
  for (const pick of picks) {
    const at = 2 + (pick % Math.max(1, all.length - 3));
    const [one, other] = [all[at], all[at + 1]];
    if (one === undefined || other === undefined || !areConcurrent(all, at)) continue;
    const swapped = all
      .with(at, other)
      .with(at + 1, one)
      .map((event, i) => ({ ...event, version: i + 1 }));
    if (isTaken(swapped)) all = swapped;
  }
  return all;
}

function areConcurrent(events: Events, at: number): boolean {
  const order = new HappensBefore();
  const places = events.slice(0, at + 2).map((event) => order.take(event));
  const [one, other] = places.slice(-2);
  return (
    one !== undefined && other !== undefined && one.host !== other.host && !isBefore(one, other)
  );
}

function isTaken(events: Events): boolean {
  try {
    events.reduce(evolveJob, initialJob);
    return true;
  } catch {
    return false;
  }
}

const lab = (history: History) => play(labOf(history[0]), history[1]);
const diff = (good: Pick<Lab, 'events'>, bad: Pick<Lab, 'events'>) => {
  const view = diffOf(evidenceOf(good), { ...evidenceOf(bad), job: 2 }, false);
  expect(DiffView.parse(view)).toEqual(view);
  return view;
};

describe('a run beside itself', () => {
  it('does not differ: not from itself, not on other boards, and not in another order of its log', () => {
    let swaps = 0;
    assertHolds(
      fc.tuple(anyHistory, fc.array(fc.nat(200), { maxLength: 20 })),
      ([history, picks]) => {
        const { events } = lab(history);
        const other = reordered(events, picks);
        if (other.some(({ id }, at) => events[at]?.id !== id)) swaps++;
        for (const run of [events, renamed(events), other, renamed(other)]) {
          const { divergences, alone } = compare(events, run);
          expect(divergences).toEqual([]);
          expect(alone).toEqual({ good: [], bad: [] });
        }
        const view = diff({ events: [...events] }, { events: [...renamed(other)] });
        expect([view.equal, view.changed, view.timing]).toEqual([true, [], []]);
      },
      60,
    );
    expect(swaps).toBeGreaterThan(5);
  });

  it('differs when it lacks what a board did: the property above sees it', () => {
    isCaught(anyHistory, (history: History) => {
      const { events } = lab(history);
      const gone = events.findLast(
        ({ type }) => type === 'MessageSent' || type === 'ResultRecorded',
      );
      const bad = events.filter((event) => event !== gone);
      expect(compare(events, bad).divergences).toEqual([]);
    });
  });

  it('does not differ when the members of a role stand in another order in the group', () => {
    const run = (first: string, second: string) => {
      const is = new Lab(`${first}:r ${second}:r s:server`);
      is.send('x', 'from-x');
      is.send('y', 'from-y');
      is.sync('s', 'end');
      is.sync('x', 'end');
      is.sync('y', 'end');
      return is;
    };
    expect(diff(run('x', 'y'), run('y', 'x'))).toMatchObject({ equal: true });
  });
});

/** A server that brings itself up and two clients that wait for it. */
function run(
  change: Partial<{
    id: string;
    dies: boolean;
    silent: boolean;
    lateSeconds: number;
    result: 'pass' | 'fail';
  }> = {},
): Lab {
  const is = new Lab('s:server a:client b:client', { onUnreachable: 'wait' });
  is.pass(10 + (change.lateSeconds ?? 0));
  if (change.dies) is.fail('s', 'no network');
  else if (!change.silent) is.send('s', change.id ?? 'up', 'ip=1');
  for (const member of ['a', 'b']) {
    is.pass(1);
    is.wait(member, 'up');
    if (is.member(member).ended === null && is.member(member).openWaits === 0)
      is.do({ type: 'RecordResult', member, case: 'ping', result: change.result ?? 'pass' });
  }
  for (const member of ['s', 'a', 'b'])
    if (is.member(member).ended === null && is.member(member).openWaits === 0) is.endAction(member);
  is.pass(600);
  for (const member of ['a', 'b']) is.try({ type: 'TimeOutAction', member, action: 0 });
  return is;
}

describe('the first divergence', () => {
  it('is the message that was sent under another id, and not the waits that timed out for it', () => {
    const view = diff(run(), run({ id: 'pu' }));
    expect(view.first).toMatchObject({
      kind: 'other-call',
      boards: { role: 'server', index: 0, bad: 's' },
      says: 's (server) called lava-send pu ip= where the good run called lava-send up ip=',
    });
    expect(view.others).toHaveLength(2);
    expect(view.beforeFailure).toBe(true);
    expect(view.first?.before.bad.length).toBeGreaterThan(0);
  });

  it('is the call that did not come, though nothing shows it before those who wait for it time out', () => {
    const silent = diff(run(), run({ silent: true }));
    expect(silent.first).toMatchObject({ boards: { bad: 's' }, kind: 'missing-call' });
    expect(silent.first?.says).toBe(
      's (server) came to the end of action 0 (ok) without lava-send up ip=',
    );
  });

  it('is the board that died', () => {
    const view = diff(run(), run({ dies: true }));
    expect(view.first).toMatchObject({ boards: { bad: 's' }, kind: 'missing-call' });
    expect(view.failure?.says).toContain('no network');
  });

  it('is said not to come before a test that honestly fails', () => {
    const view = diff(run(), run({ result: 'fail' }));
    expect(view.first).toMatchObject({ kind: 'other-outcome' });
    expect(view.beforeFailure).toBe(false);
    expect(diff(run(), run())).not.toHaveProperty('beforeFailure');
  });

  it('is a value that is not there any more, while another value is none', () => {
    const sends = (value: string) => {
      const is = new Lab('s:server c:client');
      is.send('s', 'up', `ip=${value}`);
      is.endAction('s');
      return is;
    };
    expect(diff(sends('10.0.0.1'), sends('')).first?.says).toBe(
      "s (server) called lava-send up ip='' where the good run called lava-send up ip=",
    );
    expect(diff(sends('10.0.0.1'), sends('10.0.0.2'))).toMatchObject({
      equal: true,
      noise: [{ what: 'values and measurements that differ', count: 1 }],
    });
  });

  it('has beside it a board that took longer to boot, and not those who wait for it longer', () => {
    const boots = (seconds: number) => {
      const is = new Lab('s:server c:client', { unbooted: true });
      for (const step of bootOf('c')) is.do(step);
      is.sync('c', 'up');
      is.do({ type: 'StartBoot', member: 's' });
      is.pass(seconds);
      is.do({ type: 'ConfirmBoot', member: 's' });
      is.do({ type: 'StartAction', member: 's', action: 0 });
      is.sync('s', 'up');
      return is;
    };
    expect(diff(boots(3), boots(43)).timing).toEqual([
      expect.objectContaining({ device: 's', what: 'the end of its boot', seconds: 43, usual: 3 }),
    ]);
    expect(diff(boots(3), boots(4)).timing).toEqual([]);
  });

  it('leaves out what comes later behind it: that is another thing', () => {
    const runs = (seconds: number, isCancelled: boolean) => {
      const is = new Lab('s:server c:client');
      is.sync('s', 'up');
      is.sync('c', 'up');
      is.pass(seconds);
      if (isCancelled) is.do({ type: 'CancelJob', reason: 'the lab moves' });
      else for (const member of ['s', 'c']) is.endAction(member);
      return is;
    };
    expect(diff(runs(0, false), runs(60, true)).timing).toEqual([]);
    expect(diff(runs(0, false), runs(60, false)).timing).not.toEqual([]);
  });

  it('is none where roles stand in another order, and that is no change', () => {
    const runs = (group: string) => {
      const is = new Lab(group);
      is.sync('s', 'up');
      is.sync('c', 'up');
      return is;
    };
    const view = diff(runs('s:server c:client'), runs('c:client s:server'));
    expect([view.equal, view.changed]).toEqual([true, []]);
    expect(view.noise).toEqual([{ what: 'roles that stand in another order', count: 2 }]);
  });

  it('has beside it what came later than in the last runs, and the commits that are others', () => {
    const past = [1, 2, 3].map((job) => factsOf(job, run({ lateSeconds: job / 10 }).events));
    const late = { ...evidenceOf(run({ lateSeconds: 40 })), job: 9, past };
    const view = diffOf(evidenceOf(run()), late, true);
    expect(view.past).toEqual([1, 2, 3]);
    expect(view.timing[0]).toMatchObject({
      device: 's',
      what: 'lava-send up ip=',
      seconds: 50,
      runs: 3,
    });
    expect(goodRun(late)).toBe(1);
    expect(() => goodRun({ job: 9, past: [] })).toThrow('has passed before it');
    const from = (commit: string) => {
      const is = new Lab('a:r');
      const source = {
        from: 'git',
        repository: 'https://g.example',
        path: 's.yaml',
        commit,
      } as const;
      is.do({
        type: 'PrepareSuite',
        member: 'a',
        action: 0,
        suite: '0_s',
        source,
        parameters: [['N', commit[0] ?? '']],
      });
      return is;
    };
    expect(diff(from('1111'), from('2222')).changed).toEqual([
      { what: 'commit', where: 'r 0_s', good: '1111', bad: '2222' },
      { what: 'parameters', where: 'r 0_s', good: 'N=1', bad: 'N=2' },
    ]);
  });
});
