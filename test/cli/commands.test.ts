/** Every command's page and JSON, run in this process against scripted answers. */
import { describe, expect, test } from 'vitest';
import { dateAndTime } from '../../cli/text.ts';
import {
  COMMANDS,
  fakeServer,
  here,
  json,
  problem,
  type Script,
  sse,
  sseEnd,
  widest,
} from './fake-server.ts';
import { barriers, device, events, recorded, results, submitted, view } from './job-12.ts';

const start = '2026-08-01T13:00:00.000Z';
const queue = {
  queue: [
    {
      job: 13,
      name: 'a name that is long enough to wrap somewhere on the page',
      priority: 80,
      place: 1,
      submittedAt: view.submittedAt,
      reason:
        'waits for 2 boards of role server (type panda): panda01 held by job 12, panda02 (offline: no power)',
      guaranteedStart: start,
    },
  ],
  total: 1,
};

const held = { board: 'panda01', why: 'held by job 12', until: start };
const server = {
  role: 'server',
  deviceType: 'panda',
  tags: ['usb3'],
  wanted: 2,
  free: 1,
  candidates: [
    held,
    { board: 'panda02', why: 'offline: no power' },
    { board: 'panda03', why: 'free' },
  ],
};
const why = { ...queue.queue[0], slots: [server] };

/** A role whose type has so many boards, each with its own reason. */
const manyBoards = (reasons: readonly string[]) => ({
  ...server,
  free: 0,
  candidates: reasons.map((reason, at) => ({
    board: `panda${at + 1}`,
    why: reason,
    ...(reason.startsWith('held') && { until: `2026-08-01T13:00:0${9 - (at % 9)}.000Z` }),
  })),
});

const consoles: Script = {
  'GET /api/jobs/12/members/panda01/console': (_, reply) => reply.end('one\r\n\u001b[1mbold\n'),
  'GET /api/jobs/12/members/panda02/console': (_, reply) => reply.end('two, no end of line'),
};

const script: Script = {
  'GET /api/jobs': { jobs: [view] },
  'GET /api/jobs/12': { ...view, fromANewerServer: 1 },
  'GET /api/queue': queue,
  'GET /api/devices': {
    devices: [device, { ...device, name: 'panda02', online: false, offlineReason: 'no power' }],
  },
  'GET /api/devices/panda01': device,
  'POST /api/devices/panda01/offline': { ...device, online: false, offlineReason: 'worn out' },
  'POST /api/devices/panda01/online': device,
  'POST /api/devices/panda01/health': { ...device, health: 'maintenance', healthReason: 'fan' },
  'POST /api/devices/panda01/retire': { ...device, state: 'retired' },
  'POST /api/devices/panda01/restore': device,
  'GET /api/jobs/13/why': why,
  'PUT /api/jobs/13/priority': { ...view, id: 13, priority: 100 },
  'GET /api/jobs/12/barriers': barriers,
  'GET /api/jobs/12/results': results,
  'GET /api/jobs/12/events': ({ headers }, reply) => {
    if (headers.accept !== 'text/event-stream') return json(reply, { events });
    sse(reply, events);
    sseEnd(reply);
  },
  'GET /api/jobs/404': (_, reply) => problem(reply, 404, 'no-such-job', 'there is no job 404'),
  'POST /api/jobs/12/cancel': { ...view, state: 'cancelled' },
  'POST /api/jobs/13/cancel': view,
  ...consoles,
};

async function muster(args: string, more: Script = {}) {
  const server = await fakeServer({ ...script, ...more });
  const ended = await here(args.split(' '), { env: { MUSTER_URL: server.url, TZ: 'UTC' } });
  return { ...ended, asked: server.asked };
}

const PAGES = [
  'jobs',
  'job 12',
  'queue',
  'why 13',
  'priority 13 high',
  'devices',
  'device panda01',
  'barriers 12',
  'results 12',
  'events 12',
  'watch 12',
  'cancel 12',
];

