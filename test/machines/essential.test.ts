/** Essential roles (SEMANTICS 2.2): when a member of one ends other than complete, the others are cancelled at once. */
import { describe, expect, it } from 'vitest';
import type { JobEvent, NewEvent } from '../../machines/events.ts';
import { decideJob } from '../../machines/job/decide.ts';
import { isOver } from '../../machines/job/job.ts';
import { isTerminal } from '../../machines/job/member.ts';
import { anyHistory, type History, play } from './history.ts';
import { type Decide, definitionOf, type GroupText, Lab, type LabOptions } from './lab.ts';
import { assertHolds, isCaught } from './runs.ts';

/** A lab in which these roles are essential. */
function labWith(essential: string[], group: GroupText, options: LabOptions = {}): Lab {
  const roles = definitionOf(group).roles.map((role) =>
    essential.includes(role.role) ? { ...role, essential: true as const } : role,
  );
  return new Lab(group, { form: 'yaml', countsSelf: true, ...options, roles });
}

const types = (events: readonly NewEvent<JobEvent>[]) => events.map(({ type }) => type);

describe('a member of an essential role that fails', () => {
  it('takes the whole group with it at once, and the job ends by that first cause', () => {
    const lab = labWith(['server'], 'a:server b:client c:client');
    const events = lab.fail('a', 'no power');
    expect(types(events)).toEqual([
      'MemberFailed',
      'MemberCancelled',
      'MemberCancelled',
      'JobFailed',
    ]);
    const reason = 'role server is essential and a ended failed';
    expect(lab.all('MemberCancelled')).toEqual([
      { member: 'b', reason },
      { member: 'c', reason },
    ]);
    expect(lab.only('JobFailed')).toEqual({ member: 'a', reason: 'no power' });
  });

  it('has their waits given up, not called unreachable', () => {
    const lab = labWith(['server'], 'a:server b:client c:client');
    const [all, one] = [lab.waitAll('b', 'x'), lab.wait('c', 'y')];
    lab.fail('a');
    expect([lab.is(all), lab.is(one)]).toEqual(['abandoned', 'abandoned']);
    expect(lab.all('WaitUnreachable')).toEqual([]);
  });

  it('is the cause of what follows', () => {
    const lab = labWith(['server'], 'a:server b:client');
    const [failed, cancelled] = lab.fail('a');
    expect(cancelled?.meta.causationId).toBe(failed?.id);
  });

  it('leaves those alone that have ended before', () => {
    const lab = labWith(['server'], 'a:server b:client c:client');
    lab.endAction('b');
    lab.fail('a');
    expect(lab.member('b').state).toBe('complete');
    expect(lab.member('c').state).toBe('cancelled');
  });

  it.each([
    ['its action fails', (lab: Lab) => lab.endAction('a', 'failed', 0, 'it broke'), 'failed'],
    [
      'it raises',
      (lab: Lab) => lab.do({ type: 'RaiseMember', member: 'a', reason: 'no disk' }),
      'failed',
    ],
    [
      'its action reaches its limit',
      (lab: Lab) => {
        lab.pass(600);
        return lab.do({ type: 'TimeOutAction', member: 'a', action: 0 });
      },
      'timedOut',
    ],
  ] as const)('may fail in any way: %s', (_, end, state) => {
    const lab = labWith(['server'], 'a:server b:client');
    end(lab);
    expect(lab.member('a').state).toBe(state);
    expect(lab.member('b').state).toBe('cancelled');
    expect(lab.state.state).toBe('failed');
  });

  it('may be one of several of that role', () => {
    const lab = labWith(['server'], 'a:server b:server c:client');
    lab.endAction('a');
    lab.fail('b');
    expect(lab.member('c').state).toBe('cancelled');
  });

  it('keeps the first cause, where a member of another role had failed before', () => {
    const lab = labWith(['server'], 'a:server b:client c:client');
    lab.fail('b', 'the first');
    expect(lab.member('c').ended).toBeNull();
    lab.fail('a', 'the second');
    expect(lab.only('JobFailed')).toEqual({ member: 'b', reason: 'the first' });
  });

  it('counts once where two essential roles fall', () => {
    const lab = labWith(['server', 'database'], 'a:server b:database c:client');
    const events = lab.fail('b', 'no disk');
    expect(types(events)).toEqual([
      'MemberFailed',
      'MemberCancelled',
      'MemberCancelled',
      'JobFailed',
    ]);
    expect(lab.member('a').ended?.reason).toBe('role database is essential and b ended failed');
  });
});

describe('an essential role takes nobody with it', () => {
  it('when its members complete', () => {
    const lab = labWith(['server'], 'a:server b:client');
    expect(types(lab.endAction('a'))).toEqual(['ActionEnded', 'MemberCompleted']);
    lab.endAction('b');
    expect(lab.state.state).toBe('complete');
  });

  it('when a member of another role fails', () => {
    const lab = labWith(['server'], 'a:server b:client');
    expect(types(lab.fail('b'))).toEqual(['MemberFailed']);
    lab.endAction('a');
    expect(lab.state.state).toBe('failed');
  });
});

/** The members of the first role are essential. */
const essentialLab = ([group]: History, decide: Decide): Lab => {
  const { members, countsSelf, onUnreachable } = group;
  const role = members[0]?.[1] ?? '';
  return labWith([role], members, { decide, countsSelf, onUnreachable });
};

/** Whatever happens, the fall of an essential member and the end of its group are one decision. */
const fallTogether =
  (decide: Decide) =>
  (history: History): void => {
    const lab = essentialLab(history, decide);
    const [role] = lab.state.group.roles;
    play(lab, history[1], ({ state }) => {
      const fallen = state.members.some(
        (m) => m.role === role && isTerminal(m) && m.state !== 'complete',
      );
      if (fallen)
        expect(isOver(state), 'an essential member fell and its group goes on').toBe(true);
    });
  };

describe('whatever happens to a group', () => {
  it('it does not outlive an essential member that did not complete', () =>
    assertHolds(anyHistory, fallTogether(decideJob), 150));

  it('is caught when the rest is only cancelled for failures that a worker reports', () => {
    const forgetful: Decide = (command, state, env) => {
      const decision = decideJob(command, state, env);
      if (!Array.isArray(decision) || command.type !== 'RaiseMember') return decision;
      return decision.slice(
        0,
        decision.findIndex((e) => e.type === 'MemberCancelled') + 1 || undefined,
      );
    };
    isCaught(anyHistory, fallTogether(forgetful));
  });
});
