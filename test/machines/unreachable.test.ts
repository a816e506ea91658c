/** Barriers that can never be released (SEMANTICS 2.1): what is noted, when it is acted on, and with which proof. */
import { describe, expect, it } from 'vitest';
import { deadlinesOf } from '../../machines/job/next.ts';
import { Lab } from './lab.ts';

const GRACE_S = 30;

describe('a wait that a terminal member can no longer release', () => {
  it.each(['waitAll', 'sync'] as const)(
    '%s is unreachable as soon as one missing member has ended',
    (verb) => {
      const lab = new Lab('a:r b:r c:r');
      const wait = lab[verb]('a', 'x');
      lab.fail('b', 'no power');
      expect(lab.is(wait)).toBe('unreachable');
      expect(lab.only('WaitUnreachable')).toMatchObject({
        wait,
        member: 'a',
        form: 'certain',
        missingCount: 2,
        cycle: [],
      });
      const missing = lab.only('WaitUnreachable').missing;
      expect(missing.map((m) => [m.member, m.role, m.state])).toEqual([
        ['b', 'r', 'failed'],
        ['c', 'r', 'booted'],
      ]);
      expect(missing[0]?.doing).toBe('ended failed 0 s ago: no power');
    },
  );

  it('lava-wait is unreachable only when the last candidate has ended', () => {
    const lab = new Lab('a:r b:r c:r');
    const wait = lab.wait('a', 'x');
    lab.fail('b');
    expect(lab.is(wait)).toBe('open');
    lab.endAction('c');
    expect(lab.is(wait)).toBe('unreachable');
  });

  it.each(['complete', 'failed'] as const)(
    'whether that member ended %s does not matter',
    (how) => {
      const lab = new Lab('a:r b:r');
      const wait = lab.waitAll('a', 'x');
      if (how === 'complete') lab.endAction('b');
      else lab.fail('b');
      expect(lab.only('WaitUnreachable')).toMatchObject({
        wait,
        missing: [{ member: 'b', state: how }],
      });
    },
  );

  it('fails at once too when it starts after that member has ended', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.fail('b');
    const wait = lab.waitAll('a', 'x');
    expect(lab.is(wait)).toBe('unreachable');
    expect(lab.member('a').state).toBe('booted');
  });

  it('goes on when the ended member had sent what it waits for', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.send('b', 'x');
    const wait = lab.waitAll('a', 'x');
    lab.fail('b');
    expect(lab.is(wait)).toBe('open');
    lab.send('c', 'x');
    expect(lab.is(wait)).toBe('released');
  });

  it('goes on when the ended member does not play the awaited role', () => {
    const lab = new Lab('a:client b:client c:server');
    const wait = lab.waitAll('a', 'x', 'server');
    lab.fail('b');
    expect(lab.is(wait)).toBe('open');
  });

  it('is described as the group stood before the first of several such waits ended', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.sync('a', 'x');
    lab.waitAll('b', 'y');
    lab.fail('c');
    const [first, second] = lab.all('WaitUnreachable');
    expect(first?.missing.map((m) => [m.member, m.state])).toEqual([
      ['b', 'waiting'],
      ['c', 'failed'],
    ]);
    expect(second?.missing.map((m) => [m.member, m.state])).toEqual([
      ['a', 'waiting'],
      ['c', 'failed'],
    ]);
  });
});

