/** How waits, members and jobs end (SEMANTICS 2.3): failed waits, limits, cancel, raise, reboots, first causes. */
import { describe, expect, it } from 'vitest';
import { deadlinesOf, nextStep } from '../../machines/job/next.ts';
import { boot, Lab, testShell } from './lab.ts';

const twoShells = { actions: [testShell(), testShell()] };

describe('a wait that failed', () => {
  /** a's wait is unreachable because b ended; c is still there. */
  function failedWait(over = {}) {
    const lab = new Lab('a:r b:r c:r', over);
    lab.waitAll('a', 'x');
    lab.fail('b');
    return lab;
  }

  it('lets the script go on: the member may still send, wait and record', () => {
    const lab = failedWait();
    expect(lab.member('a')).toMatchObject({ state: 'booted', ended: null });
    lab.send('a', 'logs');
    lab.do({ type: 'RecordResult', member: 'a', case: 'dmesg', result: 'pass' });
    lab.send('c', 'y');
    expect(lab.is(lab.wait('a', 'y'))).toBe('released');
  });

  it('makes the member end failed when its action ends, with the wait as the reason', () => {
    const lab = failedWait();
    lab.endAction('a');
    expect(lab.member('a').state).toBe('failed');
    expect(lab.all('MemberFailed').at(-1)).toEqual({
      member: 'a',
      reason: expect.stringContaining('lava-wait-all x can never be released'),
    });
  });

  it('keeps every later action from running', () => {
    const lab = failedWait(twoShells);
    lab.endAction('a');
    expect(lab.member('a').state).toBe('failed');
    expect(nextStep(lab.state, lab.member('a'))).toEqual({ do: 'nothing' });
    expect(lab.try({ type: 'StartAction', member: 'a', action: 1 })).toMatchObject({
      code: 'member-ended',
    });
  });

  it('of a background process between two actions keeps the later one from running too', () => {
    const lab = new Lab('a:r b:r', twoShells);
    lab.waitAll('a', 'x');
    lab.endAction('a');
    expect(lab.member('a')).toMatchObject({ state: 'waiting', action: null });
    lab.fail('b');
    lab.try({ type: 'StartAction', member: 'a', action: 1 });
    expect(lab.all('ActionStarted').filter((s) => s.member === 'a')).toHaveLength(1);
    expect(lab.member('a').state).toBe('failed');
  });

  it('does not spoil a member whose wait was only given up', () => {
    const lab = new Lab('a:r b:r');
    lab.abandon(lab.wait('a', 'x'));
    lab.endAction('a');
    expect(lab.member('a').state).toBe('complete');
  });

  it('says the first cause when several failed', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.waitAll('a', 'x');
    lab.waitAll('a', 'y');
    lab.fail('b');
    lab.endAction('a');
    expect(lab.all('MemberFailed').at(-1)?.reason).toContain('lava-wait-all x');
  });
});

describe('the limit of an action', () => {
  const limit = { type: 'TimeOutAction', member: 'a', action: 0 } as const;

  it('ends its member timed out, and says of every wait it cut off who was missing and what they did', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.do({ type: 'StartSuite', member: 'b', suite: 'iperf' });
    lab.wait('a', 'x');
    lab.sync('a', 'y');
    lab.pass(600);
    const events = lab.do(limit);
    expect(events.map((e) => e.type)).toEqual([
      'WaitTimedOut',
      'WaitTimedOut',
      'ActionEnded',
      'MemberTimedOut',
    ]);
    expect(lab.all('WaitTimedOut')[0]).toEqual({
      wait: 1,
      member: 'a',
      limit: 'action',
      missingCount: 2,
      missing: [
        {
          member: 'b',
          role: 'r',
          state: 'booted',
          doing: 'runs action 0 lava_test_shell for 10 min, last: suite iperf 10 min ago',
        },
        {
          member: 'c',
          role: 'r',
          state: 'booted',
          doing:
            'runs action 0 lava_test_shell for 10 min, last: action 0 lava_test_shell 10 min ago',
        },
      ],
    });
    expect(lab.only('ActionEnded')).toMatchObject({ action: 0, outcome: 'timedOut' });
    expect(lab.only('MemberTimedOut').reason.split('\n')).toEqual([
      'action 0 lava_test_shell reached its limit of 10 min in lava-wait x, lava-sync y: b, c are missing',
      'b (r): runs action 0 lava_test_shell for 10 min, last: suite iperf 10 min ago',
      'c (r): runs action 0 lava_test_shell for 10 min, last: action 0 lava_test_shell 10 min ago',
    ]);
  });

  it('makes the job failed, not timed out, with the first cause as its reason', () => {
    const lab = new Lab('a:r b:r');
    lab.wait('a', 'x');
    lab.pass(600);
    lab.do(limit);
    lab.endAction('b', 'failed', 0, 'later');
    expect(lab.state).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/^a: action 0 lava_test_shell reached its limit/),
    });
  });

  it('is looked at by the others at once: their waits for that member are unreachable', () => {
    const lab = new Lab('a:r b:r');
    const wait = lab.waitAll('b', 'x');
    lab.pass(600);
    lab.do(limit);
    expect(lab.is(wait)).toBe('unreachable');
  });

  it('also stands while the board boots', () => {
    const lab = new Lab('a:r', { unbooted: true, actions: [boot({ timeoutSeconds: 60 })] });
    lab.do({ type: 'StartAction', member: 'a', action: 0 });
    lab.do({ type: 'StartBoot', member: 'a' });
    lab.pass(60);
    lab.do(limit);
    expect(lab.member('a').state).toBe('timedOut');
  });

  it.each([
    ['early', 599.999, limit],
    ['of an action that is not the running one', 600, { ...limit, action: 1 }],
  ] as const)('that comes %s changes nothing', (_, seconds, command) => {
    const lab = new Lab('a:r b:r', twoShells);
    lab.pass(seconds);
    expect(lab.do(command)).toEqual([]);
  });

  it('that is stale, because the action has ended, changes nothing', () => {
    const lab = new Lab('a:r b:r', twoShells);
    lab.endAction('a');
    lab.do({ type: 'StartAction', member: 'a', action: 1 });
    lab.pass(600);
    expect(lab.do(limit)).toEqual([]);
  });
});

