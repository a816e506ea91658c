/** The combined results of a group: what boards recorded, and a case for each call of the API (SEMANTICS 2.3). */
import { describe, expect, it } from 'vitest';
import { resultsOf } from '../../projections/results.ts';
import { CaseView, iso } from '../../projections/views.ts';
import { anyHistory, type History, labOf, play } from '../machines/history.ts';
import { Lab } from '../machines/lab.ts';
import { assertHolds, isCaught } from '../machines/runs.ts';
import { START } from '../machines/spec.ts';

const cases = (lab: Lab) => resultsOf(lab.events).cases;
/** `member case result`, one a case. */
const lines = (lab: Lab) => cases(lab).map((c) => `${c.device} ${c.case} ${c.result}`);
const result = (member: string, id: string, is: 'pass' | 'fail' | 'skip' | 'unknown' = 'pass') =>
  ({ type: 'RecordResult', member, case: id, result: is }) as const;

describe('recorded cases', () => {
  it('stand in the order of the log, with all that was recorded', () => {
    const lab = new Lab('a:client b:server');
    lab.do({ type: 'StartSuite', member: 'b', suite: '0_iperf' });
    lab.pass(5);
    const measured = { measurement: '93.5', units: 'Mbit/s', set: 'net', note: 'status 0' };
    lab.do({ ...result('b', 'bandwidth'), ...measured });
    lab.do(result('a', 'ping', 'fail'));
    expect(cases(lab)).toEqual([
      {
        device: 'b',
        role: 'server',
        suite: '0_iperf',
        case: 'bandwidth',
        result: 'pass',
        ...measured,
        value: 93.5,
        counts: true,
        at: iso(START + 5000),
      },
      {
        device: 'a',
        role: 'client',
        suite: 'lava',
        case: 'ping',
        result: 'fail',
        counts: true,
        at: iso(START + 5000),
      },
    ]);
  });

  it('recorded twice are both kept, in order, and the last one counts', () => {
    const lab = new Lab('a:r');
    lab.do(result('a', 'ping', 'fail'));
    lab.do(result('a', 'ping', 'pass'));
    expect(lines(lab)).toEqual(['a ping fail', 'a ping pass']);
    expect(cases(lab).map((c) => c.counts)).toEqual([false, true]);
    expect(resultsOf(lab.events).summary).toEqual({ pass: 1, fail: 0, skip: 0, unknown: 0 });
  });

  it('of the same name on different boards, in different suites or sets, are different cases', () => {
    const lab = new Lab('a:r b:r');
    for (const member of ['a', 'b'])
      for (const suite of ['s1', 's2'])
        for (const set of ['t1', 't2']) lab.do({ ...result(member, 'ping', 'skip'), suite, set });
    expect(resultsOf(lab.events).summary).toEqual({ pass: 0, fail: 0, skip: 8, unknown: 0 });
  });
});