describe('every page', () => {
  test.each(PAGES)(
    'of muster %s fits 80 columns, without colour, and ends with 0',
    async (args) => {
      const { exit, out, err } = await muster(args);
      expect(err).toBe('');
      expect(exit).toBe(0);
      expect(out).not.toBe('');
      expect(out.endsWith('\n')).toBe(true);
      expect(widest(out)).toBeLessThanOrEqual(80);
      expect(out).not.toContain('\u001b');
      expect(out).not.toMatch(/ $/m);
    },
  );

  test.each(PAGES.filter((page) => !/^(events|watch)/.test(page)))(
    'muster %s --json is one JSON document and nothing else',
    async (args) => {
      const { exit, out, err } = await muster(`${args} --json`);
      expect([exit, err]).toEqual([0, '']);
      expect(JSON.parse(out)).toBeTypeOf('object');
    },
  );

  test.each(['events 12', 'events 12 --follow', 'watch 12'])(
    'muster %s --json is a JSON document a line, an event each, as it was recorded',
    async (args) => {
      const { exit, out } = await muster(`${args} --json`);
      expect(exit).toBe(0);
      expect(
        out
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line)),
      ).toEqual(events);
    },
  );
});

describe('--help', () => {
  test.each(COMMANDS)('of %s shows an example and fits 80 columns', async (command) => {
    const { exit, out, err } = await here([command, '--help']);
    expect([exit, err]).toEqual([0, '']);
    expect(out).toMatch(new RegExp(`Examples?:\n  \\$ .*muster ${command}`));
    expect(out).toMatch(/--url <url>(.|\n)*--json/);
    expect(widest(out)).toBeLessThanOrEqual(80);
  });
});

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
    expect(out).toBe('There are no jobs.\n');
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
      'role server wants 2 of type panda with tag usb3; 1 free, 1 slot cannot be filled',
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
    ...Array.from({ length: 4 }, (_, at) => `health bad: reason ${at}`),
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

describe('logs', () => {
  test('--device is the console byte for byte', async () => {
    const bytes = Buffer.from([0, 0xff, 0x1b, 0x0d, 0x0a, 0xc3]);
    const server = await fakeServer({
      ...script,
      'GET /api/jobs/12/members/panda01/console': (_, reply) => reply.end(bytes),
    });
    const chunks: Buffer[] = [];
    const { exit } = await here(['logs', '12', '--device', 'panda01', '--url', server.url], {
      onChunk: (chunk) => chunks.push(Buffer.from(chunk)),
    });
    expect(exit).toBe(0);
    expect(Buffer.concat(chunks)).toEqual(bytes);
  });

  test('without --device every console has its heading', async () => {
    const { out } = await muster('logs 12');
    expect(out).toBe(
      '==> panda01 (client) <==\none\r\n\u001b[1mbold\n==> panda02 (server) <==\ntwo, no end of line\n',
    );
  });

  test('a console without a word shows too', async () => {
    const { out } = await muster('logs 12', {
      'GET /api/jobs/12/members/panda01/console': (_, reply) => reply.end(),
    });
    expect(out).toMatch(/^==> panda01 \(client\) <==\n==> panda02/);
  });

  test('--follow keeps lines whole and says who speaks whenever that changes', async () => {
    const replies: Record<string, { write(text: string): void; end(): void }> = {};
    const say = (member: string) => ({
      [`GET /api/jobs/12/members/${member}/console`]: ((_: unknown, reply) => {
        reply.writeHead(200).flushHeaders();
        replies[member] = reply;
        if (Object.keys(replies).length === 2) replies.panda01!.write('half ');
        if (Object.keys(replies).length === 2) replies.panda02!.write('whole\n');
      }) satisfies Extract<Script[string], (...args: never[]) => void>,
    });
    const server = await fakeServer({ ...script, ...say('panda01'), ...say('panda02') });
    const steps: [string, () => void][] = [
      ['whole\n', () => replies.panda01!.write('line\n')],
      ['half line\n', () => replies.panda02!.end()],
    ];
    const { exit, out } = await here(['logs', '12', '--follow', '--url', server.url], {
      onText: (text) => {
        const [seen, act] = steps[0] ?? [];
        if (seen === undefined || !text.includes(seen)) return;
        steps.shift();
        act?.();
        if (steps.length === 0) replies.panda01!.end();
      },
    });
    expect(exit).toBe(0);
    expect(out).toBe('==> panda02 (server) <==\nwhole\n==> panda01 (client) <==\nhalf line\n');
  });

  test('--json has the text of each console', async () => {
    const { out } = await muster('logs 12 --json');
    expect(JSON.parse(out)).toEqual({
      job: 12,
      consoles: [
        { device: 'panda01', role: 'client', text: 'one\r\n\u001b[1mbold\n' },
        { device: 'panda02', role: 'server', text: 'two, no end of line' },
      ],
    });
  });

  test('of a board that is not in the job names those that are', async () => {
    const { exit, err } = await muster('logs 12 --device panda09');
    expect(exit).toBe(1);
    expect(err).toBe('muster: panda09 is no board of job 12; its boards: panda01, panda02\n');
  });

  test('of a job without boards says so', async () => {
    const waiting = { ...view, state: 'submitted', members: [] };
    const { exit, err } = await muster('logs 12', { 'GET /api/jobs/12': waiting });
    expect([exit, err]).toEqual([0, 'job 12 has no boards: it is submitted\n']);
  });
});

