/** The pages of what waits for boards, and of the boards: `queue`, `why`, `priority`, `devices` and `device`. */
import { describe, expect, test } from 'vitest';
import { dateAndTime } from '../../cli/pages/text.ts';
import { fakeServer, here, json, problem, type Script, widest } from './fake-server.ts';
import { device } from './job-12.ts';
import { muster, queue, script, slot, start, why } from './scripted.ts';

/** A role whose type has so many boards, each with its own reason. */
const manyBoards = (reasons: readonly string[]) => ({
  ...slot,
  free: 0,
  candidates: reasons.map((reason, at) => ({
    board: `panda${at + 1}`,
    why: reason,
    ...(reason.startsWith('held') && { until: `2026-08-01T13:00:0${9 - (at % 9)}.000Z` }),
  })),
});

describe('queue', () => {
  test('gives each waiting job its place, its start, and its reason under it', async () => {
    const { out, err } = await muster('queue');
    const words = out.replaceAll(/\s+/g, ' ');
    expect(words).toContain('PLACE JOB NAME PRIORITY SINCE STARTS BY');
    expect(words).toContain(queue.queue[0]!.reason);
    expect(words).toContain(dateAndTime(start));
    expect(words).toContain('muster why 13');
    expect(err).toBe('');
  });

  test('says that nobody waits', async () => {
    const none = { queue: [], total: 0 };
    expect((await muster('queue', { 'GET /api/queue': none })).out).toBe('No job is waiting.\n');
    const behind = { queue: [], total: 3 };
    const { out } = await muster('queue --after 3', { 'GET /api/queue': behind });
    expect(out).toBe('No more: 3 jobs in the queue.\n');
  });

  test('asks for many in pages', async () => {
    const pages: Script = {
      'GET /api/queue': ({ path }, reply) => {
        const at = new URL(path, 'http://server').searchParams;
        const [after, limit] = [Number(at.get('after')), Number(at.get('limit'))];
        const jobs = Array.from({ length: limit }, (_, n) => ({
          ...queue.queue[0],
          place: after + n + 1,
        }));
        json(reply, { queue: jobs, total: 9000, next: after + limit });
      },
    };
    const { out, err, asked } = await muster('queue --limit 2300 --after 5 --json', pages);
    expect(asked.map(({ path }) => path)).toEqual([
      '/api/queue?limit=1000&after=5',
      '/api/queue?limit=1000&after=1005',
      '/api/queue?limit=300&after=2005',
    ]);
    const places = JSON.parse(out).queue.map(({ place }: { place: number }) => place);
    expect(places).toEqual(Array.from({ length: 2300 }, (_, n) => n + 6));
    expect(err).toContain('--after 2305');
  });

  test('says how to see the next ones of a long queue', async () => {
    const long = { ...queue, total: 812, next: 60 };
    const { err, asked } = await muster('queue --limit 10 --after 50', { 'GET /api/queue': long });
    expect(asked[0]?.path).toBe('/api/queue?limit=10&after=50');
    expect(err).toBe('812 jobs wait; the next ones: --after 60\n');
  });
});

