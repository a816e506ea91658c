/** The texts that are decided: who is missing in a sentence, then a line each; no reason stands within another one. */
import { describe, expect, it } from 'vitest';
import { lastWords } from '../../engine/owed.ts';
import { doing } from '../../machines/job/doing.ts';
import { headline, lackText, nameList, seenLines } from '../../machines/wording.ts';
import { boot, Lab, testShell } from './lab.ts';

const lacking = (...names: string[]) => ({
  missingCount: names.length,
  missing: names.map((member) => ({ member, role: 'r', state: 'booted', doing: 'waits' })),
});

describe('who is missing', () => {
  it('is one clause: all of them by name, or the first four and how many more', () => {
    expect(lackText('sync', lacking('b'))).toBe('b is missing');
    expect(lackText('sync', lacking('b', 'c'))).toBe('b, c are missing');
    expect(lackText('wait-all', lacking('b', 'c', 'd', 'e', 'f'))).toBe(
      'b, c, d, e and 1 more are missing',
    );
    expect(lackText('wait', lacking('b'))).toBe('b is missing');
    expect(lackText('wait', lacking('b', 'c'))).toBe('none of b, c has sent it');
    expect(lackText('sync', { ...lacking('b'), cycle: ['a', 'b'] })).toBe(
      'b is missing; a, b wait for one another',
    );
  });

  it('is counted where nobody is named', () => {
    expect(nameList([], 3)).toBe('3 members');
    expect(nameList(['a'], 3)).toBe('a and 2 more');
    expect(seenLines({ ...lacking('b'), missingCount: 9 })).toEqual(['b (r): waits', 'and 8 more']);
  });
});

describe('a reason within another text', () => {
  it('is as many of its clauses as are short enough, of its first line, and never cut within one', () => {
    expect(headline('no power')).toBe('no power');
    expect(headline('action 0 x failed: no disk: full\nmore')).toBe(
      'action 0 x failed: no disk: full',
    );
    expect(headline(`action 0 x failed: ${'long '.repeat(30)}`)).toBe('action 0 x failed');
    expect(headline('word '.repeat(30))).toBe('');
    expect(headline('a is stuck: b is missing', 1)).toBe('a is stuck');
    expect(headline('lava-wait a:b timed out: c is missing', 1)).toBe('lava-wait a:b timed out');
  });
});

describe('what a member that has ended was last seen doing', () => {
  const last = (lab: Lab, member: string) => doing(lab.state, lab.member(member), lab.now);

  it('is why it ended', () => {
    const lab = new Lab('a:r b:r');
    lab.endAction('a', 'failed', 0, 'no disk');
    expect(last(lab, 'a')).toBe('ended failed 0 s ago: action 0 lava_test_shell failed: no disk');
  });

  it('is not for whom it had waited: that is told of its own wait', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.waitAll('a', 'x');
    lab.fail('b', 'no power');
    lab.endAction('a');
    expect(last(lab, 'a')).toBe('ended failed 0 s ago: lava-wait-all x can never be released');
    lab.sync('c', 'y');
    const { missing } = lab.all('WaitUnreachable').at(-1) ?? { missing: [] };
    expect(missing.map((m) => m.doing)).toEqual([
      'ended failed 0 s ago: lava-wait-all x can never be released',
      'ended failed 0 s ago: no power',
    ]);
  });

  it('is which limit it reached, and in which wait', () => {
    const lab = new Lab('a:r b:r');
    lab.wait('a', 'x');
    lab.pass(600);
    lab.do({ type: 'TimeOutAction', member: 'a', action: 0 });
    expect(last(lab, 'a')).toBe(
      'ended timedOut 0 s ago: action 0 lava_test_shell reached its limit of 10 min in lava-wait x',
    );
  });

  it('is what it raised, though a wait of it had failed before', () => {
    const lab = new Lab('a:r b:r');
    lab.waitAll('a', 'x');
    lab.fail('b');
    lab.do({ type: 'RaiseMember', member: 'a', reason: 'no disk' });
    expect(last(lab, 'a')).toBe('ended failed 0 s ago: lava-test-raise: no disk');
  });
});

describe('the last words on a console', () => {
  it('are how its board ended, then the sentence of the reason, then its lines', () => {
    const lab = new Lab('a:r b:r');
    lab.wait('a', 'x');
    lab.pass(600);
    lab.do({ type: 'TimeOutAction', member: 'a', action: 0 });
    expect(lastWords(lab.state, 'a')).toEqual([
      'a ended timedOut',
      'action 0 lava_test_shell reached its limit of 10 min in lava-wait x: b is missing',
      'b (r): runs action 0 lava_test_shell for 10 min, last: action 0 lava_test_shell 10 min ago',
    ]);
  });

  it('are one line of a reason that says one thing, whatever stands in it', () => {
    const lab = new Lab('a:r', { actions: [boot(), testShell()] });
    lab.fail('a', 'no power; no fan');
    expect(lastWords(lab.state, 'a')).toEqual(['a ended failed', 'no power; no fan']);
  });
});