describe('the timeout of the job', () => {
  const timeout = { type: 'TimeOutJob', limit: 'job' } as const;
  const short = { timeoutSeconds: 100 };

  it('ends every wait and every member that is left, and the job, all timed out', () => {
    const lab = new Lab('a:r b:r c:r', short);
    lab.fail('c');
    lab.wait('a', 'x');
    lab.pass(100);
    lab.do(timeout);
    expect(lab.only('WaitTimedOut')).toMatchObject({ limit: 'job', member: 'a', missingCount: 2 });
    expect(lab.state.members.map((m) => m.state)).toEqual(['timedOut', 'timedOut', 'failed']);
    expect(lab.state).toMatchObject({
      state: 'timedOut',
      reason: 'reached its timeout of 1 min 40 s',
    });
    expect(lab.all('MemberTimedOut').map(({ reason }) => reason)).toEqual([
      'the job reached its timeout of 1 min 40 s in lava-wait x: none of b, c has sent it\n' +
        'b (r): runs action 0 lava_test_shell for 1 min 40 s, last: action 0 lava_test_shell 1 min 40 s ago\n' +
        'c (r): ended failed 1 min 40 s ago: the board burned',
      'the job reached its timeout of 1 min 40 s',
    ]);
  });

  it('says of two that waited for each other that both were waiting: the group as it stood', () => {
    const lab = new Lab('a:r b:r', { ...short, onUnreachable: 'wait' });
    lab.waitAll('a', 'x');
    lab.waitAll('b', 'y');
    lab.pass(100);
    lab.do(timeout);
    expect(lab.all('WaitTimedOut').flatMap((w) => w.missing)).toMatchObject([
      { member: 'b', state: 'waiting', doing: 'waits in lava-wait-all y for 1 min 40 s' },
      { member: 'a', state: 'waiting', doing: 'waits in lava-wait-all x for 1 min 40 s' },
    ]);
  });

  it('is counted from the allocation, not from the submission', () => {
    const lab = new Lab('a:r', short);
    lab.pass(99.999);
    expect(lab.do(timeout)).toEqual([]);
    expect(deadlinesOf(lab.state)).toContainEqual({
      id: 'job',
      due: lab.now + 1,
      command: timeout,
    });
  });

  it('changes nothing in a job that has ended', () => {
    const lab = new Lab('a:r', short);
    lab.endAction('a');
    lab.pass(100);
    expect(lab.do(timeout)).toEqual([]);
    expect(deadlinesOf(lab.state)).toEqual([]);
  });
});

describe('the reason of an end', () => {
  /** One line for people: what ended before is named in it, not told again whole. */
  const REASON_CHARACTERS_MAX = 20_000;
  const names = Array.from({ length: 14 }, (_, i) => `b${i}`);
  const group = names.map((name) => [name, 'r'] as const);

  it('does not double with every member that times out after another', () => {
    const lab = new Lab(group, { onUnreachable: 'wait' });
    for (const name of names) lab.waitAll(name, 'x');
    lab.pass(600);
    for (const member of names) lab.do({ type: 'TimeOutAction', member, action: 0 });
    const longest = Math.max(...lab.all('MemberTimedOut').map((m) => m.reason.length));
    expect(longest).toBeLessThan(REASON_CHARACTERS_MAX);
  });

  it('does not double with every member whose wait fails after another', () => {
    const lab = new Lab(group);
    lab.fail('b0');
    for (const member of names.slice(1)) {
      lab.waitAll(member, 'x');
      lab.endAction(member);
    }
    const longest = Math.max(...lab.all('MemberFailed').map((m) => m.reason.length));
    expect(longest).toBeLessThan(REASON_CHARACTERS_MAX);
  });
});

