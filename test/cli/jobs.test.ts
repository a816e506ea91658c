/** `muster jobs`, `muster job`, `muster cancel`, in this process against scripted answers. */
import { describe, expect, test } from 'vitest';
import { view } from './job-12.ts';
import { muster } from './scripted.ts';

describe('jobs', () => {
  test('lists number, name, state, priority and boards', async () => {
    const { out } = await muster('jobs');
    expect(out).toMatch(/^JOB {2}NAME +STATE +PRIORITY +BOARDS +SUBMITTED\n/);
    expect(out).toMatch(/^ 12 {2}meeting {2}complete +50 +2 {2}2026-/m);
  });

  test('asks for the states, the number and the page that were named', async () => {
    const { asked } = await muster('jobs --state submitted,allocated --limit 5 --before 9');
    const { searchParams } = new URL(asked[0]!.path, 'http://x');
    expect(Object.fromEntries(searchParams)).toEqual({
      limit: '5',
      state: 'submitted,allocated',
      before: '9',
    });
  });

  test('says how to see older ones', async () => {
    const { err } = await muster('jobs', { 'GET /api/jobs': { jobs: [view], next: 12 } });
    expect(err).toBe('older ones: --before 12\n');
  });

  test('says that there are none', async () => {
    const { out } = await muster('jobs', { 'GET /api/jobs': { jobs: [] } });
    expect(out).toBe('There are no jobs; archived ones are not listed.\n');
  });

  test('does not deny the older ones that nobody looked at', async () => {
    const { out, err } = await muster('jobs --state failed', {
      'GET /api/jobs': { jobs: [], next: 1001 },
    });
    expect(out).toBe('There are none from job 1001 on; older ones were not looked at.\n');
    expect(err).toBe('older ones: --before 1001\n');
  });
});

describe('job', () => {
  test('shows the state and every board with its role', async () => {
    const { out } = await muster('job 12');
    expect(out).toMatch(/^job 12 {2}meeting {2}complete\n/);
    expect(out).toContain('  timeout    900 s\n');
    expect(out).toContain('BOARD    ROLE    STATE     DOING\n');
    expect(out).toContain('panda02  server  complete  ended complete 3 s ago\n');
  });

  test('takes the name of the stream too', async () => {
    expect((await muster('job job-12')).asked[0]?.path).toBe('/api/jobs/12');
  });

  test('shows what a waiting job wants, when it has no boards yet', async () => {
    const waiting = { ...view, state: 'submitted', members: [] };
    const { out } = await muster('job 12', { 'GET /api/jobs/12': waiting });
    expect(out).toContain('ROLE    WANTS  OF     TAGS\n');
    expect(out).toContain('server      1  panda  usb3\n');
    expect(out).toContain('muster why 12');
  });

  test('--json has what scripts rely on, and what a newer server adds', async () => {
    const { out } = await muster('job 12 --json');
    expect(JSON.parse(out)).toMatchObject({
      id: 12,
      name: 'meeting',
      state: 'complete',
      members: [
        { device: 'panda01', role: 'client', state: 'complete' },
        { device: 'panda02', role: 'server', state: 'complete' },
      ],
      fromANewerServer: 1,
    });
  });

  test('that is not there ends with 1 and says so in one line', async () => {
    const { exit, out, err } = await muster('job 404');
    expect({ exit, out, err }).toEqual({ exit: 1, out: '', err: 'muster: there is no job 404\n' });
  });
});

describe('cancel', () => {
  test('says that the job is cancelled, and records the reason', async () => {
    const { out, asked } = await muster('cancel 12 --reason wrong');
    expect(out).toBe('job 12 is cancelled\n');
    expect(JSON.parse(asked[0]!.body)).toEqual({ reason: 'wrong' });
  });

  test('of a job that had ended says how, and is no failure', async () => {
    const { exit, out } = await muster('cancel 13');
    expect([exit, out]).toEqual([0, 'job 13 had ended before: complete\n']);
  });
});
