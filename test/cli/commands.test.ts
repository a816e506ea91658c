/** Every command's page and JSON, run in this process against scripted answers. */
import { describe, expect, test } from 'vitest';
import {
  COMMANDS,
  fakeServer,
  here,
  json,
  problem,
  type Script,
  sse,
  widest,
} from './fake-server.ts';
import { barriers, events, recorded, results, submitted, view } from './job-12.ts';
import { muster, script } from './scripted.ts';

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

  test('what the refusal itself says is not said again', async () => {
    const problems = [{ path: 'body.reason', message: 'too short' }];
    const { err } = await muster('cancel 12', {
      'POST /api/jobs/12/cancel': (_, reply) =>
        problem(reply, 400, 'invalid-request', 'body.reason: too short', { problems }),
    });
    expect(err).toBe('muster: body.reason: too short\n');
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
