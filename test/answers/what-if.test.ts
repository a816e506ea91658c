/** A recorded conversation again, with something changed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordingOf } from '../../answers/recorded-steps.ts';
import { type Change, play } from '../../answers/what-if.ts';
import type { JobEvent, Verb } from '../../machines/events.ts';
import { isOver } from '../../machines/job/job.ts';
import { deadlinesOf } from '../../machines/job/next.ts';
import { bootOf, Lab, testShell } from '../machines/lab.ts';
import { assertHolds, isCaught } from '../machines/runs.ts';

type Line = { verb: Verb; id: string; pause: number };
type Scripts = Line[][];

const line = fc.record({
  verb: fc.constantFrom<Verb>('send', 'send', 'wait', 'wait-all', 'sync', 'sync'),
  id: fc.constantFrom('x', 'y', 'z'),
  pause: fc.nat(40),
});
const scripts: fc.Arbitrary<Scripts> = fc.array(fc.array(line, { maxLength: 6 }), {
  minLength: 2,
  maxLength: 4,
});

const name = (m: number) => `m${m}`;

/** Runs the scripts as boards do: a verb that fails ends its script; limits fire when nothing else happens. */
function ran(all: Scripts, onUnreachable: 'fail' | 'wait' = 'fail'): Lab {
  const group = all.map((_, m): [string, string] => [name(m), m === 0 ? 'server' : 'client']);
  const lab = new Lab(group, { onUnreachable });
  const at = all.map((lines) => ({
    next: 0,
    ready: lab.now + (lines[0]?.pause ?? 0) * 1000,
    wait: 0,
  }));
  for (let guard = 0; guard < 1000 && !isOver(lab.state); guard++) {
    let first = -1;
    for (const [m, is] of at.entries()) {
      const member = lab.member(name(m));
      if (member.ended !== null || (is.wait !== 0 && lab.is(is.wait) === 'open')) continue;
      if (is.wait !== 0) {
        is.ready = lab.now + (all[m]?.[is.next]?.pause ?? 1) * 1000;
        if (lab.is(is.wait) !== 'released') [is.next, is.ready] = [99, lab.now];
        is.wait = 0;
      }
      if (first < 0 || is.ready < (at[first]?.ready ?? 0)) first = m;
    }
    const is = at[first];
    const [limit] = deadlinesOf(lab.state).sort((a, b) => a.due - b.due);
    if (is === undefined || (limit !== undefined && limit.due < is.ready)) {
      if (limit === undefined) break;
      lab.now = Math.max(lab.now, limit.due);
      lab.try(limit.command);
      continue;
    }
    lab.now = Math.max(lab.now, is.ready);
    const say = all[first]?.[is.next++];
    if (say === undefined)
      lab.try({ type: 'EndAction', member: name(first), action: 0, outcome: 'ok' });
    else {
      const words = say.verb === 'send' ? [say.id, `from=${name(first)}`] : [say.id];
      lab.call(name(first), say.verb, ...words);
      if (say.verb !== 'send') is.wait = lab.state.conversation.waitCount;
      else is.ready = lab.now + (all[first]?.[is.next]?.pause ?? 1) * 1000;
    }
  }
  return lab;
}

const replayed = (lab: Pick<Lab, 'events'>, changes: Change[] = []) => {
  const recording = recordingOf(lab.events);
  if (recording === undefined) throw new Error('it was never allocated');
  return play(recording, changes);
};
const told = (events: readonly JobEvent[]) => events.map(({ type, data }) => [type, data]);