describe('why', () => {
  test('shows for each role what keeps every board, and until when at the latest', async () => {
    const { out } = await muster('why 13');
    expect(out).toContain('  place      1\n');
    expect(out).toContain(`  starts by  ${dateAndTime(start)} at the latest`);
    expect(out.replaceAll(/\s+/g, ' ')).toContain(
      'role server wants 2 of type panda with tag usb3; 1 free, 1 short',
    );
    expect(out).toContain(`panda01  held by job 12     ${dateAndTime(start)}\n`);
    expect(out).toContain('panda02  offline: no power\n');
    expect(out).toContain('panda03  free\n');
  });

  test('says why no start is sure', async () => {
    const startOf = async (place: number) => {
      const unsure = { ...why, place, guaranteedStart: null };
      const { out } = await muster('why 13', { 'GET /api/jobs/13/why': unsure });
      return out.replaceAll(/\s+/g, ' ');
    };
    expect(await startOf(1)).toContain('no time is sure: the timeouts of running jobs do not');
    expect(await startOf(2)).toContain('no time is sure yet: one job at a time is promised');
  });

  const reasons = [
    ...Array.from({ length: 7 }, (_, at) => `held by job ${at + 20}`),
    ...Array.from({ length: 4 }, (_, at) => `health bad since its event ${at}: reason ${at}`),
    ...Array.from({ length: 2 }, () => 'lacks tag usb3'),
  ];
  const large = { 'GET /api/jobs/13/why': { ...why, slots: [manyBoards(reasons)] } };

  test('with many boards counts them by the rule that keeps them', async () => {
    const { out } = await muster('why 13', large);
    expect(out).toContain(
      `    7  held by a job   panda1, panda2, panda3 and 4 more   ${dateAndTime('2026-08-01T13:00:03.000Z')}`,
    );
    expect(out).toContain('    4  health bad      panda8, panda9, panda10 and 1 more\n');
    expect(out).toContain('    2  lacks tag usb3  panda12, panda13\n');
    expect(out).toContain('muster why 13 --all lists every board.\n');
    expect(widest(out)).toBeLessThanOrEqual(80);
  });

  test('puts boards together that a job has and that will be closed then', async () => {
    const closed = Array.from(
      { length: 13 },
      (_, at) => `held by job ${at} (then health maintenance since its event ${at}: cable ${at})`,
    );
    const { out } = await muster('why 13', {
      'GET /api/jobs/13/why': { ...why, slots: [manyBoards(closed)] },
    });
    expect(out.replaceAll(/\s+/g, ' ')).toContain('13 held by a job, then panda1, panda2, panda3');
  });

  test('--all lists every board', async () => {
    const { out } = await muster('why 13 --all', large);
    for (const [at, reason] of reasons.entries())
      expect(out).toContain(`panda${at + 1}  ${at < 9 ? ' ' : ''}${reason}`);
    expect(out).not.toContain('--all');
  });

  test('says when there is no board of the type at all', async () => {
    const none = { ...why, slots: [manyBoards([])] };
    const { out } = await muster('why 13', { 'GET /api/jobs/13/why': none });
    expect(out).toContain('There is no such board.\n');
  });

  test('of a job that does not wait says what it is', async () => {
    const detail = 'job 12 does not wait for boards: it is complete';
    const { exit, out, err } = await muster('why 12', {
      'GET /api/jobs/12/why': (_, reply) => problem(reply, 409, 'not-waiting', detail),
    });
    expect([exit, out, err]).toEqual([1, '', `muster: ${detail}\n`]);
  });
});

describe('priority', () => {
  test.each([
    ['80', 80],
    ['0', 0],
    ['high', 100],
    ['medium', 50],
    ['low', 0],
  ])('%s is sent as %i', async (word, priority) => {
    const { exit, out, asked } = await muster(`priority 13 ${word}`);
    expect(exit).toBe(0);
    expect(out).toContain('job 13 has priority 100');
    expect(asked[0]).toMatchObject({ method: 'PUT', path: '/api/jobs/13/priority' });
    expect(JSON.parse(asked[0]!.body)).toEqual({ priority });
  });

  test.each(['101', '-1', '1.5', 'urgent', 'toString'])('%s is none', async (word) => {
    const { exit, err, asked } = await muster(`priority 13 ${word}`);
    expect([exit, asked]).toEqual([2, []]);
    expect(err).not.toBe('');
  });
});

