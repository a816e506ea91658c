/** One plain line for each event. */
import { describe, expect, it } from 'vitest';
import { type AnyEvent, type EventType, schemas } from '../../machines/events.ts';
import { narrator } from '../../projections/timeline.ts';
import { anyHistory, labOf, play } from '../machines/history.ts';
import { definitionOf, Lab } from '../machines/lab.ts';
import { assertHolds } from '../machines/runs.ts';

/** The lines of all that happened since the group was allocated and booted. */
function story(group: string, act: (lab: Lab) => void, options = {}): string[] {
  const lab = new Lab(group, options);
  const before = lab.events.length;
  act(lab);
  const tell = narrator();
  return lab.events.map((event) => tell(event)).slice(before);
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
      'panda02 is released from lava-sync ready by database',
      'panda01 is released from lava-sync ready by database',
      'database is released from lava-sync ready',
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
    expect(told).toEqual([
      'b0 waits in lava-wait-all x r for b1, b2, b3, b4, b5, b6, b7, b8 and 3 more',
    ]);
  });

  it('that can never be released is told with the proof', () => {
    const told = story('a:r b:r', (lab) => {
      lab.waitAll('a', 'x');
      lab.waitAll('b', 'y');
      lab.send('a', 'y');
      lab.fail('b', 'no power');
    });
    expect(told.slice(2)).toEqual([
      'a is stuck in lava-wait-all x: waiting for b (r): waits in lava-wait-all y for 0 s (a, b wait for one another)',
      'b is stuck in lava-wait-all y: waiting for a (r): waits in lava-wait-all x for 0 s (a, b wait for one another)',
      'a sends y',
      'b is released from lava-wait-all y by a',
      'a is no longer stuck in lava-wait-all x',
      'b failed: no power',
      'a can never be released from lava-wait-all x: waiting for b (r): ended failed 0 s ago: no power',
    ]);
  });

  it('is told by its number when its beginning is not among the events', () => {
    const tell = narrator();
    const released = { type: 'WaitReleased', data: { wait: 3, member: 'a' } } as const;
    expect(tell({ stream: 'job-1', ...released })).toBe('a is released from wait 3');
  });

  it('of one job is not taken for that of another', () => {
    const tell = narrator();
    const lab = new Lab('a:r b:r');
    lab.wait('a', 'x');
    for (const event of lab.events) tell(event);
    const released = { type: 'WaitReleased', data: { wait: 1, member: 'a' } } as const;
    expect(tell({ stream: 'job-2', ...released })).toBe('a is released from wait 1');
    expect(tell({ stream: 'job-1', ...released })).toBe('a is released from lava-wait x');
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
    expect(told).toEqual(['a was refused: lava-send x: "word" is not of the form key=value']);
  });
});

/** One of each type: a new type without a sample does not compile. */
const samples: { [K in EventType]: Extract<AnyEvent, { type: K }>['data'] } = {
  SubmissionReceived: { name: 'smoke' },
  JobSubmitted: { definition: definitionOf('a:r'), document: '{}' },
  JobRejected: { short: [{ role: 'r', wanted: 2, found: 1, lacking: '1 of 2 panda' }] },
  JobAllocated: { lease: 'l', members: [{ device: 'a', role: 'r' }] },
  JobPriorityChanged: { from: 50, to: 70 },
  AllocationVoided: { lease: 'l', reason: 'it lapsed' },
  ActionStarted: { member: 'a', action: 0, command: 'boot_linaro_image' },
  ActionEnded: { member: 'a', action: 0, outcome: 'timedOut', reason: 'too slow' },
  MemberBooting: { member: 'a' },
  MemberBooted: { member: 'a', address: '10.0.0.2' },
  MessageSent: { member: 'a', verb: 'send', message: 'x', count: 1, pairs: [['k', 'v']] },
  RequestRefused: { member: 'a', verb: 'send', code: 'bad-id', reason: 'no id' },
  WaitStarted: {
    wait: 1,
    member: 'a',
    verb: 'wait',
    message: 'x',
    round: 1,
    missingCount: 1,
    missing: ['b'],
  },
  WaitReleased: { wait: 1, member: 'a', by: 'b' },
  WaitResumed: { wait: 1, member: 'a' },
  WaitTimedOut: { wait: 1, member: 'a', limit: 'action', missingCount: 1, missing: [] },
  WaitStuck: {
    wait: 1,
    member: 'a',
    form: 'deadlocked',
    missingCount: 1,
    missing: [],
    cycle: ['a', 'b'],
  },
  WaitUnstuck: { wait: 1, member: 'a' },
  WaitUnreachable: {
    wait: 1,
    member: 'a',
    form: 'certain',
    missingCount: 1,
    missing: [],
    cycle: [],
  },
  WaitAbandoned: { wait: 1, member: 'a', why: 'verb-ended' },
  SuitePrepared: {
    member: 'a',
    action: 0,
    suite: '0_smoke',
    source: {
      from: 'git',
      repository: 'https://git.example/tests',
      commit: '0123456789abcdef0123456789abcdef01234567',
      path: 'smoke.yaml',
    },
    parameters: [],
  },
  SignalGarbled: { member: 'a', text: '<LAVA_SIGNAL_TESTCA' },
  AttachmentKept: { member: 'a', suite: '0_smoke', name: 'dmesg', bytes: 3, digest: 'aa' },
  SuiteStarted: { member: 'a', suite: '0_smoke' },
  SuiteEnded: { member: 'a', suite: '0_smoke' },
  ResultRecorded: {
    member: 'a',
    suite: 's',
    case: 'ping',
    result: 'pass',
    measurement: '1',
    units: 'ms',
  },
  MemberCompleted: { member: 'a' },
  MemberFailed: { member: 'a', reason: 'burned' },
  MemberTimedOut: { member: 'a', reason: 'too slow' },
  MemberCancelled: { member: 'a', reason: 'enough' },
  JobCompleted: {},
  JobFailed: { member: 'a', reason: 'burned' },
  JobTimedOut: { limit: 'job', reason: 'too slow' },
  JobCancelled: { reason: 'enough' },
  DeviceRegistered: { deviceType: 'panda', tags: ['usb'], worker: 'w', driver: 'local' },
  DeviceReserved: { job: 1, lease: 'l', until: 1 },
  DeviceReleased: { job: 1, lease: 'l', reason: 'the job has ended' },
  DeviceWentOffline: { reason: 'cable' },
  DeviceCameOnline: {},
  DeviceHealthChanged: { from: 'good', to: 'bad', reason: 'check' },
  DeviceRetired: { reason: 'broken' },
  DeviceRestored: { reason: 'repaired' },
  WorkerConnected: { boards: ['a'] },
  WorkerRenewed: { until: 1_700_000_000_000 },
  WorkerLost: { reason: 'silence' },
};

describe('every event type', () => {
  it.each(Object.keys(schemas) as EventType[])(
    '%s has a sentence of its own, with its reason',
    (type) => {
      const data = samples[type];
      const line = narrator()({ stream: 'job-1', type, data } as never);
      expect(line).toMatch(/^[\x20-\x7e]{4,}$/);
      expect(line).not.toMatch(/undefined|null|NaN|object/);
      if ('reason' in data && data.reason !== undefined) expect(line).toContain(data.reason);
      if ('member' in data) expect(line).toContain(data.member);
    },
  );

  it('says something different from every other', () => {
    const lines = Object.entries(samples).map(([type, data]) =>
      narrator()({ stream: 'job-1', type, data } as never),
    );
    expect(new Set(lines).size).toBe(lines.length);
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