describe('events', () => {
  test('prints version, time and sentence of a job', async () => {
    const { out } = await muster('events 12');
    expect(out.split('\n')[0]).toMatch(
      /^ {4}1 {2}\d{4}-\d\d-\d\d \d\d:\d\d:00 {2}submitted: meeting$/,
    );
    expect(out).toContain('panda01 is released from lava-sync ready by panda02\n');
  });

  test('of the whole log have their position and their stream', async () => {
    const { out } = await muster('events', { 'GET /api/events': { events } });
    expect(out.split('\n')[0]).toMatch(/^ {2}100 {2}\S+ \S+ {2}job-12: submitted: meeting$/);
  });

  test('are read page by page to the end', async () => {
    const { out, asked } = await muster('events 12 --json --after 2', {
      'GET /api/jobs/12/events': ({ path }, reply) => {
        const after = Number(new URL(path, 'http://x').searchParams.get('after'));
        const page = events.slice(after, after + 7);
        json(reply, { events: page, ...(page.length === 7 && { next: after + 7 }) });
      },
    });
    expect(out.trimEnd().split('\n')).toHaveLength(events.length - 2);
    expect(asked).toHaveLength(3);
  });

  test('--follow goes on until the job has ended', async () => {
    const { exit, out, asked } = await muster('events 12 --follow --after 3');
    expect(exit).toBe(0);
    expect(asked[0]?.headers['last-event-id']).toBe('3');
    expect(out).toMatch(/ complete\n$/);
  });

  test('of a type that a newer server knows are named and do no harm', async () => {
    const odd = { ...events[0]!, type: 'BoardSang', data: { song: 1 } };
    const { exit, out } = await muster('events 12', {
      'GET /api/jobs/12/events': { events: [odd, events[1]] },
    });
    expect(exit).toBe(0);
    expect(out.replaceAll(/\s+/g, ' ')).toContain(
      'BoardSang: an event that this version of muster does not know',
    );
    expect(out).toContain('allocated');
  });
});