describe('cancel', () => {
  it('ends the whole group: every wait abandoned, every living member and the job cancelled', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.endAction('c');
    const wait = lab.wait('a', 'x');
    lab.do({ type: 'CancelJob', reason: 'enough' });
    expect(lab.is(wait)).toBe('abandoned');
    expect(lab.all('WaitAbandoned')[0]).toMatchObject({ why: 'member-ended' });
    expect(lab.state.members.map((m) => m.state)).toEqual(['cancelled', 'cancelled', 'complete']);
    expect(lab.state).toMatchObject({ state: 'cancelled', reason: 'enough' });
  });

  it('is idempotent, also of a job that ended otherwise', () => {
    const lab = new Lab('a:r');
    lab.do({ type: 'CancelJob', reason: 'enough' });
    expect(lab.do({ type: 'CancelJob', reason: 'again' })).toEqual([]);
    const complete = new Lab('a:r');
    complete.endAction('a');
    expect(complete.do({ type: 'CancelJob', reason: 'late' })).toEqual([]);
    expect(complete.state.state).toBe('complete');
  });

  it('works while the group boots', () => {
    const lab = new Lab('a:r b:r', { unbooted: true });
    lab.do({ type: 'StartBoot', member: 'a' });
    lab.do({ type: 'CancelJob', reason: 'enough' });
    expect(lab.state.members.map((m) => m.state)).toEqual(['cancelled', 'cancelled']);
  });
});

describe('lava-test-raise', () => {
  it('ends its member as failed at once, its own waits with it; the others go by 2.1', () => {
    const lab = new Lab('a:r b:r c:r');
    const own = lab.wait('a', 'x');
    const needs = lab.waitAll('b', 'y');
    const hopes = lab.wait('c', 'z');
    lab.do({ type: 'RaiseMember', member: 'a', reason: 'no disk' });
    expect([own, needs, hopes].map((w) => lab.is(w))).toEqual(['abandoned', 'unreachable', 'open']);
    expect(lab.only('MemberFailed')).toEqual({ member: 'a', reason: 'lava-test-raise: no disk' });
  });
});

describe('a verb that was killed', () => {
  it.each(['verb-ended', 'connection-lost'] as const)(
    'leaves an abandoned wait (%s): no longer blocked, never released',
    (why) => {
      const lab = new Lab('a:r b:r');
      const wait = lab.wait('a', 'x');
      lab.abandon(wait, why);
      expect(lab.only('WaitAbandoned')).toEqual({ wait, member: 'a', why });
      expect(lab.member('a').state).toBe('booted');
      lab.send('b', 'x');
      expect(lab.is(wait)).toBe('abandoned');
    },
  );

  it('is abandoned once: a second word about it, or one after its release, changes nothing', () => {
    const lab = new Lab('a:r b:r');
    const [x, y] = [lab.wait('a', 'x'), lab.wait('a', 'y')];
    lab.abandon(x);
    lab.send('b', 'y');
    expect([lab.abandon(x), lab.abandon(y)]).toEqual([[], []]);
  });

  it('cannot be abandoned by another member', () => {
    const lab = new Lab('a:r b:r');
    const wait = lab.wait('a', 'x');
    const decision = lab.try({ type: 'AbandonWait', member: 'b', wait, why: 'verb-ended' });
    expect(decision).toMatchObject({ code: 'no-such-wait' });
    expect(lab.is(wait)).toBe('open');
  });

  it('of a member that waits too does not touch the other wait', () => {
    const lab = new Lab('a:r b:r c:r');
    const wait = lab.wait('a', 'x');
    lab.wait('b', 'x');
    lab.try({ type: 'AbandonWait', member: 'b', wait, why: 'verb-ended' });
    expect(lab.state.members.map((m) => m.openWaits)).toEqual([1, 1, 0]);
  });
});