describe('members that wait for one another', () => {
  /** a waits for b's x, b for a's y. */
  function deadlock(over = {}) {
    const lab = new Lab('a:r b:r c:s', over);
    const a = lab.waitAll('a', 'x', 'r');
    const before = lab.all('WaitStuck').length;
    const b = lab.waitAll('b', 'y', 'r');
    return { lab, a, b, before };
  }

  it('are noted at once, with the cycle and what each does, and do not fail yet', () => {
    const { lab, a, b, before } = deadlock();
    expect(before).toBe(0);
    expect(lab.all('WaitStuck')).toMatchObject([
      { wait: a, member: 'a', form: 'deadlocked', cycle: ['a', 'b'], missing: [{ member: 'b' }] },
      { wait: b, member: 'b', form: 'deadlocked', cycle: ['a', 'b'], missing: [{ member: 'a' }] },
    ]);
    expect(lab.all('WaitStuck')[0]?.missing[0]?.doing).toBe('waits in lava-wait-all y r for 0 s');
    expect([lab.is(a), lab.is(b)]).toEqual(['open', 'open']);
  });

  it('are noted once, not again with every event', () => {
    const { lab } = deadlock();
    lab.send('c', 'z');
    lab.send('c', 'z');
    expect(lab.all('WaitStuck')).toHaveLength(2);
  });

  it('fail when the grace is over, and not a moment earlier', () => {
    const { lab, a, b } = deadlock();
    lab.pass(GRACE_S - 0.001);
    expect(lab.do({ type: 'EndUnreachable' })).toEqual([]);
    lab.pass(0.001);
    const events = lab.do({ type: 'EndUnreachable' });
    expect(events.map((e) => e.type)).toEqual(['WaitUnreachable', 'WaitUnreachable']);
    expect([lab.is(a), lab.is(b)]).toEqual(['unreachable', 'unreachable']);
    expect(lab.all('WaitUnreachable')).toMatchObject([
      {
        wait: a,
        form: 'deadlocked',
        cycle: ['a', 'b'],
        missing: [{ doing: expect.stringContaining('waits in') }],
      },
      {
        wait: b,
        form: 'deadlocked',
        cycle: ['a', 'b'],
        missing: [{ doing: expect.stringContaining('waits in') }],
      },
    ]);
  });

  it('have the grace that the job says', () => {
    const { lab, a } = deadlock({ unreachableGraceSeconds: 5 });
    lab.pass(5);
    lab.do({ type: 'EndUnreachable' });
    expect(lab.is(a)).toBe('unreachable');
  });

  it('with a grace of nothing fail on the next look', () => {
    const { lab, a } = deadlock({ unreachableGraceSeconds: 0 });
    lab.do({ type: 'EndUnreachable' });
    expect(lab.is(a)).toBe('unreachable');
  });

  it('have a deadline for that, and none once it is broken', () => {
    const { lab } = deadlock();
    const due = lab.now + GRACE_S * 1000;
    expect(deadlinesOf(lab.state)).toContainEqual({
      id: `unreachable ${due}`,
      due,
      command: { type: 'EndUnreachable' },
    });
    lab.send('b', 'x');
    expect(deadlinesOf(lab.state).map((d) => d.command.type)).not.toContain('EndUnreachable');
  });

  it('are free again when a process in the background of a board sends after all', () => {
    const { lab, a, b } = deadlock();
    lab.send('b', 'x');
    expect([lab.is(a), lab.is(b)]).toEqual(['released', 'open']);
    expect(lab.all('WaitUnstuck')).toEqual([{ wait: b, member: 'b' }]);
    expect(lab.stuck()).toEqual([]);
  });

  it('are free again when one of them gives its wait up', () => {
    const { lab, a, b } = deadlock();
    lab.abandon(a);
    expect(lab.all('WaitUnstuck')).toEqual([{ wait: b, member: 'b' }]);
  });

  it('are free again when one of them boots anew', () => {
    const { lab, a, b } = deadlock();
    lab.do({ type: 'StartBoot', member: 'a' });
    expect(lab.is(a)).toBe('abandoned');
    expect(lab.all('WaitUnstuck')).toEqual([{ wait: b, member: 'b' }]);
    expect(lab.stuck()).toEqual([]);
    expect(deadlinesOf(lab.state).map((d) => d.command.type)).not.toContain('EndUnreachable');
  });

  it('start a new grace when they are stuck again: it counts only without a break', () => {
    const { lab, a } = deadlock();
    lab.pass(20);
    lab.abandon(a);
    const again = lab.waitAll('a', 'x', 'r');
    lab.pass(20);
    expect(lab.do({ type: 'EndUnreachable' })).toEqual([]);
    lab.pass(10);
    lab.do({ type: 'EndUnreachable' });
    expect(lab.is(again)).toBe('unreachable');
  });

  it('include whoever needs one of them, and leave out whoever has another hope', () => {
    const lab = new Lab('a:r b:r c:r d:r');
    lab.waitAll('a', 'x');
    lab.waitAll('b', 'y');
    const hopeful = lab.wait('c', 'z');
    const needy = lab.sync('c', 'x');
    expect(lab.stuck()).toHaveLength(2);
    expect([lab.is(hopeful), lab.is(needy)]).toEqual(['open', 'open']);
    expect(
      lab.state.conversation.waits
        .flat()
        .filter((w) => w.member === 2)
        .map((w) => w.stuck),
    ).toEqual([null, null]);
  });

  it('are not those whom a member without a wait can still release', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.wait('a', 'x');
    lab.wait('b', 'y');
    expect(lab.stuck()).toEqual([]);
    lab.wait('c', 'z');
    expect(lab.stuck()).toHaveLength(3);
  });

  it('may be one member that waits for itself, where all count', () => {
    const lab = new Lab('a:r b:r', { countsSelf: true });
    lab.waitAll('a', 'x');
    expect(lab.only('WaitStuck')).toMatchObject({ form: 'deadlocked', cycle: ['a'] });
  });

  it('become certain at once when the last of them that could send ends', () => {
    const { lab, a, b } = deadlock();
    lab.fail('b');
    expect([lab.is(a), lab.is(b)]).toEqual(['unreachable', 'abandoned']);
    expect(lab.only('WaitUnreachable')).toMatchObject({ wait: a, form: 'certain' });
  });

  it('end with the whole chain: a member freed by its failure may still release the others', () => {
    const { lab, a, b } = deadlock();
    lab.pass(GRACE_S);
    const late = lab.waitAll('c', 'w', 'r');
    expect(lab.stuck()).toEqual([a, b, late]);
    lab.do({ type: 'EndUnreachable' });
    expect(lab.is(late)).toBe('open');
    expect(lab.all('WaitUnstuck')).toEqual([{ wait: late, member: 'c' }]);
  });
});

