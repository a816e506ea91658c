import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import { progress } from '../../cli/pages/progress.ts';
import type { DataOf, JobEvent } from '../../machines/events.ts';
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
    expect(told(story)).toBe(`submitted: meeting (1 x client, 1 x server)
has its boards: panda01 (client), panda02 (server)
panda01 boots
panda02 boots
panda01 is up at 10.0.0.2
panda02 is up
panda01 begins its tests
panda01 starts meet
panda01 waits at lava-sync ready for panda02
lava-sync ready is released: panda02 came last
panda01  speed: pass  93.5 Mbit/s
panda01 is complete
panda02 is complete
the job is complete
`);
  });

  test('begins each line with the time of the event', () => {
    const tell = progress(plain);
    expect(tell(events[0]!)).toMatch(/^\d\d:\d\d:00 {2}submitted/);
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
    expect(text).toContain('(99 in all)');
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
    expect(told([...round(1, 1), ...round(2, 2)])).toBe(`a waits at lava-sync go for b
lava-sync go is released: b came last
a waits at lava-sync go (round 2) for b
lava-sync go (round 2) is released: b came last
`);
  });

  test('a wait for one of several says so', () => {
    const data = { wait: 1, member: 'a', verb: 'wait', message: 'm', round: 1 } as const;
    expect(
      told([{ type: 'WaitStarted', data: { ...data, missingCount: 2, missing: ['b', 'c'] } }]),
    ).toBe('a waits at lava-wait m for one of b, c\n');
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
    const timedOut = { wait: 1, member: 'a', limit: 'action', missingCount: 1, missing } as const;
    expect(told([started, { type: 'WaitTimedOut', data: timedOut }])).toContain(
      'a gave up at lava-wait-all up server (limit of the action): missing b\n          (server): boots for 12 s\n',
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
    expect(stuck).toContain('they wait for one another: a, b');
    const lost = told([started, { type: 'WaitUnreachable', data: proof }], { columns: 200 });
    expect(lost).toContain('lava-wait-all up server can never be released for a: missing b');
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
    expect(tell(recorded([release], 1)[0]!)).toContain('job 1  lava-wait one is released');
    expect(tell(recorded([release], 2)[0]!)).toContain('job 2  lava-wait two is released');
  });

  test('leaves out that a verb passed: its barrier told it; a verb that failed is told', () => {
    const result = (result: 'pass' | 'fail'): JobEvent => ({
      type: 'ResultRecorded',
      data: { member: 'a', suite: 's', case: 'multinode-sync-go', result },
    });
    expect(told([result('pass')])).toBe('');
    expect(told([result('fail')])).toBe('a  multinode-sync-go: fail\n');
  });

  test.each<[string, JobEvent]>([
    [
      'rejected: role r wants 2 boards, 1 found: type x',
      {
        type: 'JobRejected',
        data: { short: [{ role: 'r', wanted: 2, found: 1, lacking: 'type x' }] },
      },
    ],
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
      'a: the action failed: no image',
      {
        type: 'ActionEnded',
        data: { member: 'a', action: 0, outcome: 'failed', reason: 'no image' },
      },
    ],
    [
      'a: lava-send x= is refused: bad id',
      {
        type: 'RequestRefused',
        data: { member: 'a', verb: 'send', message: 'x=', code: 'bad-id', reason: 'bad id' },
      },
    ],
  ])('says "%s"', (text, event) => {
    expect(told([event])).toBe(`${text}\n`);
  });

  test('what a board says cannot move the cursor', () => {
    const reason = 'x\u001b[2J\r\ny';
    expect(told([{ type: 'MemberFailed', data: { member: 'a', reason } }])).toBe(
      'a failed: x\\u{1b}[2J\\u{d}\\u{a}y\n',
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