describe('a call of the API is a case', () => {
  it('lava-send passes', () => {
    const lab = new Lab('a:r b:r');
    lab.send('a', 'x');
    expect(lines(lab)).toEqual(['a multinode-send-x pass']);
  });

  it('a wait is one when it ends, not before, and it passes when it was released', () => {
    const lab = new Lab('a:r b:r');
    lab.wait('a', 'x');
    lab.waitAll('a', 'x');
    expect(lines(lab)).toEqual([]);
    lab.send('b', 'x');
    expect(lines(lab)).toEqual([
      'b multinode-send-x pass',
      'a multinode-wait-x pass',
      'a multinode-wait-all-x pass',
    ]);
  });

  it('lava-sync is one case, not a send and a wait', () => {
    const lab = new Lab('a:r b:r');
    lab.sync('a', 'x');
    lab.sync('b', 'x');
    expect(lines(lab)).toEqual(['a multinode-sync-x pass', 'b multinode-sync-x pass']);
  });

  it('fails when its wait was unreachable, with who was missing and why', () => {
    const lab = new Lab('a:r b:r');
    lab.waitAll('a', 'x');
    lab.fail('b', 'no power');
    expect(cases(lab)).toMatchObject([
      {
        case: 'multinode-wait-all-x',
        result: 'fail',
        note: expect.stringMatching(/b \(r\).*no power/),
      },
    ]);
  });

  it('fails when its wait timed out, with who was missing', () => {
    const lab = new Lab('a:r b:r');
    lab.sync('a', 'x');
    lab.pass(600);
    lab.do({ type: 'TimeOutAction', member: 'a', action: 0 });
    expect(cases(lab)).toMatchObject([
      {
        case: 'multinode-sync-x',
        result: 'fail',
        note: expect.stringMatching(
          /^timed out \(limit of the action\): b is missing\nb \(r\): runs action 0/,
        ),
      },
    ]);
  });

  it('fails when its wait was given up', () => {
    const lab = new Lab('a:r b:r');
    lab.abandon(lab.wait('a', 'x'));
    expect(cases(lab)).toMatchObject([
      {
        case: 'multinode-wait-x',
        result: 'fail',
        note: 'was given up: the verb was ended before its wait was over',
      },
    ]);
  });

  it('fails with the reason when it was refused, where there is an id', () => {
    const lab = new Lab('a:r b:r');
    lab.call('a', 'wait-all', 'x', 'nobody');
    lab.call('a', 'send', 'bad id');
    lab.call('a', 'sync');
    expect(cases(lab)).toMatchObject([
      {
        case: 'multinode-wait-all-x',
        result: 'fail',
        note: expect.stringContaining('no role "nobody"'),
      },
    ]);
  });

  it('is in the suite that its member is in at that moment, `lava` when there is none', () => {
    const lab = new Lab('a:r b:r');
    lab.send('a', 'before');
    lab.do({ type: 'StartSuite', member: 'a', suite: '0_one' });
    lab.send('a', 'in');
    lab.do({ type: 'EndSuite', member: 'a', suite: '0_one' });
    lab.do({ type: 'StartSuite', member: 'a', suite: '1_two' });
    lab.send('a', 'in');
    lab.send('b', 'other');
    expect(cases(lab).map((c) => `${c.suite} ${c.device} ${c.case}`)).toEqual([
      'lava a multinode-send-before',
      '0_one a multinode-send-in',
      '1_two a multinode-send-in',
      'lava b multinode-send-other',
    ]);
  });
});

describe('the results of any history', () => {
  /** One case a recorded result, a send, a refusal with an id and an ended wait; each once, in the log's order. */
  const countEveryCall =
    (results: typeof resultsOf) =>
    ([group, ops]: History): void => {
      const lab = play(labOf(group), ops);
      const { cases: all, summary } = results(lab.events);
      for (const one of all) expect(CaseView.parse(one)).toEqual(one);
      const wanted =
        lab.all('ResultRecorded').length +
        lab.all('MessageSent').filter((m) => m.verb === 'send').length +
        lab.all('RequestRefused').filter((r) => r.message !== undefined).length +
        lab.outcomes.size;
      expect(all).toHaveLength(wanted);
      const passed = [...lab.outcomes.values()].filter(({ how }) => how === 'released').length;
      const waits = all.filter((c) => /^multinode-(wait|sync)/.test(c.case) && c.result === 'pass');
      expect(waits).toHaveLength(passed);
      const times = all.map((c) => c.at);
      expect(times).toEqual([...times].sort());
      const different = new Set(all.map((c) => JSON.stringify([c.device, c.suite, c.set, c.case])));
      expect(summary.pass + summary.fail + summary.skip + summary.unknown).toBe(different.size);
      expect(all.filter((c) => c.counts)).toHaveLength(different.size);
    };

  it('count every call once', () => assertHolds(anyHistory, countEveryCall(resultsOf), 200));

  it('are caught when an abandoned wait is no case', () => {
    const silent: typeof resultsOf = (events) =>
      resultsOf([...events].filter((e) => e.type !== 'WaitAbandoned'));
    isCaught(anyHistory, countEveryCall(silent));
  });

  it('grow at the end only: what the first half says stays', () =>
    assertHolds(
      anyHistory,
      ([group, ops]) => {
        const { events } = play(labOf(group), ops);
        const said = (of: typeof events) =>
          resultsOf(of).cases.map(({ counts: _, ...stays }) => stays);
        const half = said(events.slice(0, events.length / 2));
        expect(said(events).slice(0, half.length)).toEqual(half);
      },
      100,
    ));
});