describe('the policy `wait`', () => {
  const patient = { onUnreachable: 'wait' } as const;

  it('notes a certain wait as stuck and leaves it open', () => {
    const lab = new Lab('a:r b:r c:r', patient);
    const wait = lab.waitAll('a', 'x');
    lab.fail('b');
    expect(lab.only('WaitStuck')).toMatchObject({ wait, form: 'certain', cycle: [] });
    expect(lab.is(wait)).toBe('open');
  });

  it('notes it again when a deadlock becomes certain', () => {
    const lab = new Lab('a:r b:r c:r', patient);
    lab.waitAll('a', 'x');
    lab.waitAll('b', 'y');
    lab.fail('c');
    const forms = lab
      .all('WaitStuck')
      .filter((s) => s.member === 'a')
      .map((s) => s.form);
    expect(forms).toEqual(['deadlocked', 'certain']);
  });

  it('never ends a wait, however long it is stuck, and sets no deadline for it', () => {
    const lab = new Lab('a:r b:r', patient);
    lab.waitAll('a', 'x');
    lab.waitAll('b', 'y');
    lab.pass(3000);
    expect(lab.do({ type: 'EndUnreachable' })).toEqual([]);
    expect(deadlinesOf(lab.state).map((d) => d.command.type)).not.toContain('EndUnreachable');
  });
});

describe('the proof', () => {
  it('names the first sixteen that are missing, and counts all', () => {
    const names = Array.from({ length: 40 }, (_, i) => `b${i}`);
    const lab = new Lab(names.map((name) => [name, 'r'] as const));
    lab.waitAll('b0', 'x');
    lab.fail('b39');
    const proof = lab.only('WaitUnreachable');
    expect(proof.missingCount).toBe(39);
    expect(proof.missing.map((m) => m.member)).toEqual(names.slice(1, 17));
  });

  it('has a cycle of those alone that wait for one another, not of those who wait for them', () => {
    const lab = new Lab('a:x b:y c:z');
    lab.waitAll('a', 'm', 'y');
    lab.waitAll('b', 'm', 'z');
    lab.waitAll('c', 'm', 'y');
    expect(lab.all('WaitStuck').map((s) => [s.member, s.cycle])).toEqual([
      ['a', ['b', 'c']],
      ['b', ['b', 'c']],
      ['c', ['b', 'c']],
    ]);
  });
});
