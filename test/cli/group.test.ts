/** `muster barriers` and `muster results`, in this process against scripted answers. */
import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import { renderBarriers, renderJob } from '../../cli/pages/job-page.ts';
import type { JobEvent } from '../../machines/events.ts';
import { barriersOf } from '../../projections/barriers.ts';
import { jobView } from '../../projections/job-view.ts';
import { resultsOf } from '../../projections/results.ts';
import { Lab } from '../machines/lab.ts';
import { widest } from './fake-server.ts';
import { barriers, recorded, results, story } from './job-12.ts';
import { muster } from './scripted.ts';

describe('barriers', () => {
  test('shows who arrived when and who came last', async () => {
    const { out } = await muster('barriers 12');
    expect(out).toMatch(
      /^lava-sync ready {2}round 1 {2}released\n {2}arrived {2}\S+:08\.000 {2}panda01\n {2}arrived {2}\S+:10\.000 {2}panda02 {2}\(last\)\n$/,
    );
  });

  test('--json has what scripts rely on', async () => {
    const { out } = await muster('barriers 12 --json');
    expect(JSON.parse(out)).toMatchObject({
      barriers: [
        {
          id: 'ready',
          verb: 'sync',
          round: 1,
          arrived: ['panda01', 'panda02'],
          missing: [],
          released: true,
        },
      ],
    });
  });

  test('shows who is missing, and a wait that is stuck with its reason', async () => {
    const [barrier] = barriers.barriers;
    const [first] = barrier!.waits;
    const open = {
      ...barrier,
      released: false,
      arrived: ['panda01'],
      arrivals: barrier!.arrivals.slice(0, 1),
      missing: ['panda02'],
      waits: [
        { ...first, outcome: 'open', stuck: 'deadlocked', reason: 'each waits for the other' },
      ],
    };
    const { out } = await muster('barriers 12', {
      'GET /api/jobs/12/barriers': { job: 12, barriers: [open] },
    });
    expect(out).toContain('lava-sync ready  round 1  not released\n');
    expect(out).toContain('  missing  panda02\n');
    expect(out).toContain('  panda01: each waits for the other\n');
  });
});

/** A job of a, b and c whose barrier c never reaches. */
function cutOff(): Lab {
  const lab = new Lab('a:r b:r c:r', { timeoutSeconds: 100 });
  lab.sync('a', 'ready');
  lab.sync('b', 'ready');
  lab.pass(100);
  lab.do({ type: 'TimeOutJob', limit: 'job' });
  return lab;
}
const page = { columns: 80, colors: picocolors.createColors(false) };

describe('a barrier that was not released', () => {
  test('tells once of all who waited alike how their waits ended, and of each missing member what it did', () => {
    const lab = cutOff();
    const text = renderBarriers({ job: 1, barriers: barriersOf(lab.events) }, page);
    expect(text.split('\n').slice(3)).toEqual([
      '  missing  c',
      '  a, b: timed out (limit of the job): c is missing',
      '    c (r): runs action 0 lava_test_shell for 1 min 40 s, last: action 0',
      '    lava_test_shell 1 min 40 s ago',
      '',
    ]);
  });
});

describe('a job', () => {
  test('says why it ended in a sentence and lines, and of each board in one sentence', () => {
    const lab = new Lab('a:r b:r');
    lab.sync('a', 'ready');
    lab.pass(600);
    lab.do({ type: 'TimeOutAction', member: 'a', action: 0 });
    lab.endAction('b');
    const text = renderJob(jobView(1, lab.state, lab.now), [], page);
    expect(text).toContain(
      [
        '  reason     a: action 0 lava_test_shell reached its limit of 10 min in',
        '             lava-sync ready: b is missing',
        '               b (r): runs action 0 lava_test_shell for 10 min, last: action 0',
        '               lava_test_shell 10 min ago',
        '',
      ].join('\n'),
    );
    expect(text.match(/b \(r\): runs/g)).toHaveLength(1);
    expect(text).toMatch(/^a +r +timedOut +action 0 lava_test_shell reached its limit/m);
  });
});

/** Job 12 with other events after its boards were given out. */
const withEvents = (...events: JobEvent[]) => ({
  'GET /api/jobs/12/results': {
    job: 12,
    state: 'complete',
    ...resultsOf(recorded([...story.slice(0, 2), ...events])),
  },
});
const of = { member: 'panda01', suite: '0_meet' };
const recordedCase = (name: string, more: object = {}): JobEvent => ({
  type: 'ResultRecorded',
  data: { ...of, case: name, result: 'pass', ...more },
});

