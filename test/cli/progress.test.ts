import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import { progress } from '../../cli/pages/progress.ts';
import type { DataOf, JobEvent } from '../../machines/events.ts';
import { Lab } from '../machines/lab.ts';
import { events, recorded, story, submitted } from './job-12.ts';

const plain = { colors: picocolors.createColors(false), columns: 80 };

/** The lines of a story without their times. */
function told(story: readonly JobEvent[], options: Partial<Parameters<typeof progress>[0]> = {}) {
  const tell = progress({ ...plain, ...options });
  return recorded(story)
    .map(tell)
    .join('')
    .replaceAll(/^\d\d:\d\d:\d\d {2}/gm, '');
}

describe('progress', () => {
  test('says which board boots, who waits for whom at which barrier, and who came last', () => {
    expect(told(story)).toBe(`the job is submitted: meeting (1 x client, 1 x server)
the job has its boards: panda01 (client), panda02 (server)
panda01 boots
panda02 boots
panda01 is up at 10.0.0.2
panda02 is up
panda01 starts action 2 lava_test_shell
panda01 starts suite 0_meet
panda01 waits in lava-sync ready for panda02
lava-sync ready is released: panda02 came last
panda01 records speed: pass 93.5 Mbit/s
panda01 is complete
panda02 is complete
the job is complete
`);
  });

  test('begins each line with the time of the event', () => {
    const tell = progress(plain);
    expect(tell(events[0]!)).toMatch(/^\d\d:\d\d:00 {2}the job is submitted/);
  });

  test('tells a round of a hundred boards in one line', () => {
    const members = Array.from({ length: 100 }, (_, at) => `board${at}`);
    const arrivals: JobEvent[] = members.map((member, at) => ({
      type: 'WaitStarted',
      data: {
        wait: at + 1,
        member,
        verb: 'sync',
        message: 'go',
        round: 1,
        missingCount: 99 - at,
        missing: members.slice(at + 1, at + 9),
      },
    }));
    const releases: JobEvent[] = members.map((member, at) => ({
      type: 'WaitReleased',
      data: { wait: at + 1, member, ...(member === 'board99' ? {} : { by: 'board99' }) },
    }));
    const text = told([...arrivals, ...releases]);
    expect(text.match(/is released/g)).toHaveLength(1);
    expect(text).toContain('lava-sync go is released: board99 came last\n');
    expect(text).toContain('and 95\n          more');
  });

  test('tells the second round of a sync apart from the first', () => {
    const round = (wait: number, n: number): JobEvent[] => [
      {
        type: 'WaitStarted',
        data: {
          wait,
          member: 'a',
          verb: 'sync',
          message: 'go',
          round: n,
          missingCount: 1,
          missing: ['b'],
        },
      },
      { type: 'WaitReleased', data: { wait, member: 'a', by: 'b' } },
    ];
    expect(told([...round(1, 1), ...round(2, 2)])).toBe(`a waits in lava-sync go for b
lava-sync go is released: b came last
a waits in lava-sync go (round 2) for b
lava-sync go (round 2) is released: b came last
`);
  });

  test('a wait for one of several says so', () => {
    const data = { wait: 1, member: 'a', verb: 'wait', message: 'm', round: 1 } as const;
    expect(
      told([{ type: 'WaitStarted', data: { ...data, missingCount: 2, missing: ['b', 'c'] } }]),
    ).toBe('a waits in lava-wait m for one of b, c\n');
  });

  test('a wait that fails names who was missing and what it was last seen doing', () => {
    const missing = [{ member: 'b', role: 'server', state: 'booting', doing: 'boots for 12 s' }];
    const started: JobEvent = {
      type: 'WaitStarted',
      data: {
        wait: 1,
        member: 'a',
        verb: 'wait-all',
        message: 'up',
        role: 'server',
        round: 1,
        missingCount: 1,
        missing: ['b'],
      },
    };
    const timedOut = { wait: 1, member: 'a', limit: 'protocol', missingCount: 1, missing } as const;
    expect(told([started, { type: 'WaitTimedOut', data: timedOut }], { columns: 200 })).toContain(
      'a timed out in lava-wait-all up server (limit of the protocol): b is missing\n' +
        '            b (server): boots for 12 s\n',
    );
    const proof: DataOf<'WaitStuck'> = {
      wait: 1,
      member: 'a',
      form: 'deadlocked',
      missingCount: 1,
      missing,
      cycle: ['a', 'b'],
    };
    const stuck = told([started, { type: 'WaitStuck', data: proof }], { columns: 200 });
    expect(stuck).toContain('is stuck: b is missing; a, b wait for one another\n');
    const lost = told([started, { type: 'WaitUnreachable', data: proof }], { columns: 200 });
    expect(lost).toContain('lava-wait-all up server can never be released: b is missing');
  });

  /** What a follower is told of all that happened since the group was allocated and booted. */
  function followed(group: string, act: (lab: Lab) => void): string[] {
    const lab = new Lab(group);
    const before = lab.events.length;
    act(lab);
    const tell = progress({ ...plain, columns: 160 });
    return lab.events
      .map(tell)
      .slice(before)
      .join('')
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/^\d\d:\d\d:\d\d {2}/, ''));
  }

  test('tells a limit that cut waits off in one sentence, and then a line a missing member', () => {
    const lines = followed('a:r b:r c:r', (lab) => {
      lab.sync('a', 'ready');
      lab.sync('b', 'ready');
      lab.pass(600);
      lab.do({ type: 'TimeOutAction', member: 'a', action: 0 });
      lab.do({ type: 'TimeOutAction', member: 'b', action: 0 });
      lab.do({ type: 'TimeOutAction', member: 'c', action: 0 });
    });
    const limit = 'timed out: action 0 lava_test_shell reached its limit of 10 min';
    expect(lines.slice(2)).toEqual([
      `a ${limit} in lava-sync ready: c is missing`,
      '            c (r): runs action 0 lava_test_shell for 10 min, last: action 0 lava_test_shell 10 min ago',
      `b ${limit} in lava-sync ready: c is missing`,
      `c ${limit}`,
      'the job failed, first by a: action 0 lava_test_shell reached its limit of 10 min in lava-sync ready: c is missing',
    ]);
  });

  test('tells once, for all who wait, that a barrier can never be released, and once what the missing member did', () => {
    const members = Array.from({ length: 100 }, (_, i) => `b${i}`);
    const lines = followed(members.map((name) => `${name}:r`).join(' '), (lab) => {
      for (const member of members.slice(1)) lab.sync(member, 'ready');
      lab.fail('b0', 'no power');
    });
    expect(lines.slice(99)).toEqual([
      'b0 failed: no power',
      'lava-sync ready can never be released: b0 is missing',
      '            b0 (r): ended failed 0 s ago: no power',
    ]);
  });

  test('keeps the waits of two jobs apart, and calls each job by its label', () => {
    const tell = progress({ ...plain, label: (job) => `job ${job}` });
    const start = (member: string, message: string): JobEvent => ({
      type: 'WaitStarted',
      data: { wait: 1, member, verb: 'wait', message, round: 1, missingCount: 1, missing: ['z'] },
    });
    const release: JobEvent = { type: 'WaitReleased', data: { wait: 1, member: 'a', by: 'z' } };
    tell(recorded([start('a', 'one')], 1)[0]!);
    tell(recorded([start('b', 'two')], 2)[0]!);
    expect(tell(recorded([release], 1)[0]!)).toContain('job 1: lava-wait one is released');
    expect(tell(recorded([release], 2)[0]!)).toContain('job 2: lava-wait two is released');
  });

  test('leaves out that an action failed: that its member did says it', () => {
    const data = { member: 'a', action: 0, outcome: 'failed', reason: 'no image' } as const;
    expect(told([{ type: 'ActionEnded', data }])).toBe('');
  });

  test('leaves out that a verb passed: its barrier told it; a verb that failed is told', () => {
    const result = (result: 'pass' | 'fail'): JobEvent => ({
      type: 'ResultRecorded',
      data: { member: 'a', suite: 's', case: 'multinode-sync-go', result },
    });
    expect(told([result('pass')])).toBe('');
    expect(told([result('fail')])).toBe('a records multinode-sync-go: fail\n');
  });

  test.each<[string, JobEvent]>([
    ['a failed: no power', { type: 'MemberFailed', data: { member: 'a', reason: 'no power' } }],
    ['a timed out: slow', { type: 'MemberTimedOut', data: { member: 'a', reason: 'slow' } }],
    ['a is cancelled: asked', { type: 'MemberCancelled', data: { member: 'a', reason: 'asked' } }],
    [
      'the job failed, first by a: no power',
      { type: 'JobFailed', data: { member: 'a', reason: 'no power' } },
    ],
    [
      'the job timed out: queue',
      { type: 'JobTimedOut', data: { limit: 'queue', reason: 'queue' } },
    ],
    ['the job is cancelled: asked', { type: 'JobCancelled', data: { reason: 'asked' } }],
    [
      'a is refused: bad id',
      {
        type: 'RequestRefused',
        data: { member: 'a', verb: 'send', message: 'x=', code: 'bad-id', reason: 'bad id' },
      },
    ],
  ])('says "%s"', (text, event) => {
    expect(told([event])).toBe(`${text}\n`);
  });

  test('tells of a job that is rejected what each role lacks, a line each', () => {
    const short = [{ role: 'r', wanted: 2, found: 1, lacking: '1 of 2 boards of type x' }];
    expect(told([{ type: 'JobRejected', data: { short } }])).toBe(
      'the job is rejected: the boards that there are can never run it\n            role r: 1 of 2 boards of type x\n',
    );
  });

  test('what a board says cannot move the cursor', () => {
    const reason = 'x\u001b[2J\r\ny';
    expect(told([{ type: 'MemberFailed', data: { member: 'a', reason } }])).toBe(
      'a failed: x\\u{1b}[2J\n            y\n',
    );
  });

  test('colours the whole line by how it is going, when there are colours', () => {
    const colors = picocolors.createColors(true);
    const tell = progress({ colors, columns: 80 });
    const [first, second] = recorded([submitted, { type: 'JobCompleted', data: {} }]);
    expect(tell(first!)).not.toContain('\u001b');
    expect(tell(second!).startsWith('\u001b[32m')).toBe(true);
  });
});
