/** What all commands have in common: a page, help, and clear words when something goes wrong. */
import { describe, expect, test } from 'vitest';
import { COMMANDS, fakeServer, here, problem, widest } from './fake-server.ts';
import { events } from './job-12.ts';
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