describe('results', () => {
  test('keep the table as wide as it was, however long a note is: it stands under its row', async () => {
    const note = 'waiting for panda02 (server): boots for 12 s; '.repeat(8).trim();
    const bad = recordedCase('multinode-wait-all-ready', { result: 'fail', note });
    const plain = await muster('results 12', withEvents(recordedCase('multinode-wait-all-ready')));
    const { out } = await muster('results 12', withEvents(bad));
    const [head, row, ...rest] = out.split('\n');
    expect(head).toBe(plain.out.split('\n')[0]);
    expect(row).toBe('panda01  client  0_meet  multinode-wait-all-ready  fail');
    const said = rest.slice(0, -2);
    for (const line of said) expect(line).toMatch(/^ {4}\S/);
    expect(said.map((line) => line.trim()).join(' ')).toBe(note);
    expect(widest(out)).toBeLessThanOrEqual(80);
  });

  test('name a suite without a case where it ran, and why it has none', async () => {
    const suite = (type: 'SuiteStarted' | 'SuiteEnded', name: string): JobEvent => ({
      type,
      data: { member: 'panda01', suite: name },
    });
    const { out } = await muster(
      'results 12',
      withEvents(
        suite('SuiteStarted', '0_silent'),
        suite('SuiteEnded', '0_silent'),
        recordedCase('one'),
        suite('SuiteStarted', '1_cut'),
        { type: 'MemberFailed', data: { member: 'panda01', reason: 'burned' } },
      ),
    );
    const rows = out.split('\n').slice(1, 5);
    expect(rows.map((line) => line.replaceAll(/ {2,}/g, '  '))).toEqual([
      'panda01  client  0_silent  (no case)',
      'panda01  client  0_meet  one  pass',
      'panda01  client  1_cut  (no case)',
      '  no case came before its member ended',
    ]);
    expect(out).toMatch(/\n1 case: 1 pass/);
  });

  test('show a case that came again each time, and which counts', async () => {
    const again = [recordedCase('x', { result: 'fail' }), recordedCase('x')];
    const { out } = await muster('results 12', withEvents(...again));
    expect(out).toMatch(/ x +\(fail\)\n.* x +pass\nA result in brackets does not count: .*\n/);
    expect(out).toContain('1 case: 1 pass, 0 fail');
  });

  test('number the boards of a role that several play', async () => {
    const members = ['panda01', 'panda02', 'panda03'].map((device, at) => ({
      device,
      role: at === 0 ? 'client' : 'server',
    }));
    const { out } = await muster('results 12', {
      'GET /api/jobs/12/results': {
        job: 12,
        state: 'complete',
        ...resultsOf(
          recorded([
            { type: 'JobAllocated', data: { lease: 'l', members } },
            ...members.map(({ device }) => recordedCase('x', { member: device })),
          ]),
        ),
      },
    });
    expect(
      out
        .split('\n')
        .slice(1, 4)
        .map((line) => line.split(/ +/).slice(0, 2)),
    ).toEqual([
      ['panda01', 'client'],
      ['panda02', 'server[0]'],
      ['panda03', 'server[1]'],
    ]);
  });

  test('list files, and signals that could not be read as what they were, harmless to print', async () => {
    const { out } = await muster(
      'results 12',
      withEvents(
        {
          type: 'AttachmentKept',
          data: { ...of, name: 'dmesg\u001b.txt', bytes: 1234, digest: 'ab'.repeat(32) },
        },
        { type: 'SignalGarbled', data: { ...of, text: '<LAVA_SIGNAL_TESTCASE \u001b[31m' } },
      ),
    );
    expect(out).toMatch(/panda01 {2}0_meet +dmesg\\u\{1b\}\.txt +1234 {2}abababababab\n/);
    expect(out).toContain('  panda01 0_meet: <LAVA_SIGNAL_TESTCASE \\u{1b}[31m\n');
    expect(out).not.toContain('\u001b');
    expect(out).toMatch(/\n0 cases: .*\n$/);
  });

  test('shows each case with its measurement, and the sum', async () => {
    const { out } = await muster('results 12');
    expect(out).toMatch(/^panda01 {2}client {2}0_meet +speed +pass +93\.5 Mbit\/s$/m);
    expect(out).toMatch(/\n\d cases: \d pass, 0 fail, 0 skip, 0 unknown\n$/);
  });

  test('--json has what scripts rely on', async () => {
    const { out } = await muster('results 12 --json');
    const { job, cases } = JSON.parse(out);
    expect(job).toBe(12);
    expect(cases).toContainEqual(
      expect.objectContaining({
        device: 'panda01',
        role: 'client',
        suite: '0_meet',
        case: 'speed',
        result: 'pass',
        measurement: '93.5',
        value: 93.5,
        counts: true,
        units: 'Mbit/s',
      }),
    );
  });

  test('a failed case is a result and not a failure of the command', async () => {
    const failed = { ...results, summary: { ...results.summary, fail: 1 } };
    expect((await muster('results 12', { 'GET /api/jobs/12/results': failed })).exit).toBe(0);
  });
});
