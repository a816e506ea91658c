/** The log for people who read it: a sentence for each event, and the lines under it. */
import { describe, expect, it } from 'vitest';
import { narrator } from '../../projections/timeline.ts';
import { anyHistory, labOf, play } from '../machines/history.ts';
import { Lab } from '../machines/lab.ts';
import { assertHolds } from '../machines/runs.ts';

/** The lines of all that happened since the group was allocated and booted. */
function story(group: string, act: (lab: Lab) => void, options = {}): string[] {
  const lab = new Lab(group, options);
  const before = lab.events.length;
  act(lab);
  const tell = narrator();
  return lab.events.map((event) => tell(event).lines.join('\n')).slice(before);
}

describe('a barrier', () => {
  it('is told as people would: who waits for whom, who released whom', () => {
    const told = story('panda01:r panda02:r database:r', (lab) => {
      for (const member of ['panda02', 'panda01', 'database']) lab.sync(member, 'ready');
    });
    expect(told).toEqual([
      'panda02 arrives at lava-sync ready',
      'panda02 waits in lava-sync ready for panda01, database',
      'panda01 arrives at lava-sync ready',
      'panda01 waits in lava-sync ready for database',
      'database arrives at lava-sync ready',
      'database calls lava-sync ready: nobody is missing',
      'panda02 is released from lava-sync ready: database came last',
      'panda01 is released from lava-sync ready: database came last',
      'database is released from lava-sync ready: nobody was missing',
    ]);
  });

  it('says the round of a sync from the second on', () => {
    const told = story('a:r b:r', (lab) => {
      for (const member of ['a', 'b', 'a']) lab.sync(member, 'x');
    });
    expect(told.slice(-2)).toEqual([
      'a arrives at lava-sync x (round 2)',
      'a waits in lava-sync x (round 2) for b',
    ]);
  });

  it('says the role of a wait-all, and how many more are missing', () => {
    const names = Array.from({ length: 12 }, (_, i) => `b${i}:r`).join(' ');
    const told = story(names, (lab) => lab.waitAll('b0', 'x', 'r'));
    expect(told).toEqual(['b0 waits in lava-wait-all x r for b1, b2, b3, b4 and 7 more']);
  });

  it('that can never be released is told with the proof', () => {
    const told = story('a:r b:r', (lab) => {
      lab.waitAll('a', 'x');
      lab.waitAll('b', 'y');
      lab.send('a', 'y');
      lab.fail('b', 'no power');
    });
    expect(told.slice(2)).toEqual([
      'a is stuck in lava-wait-all x: b is missing; a, b wait for one another\nb (r): waits in lava-wait-all y for 0 s',
      'b is stuck in lava-wait-all y: a is missing; a, b wait for one another\na (r): waits in lava-wait-all x for 0 s',
      'a sends y',
      'b is released from lava-wait-all y: a sent it',
      'a is no longer stuck in lava-wait-all x',
      'b failed: no power',
      'a can never be released from lava-wait-all x: b is missing\nb (r): ended failed 0 s ago: no power',
    ]);
  });

  it('is told by its number when its beginning is not among the events', () => {
    const tell = narrator();
    const released = { type: 'WaitReleased', data: { wait: 3, member: 'a' } } as const;
    expect(tell({ stream: 'job-1', ...released }).lines).toEqual([
      'a is released from wait 3: nobody was missing',
    ]);
  });

  it('of one job is not taken for that of another', () => {
    const tell = narrator();
    const lab = new Lab('a:r b:r');
    lab.wait('a', 'x');
    for (const event of lab.events) tell(event);
    const released = { type: 'WaitReleased', data: { wait: 1, member: 'a' } } as const;
    const said = (stream: string) => tell({ stream, ...released }).lines[0];
    expect(said('job-2')).toBe('a is released from wait 1: nobody was missing');
    expect(said('job-1')).toBe('a is released from lava-wait x: nobody was missing');
  });
});

describe('a message', () => {
  it('is told with its words, long values cut', () => {
    const told = story('a:r b:r', (lab) =>
      lab.send('a', 'x', 'ip=1.2.3.4', `k=${'v'.repeat(100)}`),
    );
    expect(told).toEqual([`a sends x ip=1.2.3.4 k=${'v'.repeat(37)}...`]);
  });

  it('that was refused is told with the reason', () => {
    const told = story('a:r', (lab) => lab.call('a', 'send', 'x', 'word'));
    expect(told).toEqual(['a is refused: lava-send x: "word" is not of the form key=value']);
  });
});

describe('a narrator', () => {
  it('tells a history in two halves as it tells it at once, when it is the same one', () =>
    assertHolds(
      anyHistory,
      ([group, ops]) => {
        const { events } = play(labOf(group), ops);
        const [whole, halves] = [narrator(), narrator()];
        const [first, rest] = [events.slice(0, events.length / 2), events.slice(events.length / 2)];
        const told = [...first.map(halves), ...rest.map(halves)];
        expect(told).toEqual(events.map(whole));
      },
      100,
    ));
});
