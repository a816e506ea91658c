/** `muster barriers` and `muster results`, in this process against scripted answers. */
import { describe, expect, test } from 'vitest';
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
    expect(out).toContain('  wait 1 of panda01: stuck: each waits for the other\n');
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