describe('a recorded conversation that is played again', () => {
  const isSame =
    (changes: Change[] = []) =>
    (all: Scripts): void => {
      const lab = ran(all);
      const again = replayed(lab, changes);
      expect(told(again.events)).toEqual(told(lab.events));
      expect([again.job.state, again.endedAt]).toEqual([lab.state.state, lab.now]);
      expect(again.beyond).toEqual([]);
    };

  it('is the same, event for event, when nothing is changed', () => {
    assertHolds(scripts, isSame(), 200);
  });

  it('is not the same when a message is lost: the property sees it', () => {
    isCaught(scripts, (all: Scripts) => {
      const lab = ran(all);
      const send = lab.events.find(({ type }) => type === 'MessageSent')?.version ?? 0;
      const again = replayed(lab, [{ kind: 'drop', event: send }]);
      expect(told(again.events)).toEqual(told(lab.events));
    });
  });

  const pair = () => {
    const lab = new Lab('a:server b:client');
    lab.pass(10);
    lab.wait('b', 'up');
    lab.pass(10);
    lab.send('a', 'up', 'ip=1');
    lab.pass(5);
    lab.endAction('a');
    lab.endAction('b');
    return lab;
  };
  const sendOf = (lab: Lab) => lab.events.find(({ type }) => type === 'MessageSent')?.version ?? 0;

  it('converges later when a board comes later', () => {
    const lab = pair();
    const later = replayed(lab, [{ kind: 'delay', member: 'a', ms: 20_000 }]);
    expect(later.job.state).toBe('complete');
    expect(later.endedAt).toBe(lab.now + 20_000);
    const once = replayed(lab, [{ kind: 'delay', member: 'a', ms: 3_000, event: sendOf(lab) }]);
    expect(once.endedAt).toBe(lab.now + 3_000);
  });

  it('times out where the delay is longer than the limit allows, and tells who waited for whom', () => {
    const late = replayed(pair(), [{ kind: 'delay', member: 'a', ms: 3_700_000 }]);
    expect(late.job.state).not.toBe('complete');
    expect(late.job.members[1]).toMatchObject({ device: 'b', state: 'timedOut' });
  });

  it('hangs where a message is lost that somebody waits for', () => {
    const lab = pair();
    const { job, hangs } = replayed(lab, [{ kind: 'drop', event: sendOf(lab) }]);
    expect(job.state).toBe('failed');
    expect(job.members.map(({ state }) => state)).toEqual(['complete', 'failed']);
    expect(hangs).toEqual([]);
    const waits = new Lab('a:server b:client', { onUnreachable: 'wait' });
    waits.wait('b', 'up');
    waits.send('a', 'up');
    waits.endAction('a');
    waits.endAction('b');
    const hung = replayed(waits, [{ kind: 'drop', event: sendOf(waits) }]);
    expect(hung.hangs).toMatchObject([{ member: 'b', what: 'lava-wait up' }]);
    expect(hung.job.members[1]?.state).toBe('timedOut');
  });

  it('fails where a board crashes, with those that wait for it', () => {
    const lab = pair();
    const crash: Change = { kind: 'crash', member: 'a', event: sendOf(lab) - 1 };
    const { job } = replayed(lab, [crash]);
    expect(job.members.map(({ state }) => state)).toEqual(['failed', 'failed']);
    expect(replayed(lab, [{ ...crash, event: lab.events.length }]).job.state).toBe('complete');
  });

  it('says where nothing is recorded of what a script would do', () => {
    const short = testShell({ roles: ['server'], timeoutSeconds: 60 });
    const actions = [short, testShell({ roles: ['client'] })];
    const lab = new Lab('a:server b:client', { onUnreachable: 'wait', actions, unbooted: true });
    for (const [member, action] of [
      ['a', 0],
      ['b', 1],
    ] as const)
      for (const command of bootOf(member, action)) lab.do(command);
    lab.sync('a', 'ready');
    lab.pass(60);
    lab.do({ type: 'TimeOutAction', member: 'a', action: 0 });
    lab.pass(1);
    lab.sync('b', 'ready');
    // a waited in vain: had b come in time, nobody knows what a would have done.
    const early = replayed(lab, [{ kind: 'delay', member: 'a', ms: 50_000 }]);
    expect(early.beyond.map(({ member }) => member)).toContain('a');
    expect(early.job.state).toBe('allocated');
  });
});