describe('devices', () => {
  test('lists each board with its job, and why it is offline', async () => {
    const { out } = await muster('devices');
    expect(out).toContain('panda01  panda  reserved (job 12)  yes           good    usb3 wifi\n');
    expect(out).toContain('no: no power');
  });

  test('device shows one', async () => {
    const { out } = await muster('device panda01');
    expect(out).toMatch(/^panda01\n {2}type +panda\n {2}tags +usb3 wifi\n/);
  });

  test('device --offline records the reason', async () => {
    const server = await fakeServer(script);
    const { exit, out } = await here(['device', 'panda01', '--offline', 'worn out'], {
      env: { MUSTER_URL: server.url },
    });
    expect(exit).toBe(0);
    expect(out).toContain('no: worn out');
    expect(server.asked[0]).toMatchObject({ method: 'POST', path: '/api/devices/panda01/offline' });
    expect(JSON.parse(server.asked[0]!.body)).toEqual({ reason: 'worn out' });
  });

  test('device --online gives it back', async () => {
    const { asked } = await muster('device panda01 --online');
    expect(asked[0]).toMatchObject({ method: 'POST', path: '/api/devices/panda01/online' });
  });

  test.each(['good', 'unknown', 'looping', 'maintenance', 'bad'])(
    'device --%s says how the board is, with the reason',
    async (health) => {
      const { exit, out, asked } = await muster(`device panda01 --${health} fan`);
      expect(exit).toBe(0);
      expect(out).toMatch(/^ {2}health +maintenance: fan$/m);
      expect(asked[0]).toMatchObject({ method: 'POST', path: '/api/devices/panda01/health' });
      expect(JSON.parse(asked[0]!.body)).toEqual({ health, reason: 'fan', force: false });
    },
  );

  test.each(['retire', 'restore'])('device --%s records the reason', async (order) => {
    const { exit, asked } = await muster(`device panda01 --${order} burnt`);
    expect(exit).toBe(0);
    expect(asked[0]).toMatchObject({ method: 'POST', path: `/api/devices/panda01/${order}` });
    expect(JSON.parse(asked[0]!.body)).toEqual({ reason: 'burnt' });
  });

  test('device tells whoever takes a board out which job still has it', async () => {
    const note = async (args: string) => (await muster(`device panda01 ${args}`)).err;
    expect(await note('--offline x')).toBe('job 12 keeps panda01 to its end\n');
    expect(await note('--maintenance x')).toBe(
      'job 12 keeps panda01 to its end; --force fails its part in it at once\n',
    );
    expect(await note('--bad x --force')).toContain('the part of panda01 in job 12 has failed');
    expect(await note('--good x')).toBe('');
    expect((await muster('device panda01')).err).toBe('');
  });

  test('device --force is sent with maintenance, and is wrong usage without it', async () => {
    const { asked } = await muster('device panda01 --maintenance fan --force');
    expect(JSON.parse(asked[0]!.body)).toMatchObject({ force: true });
    for (const args of ['--force', '--good x --force', '--online --force']) {
      const wrong = await muster(`device panda01 ${args}`);
      expect([wrong.exit, wrong.asked]).toEqual([2, []]);
      expect(wrong.err).toContain('--maintenance REASON');
    }
  });

  const checkOf = (healthCheck: object, more: object = {}) => ({
    ...device,
    healthCheck: { jobsSince: 3, ...healthCheck },
    ...more,
  });
  const nextAt = '2026-08-02T12:00:00.000Z';
  test.each([
    [
      checkOf({ everyHours: 24, nextAt, everyJobs: 10 }),
      `${dateAndTime(nextAt)} or after 7 more jobs`,
    ],
    [checkOf({ everyJobs: 4 }), 'after 1 more job'],
    [checkOf({ due: 'it is looping' }), 'due now: it is looping'],
    [checkOf({ job: 9 }), 'job 9 checks it now'],
    [checkOf({}, { health: 'bad' }), 'none while its health is bad'],
    [checkOf({}, { state: 'retired' }), 'none while it is retired'],
    [checkOf({}), 'when its health is unknown or looping'],
  ])('device tells when its health is checked next: case %#', async (is, text) => {
    const { out } = await muster('device panda01', { 'GET /api/devices/panda01': is });
    expect(out).toMatch(new RegExp(`^  next check +${text}$`, 'm'));
  });

  test('device tells how its health is checked, and when it last was', async () => {
    const lastAt = '2026-08-01T12:00:00.000Z';
    const is = checkOf({ everyHours: 24, everyJobs: 1, lastAt });
    const { out } = await muster('device panda01', { 'GET /api/devices/panda01': is });
    expect(out).toContain('  health check  every 24 h or every 1 job\n');
    expect(out).toContain(`  last check    ${dateAndTime(lastAt)}, 3 jobs since\n`);
    expect((await muster('device panda01')).out).toContain('  health check  none\n');
    const looping = { ...device, health: 'looping' };
    const page = await muster('device panda01', { 'GET /api/devices/panda01': looping });
    expect(page.out).toContain('none; it gets no job until');
  });

  test('devices say why the health of a board is not good', async () => {
    const devices = [
      { ...device, healthReason: 'health check passed in job 3' },
      { ...device, health: 'bad', healthReason: 'no image' },
    ];
    const { out } = await muster('devices', { 'GET /api/devices': { devices } });
    expect(out).not.toContain('passed');
    expect(out).toContain('bad: no image');
  });

  test.each(['--online --offline x', '--good x --bad y', '--retire x --maintenance y'])(
    'device with %s is wrong usage',
    async (args) => {
      const { exit, err, asked } = await muster(`device panda01 ${args}`);
      expect([exit, asked]).toEqual([2, []]);
      expect(err).toContain('cannot be used with');
    },
  );

  test('a name cannot leave its place in the address', async () => {
    const { asked } = await muster('device ../jobs');
    expect(asked[0]?.path).toBe('/api/devices/..%2Fjobs');
  });
});