describe('watch', () => {
  test('shows a job to its end, then its boards', async () => {
    const { exit, out } = await muster('watch 12');
    expect(exit).toBe(0);
    expect(out).toContain('panda01 waits at lava-sync ready for panda02\n');
    expect(out).toContain('panda02  server  complete');
    expect(out).toMatch(/\njob 12 is complete\n$/);
  });

  test('without a job shows all jobs and boards from now on', async () => {
    const interrupt = new AbortController();
    const offline = {
      ...events[0]!,
      stream: 'device-panda03',
      type: 'DeviceWentOffline',
      data: { reason: 'no power' },
      position: 501,
    };
    const [first] = recorded([submitted], 13, 500);
    const server = await fakeServer({
      'GET /api/health': {
        status: 'ok',
        version: '0',
        since: view.submittedAt,
        store: 'memory',
        position: 499,
      },
      'GET /api/events': (_, reply) => sse(reply, [first!, offline], 'position'),
    });
    const { exit, out } = await here(['watch', '--url', server.url], {
      interrupt,
      onText: (text) => text.includes('no power') && interrupt.abort(),
    });
    expect(exit).toBe(130);
    expect(server.asked[1]?.headers['last-event-id']).toBe('499');
    expect(out).toMatch(
      /^\S+ {2}job 13 {2}submitted: meeting .*\n\S+ {2}panda03: offline: no power\n$/,
    );
  });

  test('is ended by Ctrl-C, and says that the job goes on', async () => {
    const interrupt = new AbortController();
    const server = await fakeServer({
      'GET /api/jobs/12/events': (_, reply) => sse(reply, events.slice(0, 3)),
    });
    const { exit, err } = await here(['watch', '12', '--url', server.url], {
      interrupt,
      onText: (out) => out.includes('boots') && interrupt.abort(),
    });
    expect([exit, err]).toEqual([130, 'muster: job 12 goes on\n']);
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

describe('what goes wrong', () => {
  test.each([
    'frobnicate',
    'job',
    'job x',
    'job 0',
    'jobs --limit 0',
    'jobs --state odd',
    'job 12 --odd',
    'submit',
  ])('muster %s is wrong usage: exit 2, a line on stderr, nothing asked', async (args) => {
    const { exit, out, err, asked } = await muster(args);
    expect([exit, out, asked]).toEqual([2, '', []]);
    expect(err).toMatch(/^muster: .*\n(.*\n)*\(--help shows how it is used\)\n$/);
    expect(widest(err)).toBeLessThanOrEqual(80);
  });

  test('an address that is none is wrong usage', async () => {
    const { exit, err } = await muster('jobs --url nonsense');
    expect(exit).toBe(2);
    expect(err).toContain('"nonsense" is not the address of a server');
  });

  test('a missing token says which variable carries it', async () => {
    const { exit, err } = await muster('jobs', {
      'GET /api/jobs': (_, reply) => problem(reply, 401, 'token-missing', 'a token is needed'),
    });
    expect(exit).toBe(1);
    expect(err).toContain('MUSTER_API_TOKEN');
  });

  test('the token of the environment is sent', async () => {
    const server = await fakeServer(script);
    await here(['jobs'], { env: { MUSTER_URL: server.url, MUSTER_API_TOKEN: 'abc' } });
    expect(server.asked[0]?.headers.authorization).toBe('Bearer abc');
  });

  test('--url stands above the environment', async () => {
    const server = await fakeServer(script);
    const env = { MUSTER_URL: 'http://127.0.0.1:1' };
    expect((await here(['jobs', '--url', server.url], { env })).exit).toBe(0);
  });

  test('a request that is refused names all that is wrong with it', async () => {
    const problems = [{ path: 'body.reason', message: 'too long' }];
    const { exit, err } = await muster('cancel 12', {
      'POST /api/jobs/12/cancel': (_, reply) =>
        problem(reply, 400, 'invalid-request', 'the request is not right', { problems }),
    });
    expect(exit).toBe(1);
    expect(err).toBe('muster: the request is not right\n  body.reason: too long\n');
  });

  test('an answer of another shape is told from a failure of ours', async () => {
    const { exit, err } = await muster('jobs', { 'GET /api/jobs': { jobs: 'none' } });
    expect(exit).toBe(1);
    expect(err).toContain('does not answer as');
    expect(err).not.toContain('internal');
  });

  test('a reader that goes away ends the command quietly', async () => {
    const server = await fakeServer(script);
    const ended = await here(['events', '12', '--url', server.url], { writesMax: 2 });
    expect([ended.exit, ended.err]).toEqual([0, '']);
  });
});
