/** `muster barriers` and `muster results`, in this process against scripted answers. */
import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import { renderBarriers, renderJob } from '../../cli/pages/job-page.ts';
import { barriersOf } from '../../projections/barriers.ts';
import { jobView } from '../../projections/job-view.ts';
import { Lab } from '../machines/lab.ts';
import { barriers, results } from './job-12.ts';
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
    const text = renderJob(jobView(1, lab.state, lab.now), page);
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

describe('results', () => {
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
        units: 'Mbit/s',
      }),
    );
  });

  test('a failed case is a result and not a failure of the command', async () => {
    const failed = { ...results, summary: { ...results.summary, fail: 1 } };
    expect((await muster('results 12', { 'GET /api/jobs/12/results': failed })).exit).toBe(0);
  });
});