describe('a board that comes back to its wait on another server', () => {
  const resume = (lab: Lab, member: string, wait: number) =>
    lab.do({ type: 'ResumeWait', member, wait }).map(({ type }) => type);

  it('is recorded every time, and goes on waiting', () => {
    const lab = new Lab('a:r b:r');
    const wait = lab.sync('a', 'x');
    expect(resume(lab, 'a', wait)).toEqual(['WaitResumed']);
    expect(resume(lab, 'a', wait)).toEqual(['WaitResumed']);
    expect(lab.member('a').state).toBe('waiting');
    lab.sync('b', 'x');
    expect(lab.is(wait)).toBe('released');
  });

  it('that has ended finds nothing to resume', () => {
    const lab = new Lab('a:r b:r');
    const wait = lab.wait('a', 'x');
    lab.send('b', 'x');
    expect(resume(lab, 'a', wait)).toEqual([]);
  });

  it('cannot take up the wait of another member', () => {
    const lab = new Lab('a:r b:r');
    expect(resume(lab, 'b', lab.wait('a', 'x'))).toEqual([]);
  });

  it('leaves a stuck wait stuck: it is not a move of the board', () => {
    const lab = new Lab('a:r b:r');
    const wait = lab.waitAll('a', 'x');
    lab.waitAll('b', 'y');
    expect(lab.stuck()).toContain(wait);
    resume(lab, 'a', wait);
    expect(lab.stuck()).toContain(wait);
  });
});

describe('a board that boots anew', () => {
  it('has its waits abandoned: their verbs are gone', () => {
    const lab = new Lab('a:r b:r');
    const [x, y] = [lab.wait('a', 'x'), lab.sync('a', 'y')];
    lab.do({ type: 'StartBoot', member: 'a' });
    expect([lab.is(x), lab.is(y)]).toEqual(['abandoned', 'abandoned']);
    expect(lab.all('WaitAbandoned')).toMatchObject([
      { why: 'connection-lost' },
      { why: 'connection-lost' },
    ]);
    expect(lab.member('a')).toMatchObject({ state: 'booting', up: false });
  });

  it('has no verbs until it has booted, and takes its sync up again after', () => {
    const lab = new Lab('a:r b:r');
    lab.sync('a', 'x');
    lab.do({ type: 'StartBoot', member: 'a' });
    const call = lab.try({ type: 'CallVerb', member: 'a', verb: 'sync', words: ['x'] });
    expect(call).toMatchObject({ code: 'member-not-booted' });
    lab.do({ type: 'ConfirmBoot', member: 'a' });
    expect(lab.asked(lab.sync('a', 'x')).round).toBe(1);
  });
});

describe('an action that failed', () => {
  it('ends its member failed with the reason, and its open waits with it', () => {
    const lab = new Lab('a:r b:r', twoShells);
    const wait = lab.wait('a', 'x');
    lab.endAction('a', 'failed', 0, 'no such repository');
    expect(lab.is(wait)).toBe('abandoned');
    expect(lab.only('MemberFailed')).toEqual({
      member: 'a',
      reason: 'action 0 lava_test_shell failed: no such repository',
    });
  });
});

describe('a wait in the background', () => {
  it('outlives its action while another one follows, and ends with its member', () => {
    const lab = new Lab('a:r b:r', twoShells);
    const wait = lab.wait('a', 'x');
    lab.endAction('a');
    lab.do({ type: 'StartAction', member: 'a', action: 1 });
    expect(lab.is(wait)).toBe('open');
    expect(lab.member('a').state).toBe('waiting');
    lab.endAction('a', 'ok', 1);
    expect(lab.is(wait)).toBe('abandoned');
    expect(lab.member('a').state).toBe('complete');
  });
});

describe('how a job ends', () => {
  it('complete when every member is complete, whatever its cases say', () => {
    const lab = new Lab('a:r b:r');
    lab.do({ type: 'RecordResult', member: 'a', case: 'ping', result: 'fail' });
    lab.call('a', 'send', 'bad id');
    lab.endAction('a');
    expect(lab.state.state).toBe('allocated');
    lab.endAction('b');
    expect(lab.state).toMatchObject({ state: 'complete', reason: null, endedAt: lab.now });
  });

  it('failed with its first cause when a member did not complete, and only when all have ended', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.fail('b', 'first');
    lab.endAction('a');
    expect(lab.state.state).toBe('allocated');
    lab.fail('c', 'second');
    expect(lab.only('JobFailed')).toEqual({ member: 'b', reason: 'first' });
    expect(lab.state.reason).toBe('b: first');
  });

  it('at once when no role has anything to do', () => {
    const lab = new Lab('a:r b:s', { actions: [], unbooted: true });
    expect(lab.state.state).toBe('complete');
  });

  it('a member without actions is complete when it is allocated, and the others know', () => {
    const lab = new Lab('a:r b:idle', { actions: [testShell({ roles: ['r'] })], unbooted: true });
    expect(lab.member('b').state).toBe('complete');
    for (const type of ['StartBoot', 'ConfirmBoot'] as const) lab.do({ type, member: 'a' });
    expect(lab.is(lab.waitAll('a', 'x'))).toBe('unreachable');
  });
});
