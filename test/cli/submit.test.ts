/** `muster submit`: what it sends, prints, and ends with. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Lab } from '../machines/lab.ts';
import {
  deadUrl,
  fakeServer,
  type HereOptions,
  here,
  json,
  problem,
  type Script,
  sse,
  sseEnd,
  widest,
} from './fake-server.ts';
import { events, results, view } from './job-12.ts';

const TEXT = '{\n  "job_name": "meeting",\n  "colour": "red"\n}\n';

async function jobFile(name = 'job.json', text: string | Uint8Array = TEXT): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-cli-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

const accepted = { id: 12, state: 'submitted', warnings: [], short: [] };

/** A server on which the job has run to its end. */
const ended = (is: Partial<typeof view> = {}, summary = {}): Script => ({
  'POST /api/jobs': (_, reply) => json(reply, accepted, 201),
  'GET /api/jobs/12/events': (_, reply) => {
    sse(reply, events);
    sseEnd(reply);
  },
  'GET /api/jobs/12': { ...view, ...is },
  'GET /api/jobs/12/results': { ...results, summary: { ...results.summary, ...summary } },
});

async function submit(script: Script, args: readonly string[] = [], options: HereOptions = {}) {
  const server = await fakeServer(script);
  const file = await jobFile();
  const done = await here(['submit', file, '--url', server.url, ...args], options);
  return { ...done, file, asked: server.asked };
}

const refused: Script = {
  'POST /api/jobs': (_, reply) =>
    problem(reply, 422, 'invalid-job', 'line 3, column 3: unknown field', {
      problems: [
        { path: 'colour', line: 3, column: 3, message: 'unknown field' },
        { path: '', line: 4, column: 1, message: 'device_group is missing' },
      ],
    }),
};

describe('submit', () => {
  test('hands in the file as it is, and prints the number only', async () => {
    const { exit, out, err, asked } = await submit(ended());
    expect({ exit, out, err }).toEqual({ exit: 0, out: '12\n', err: '' });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ path: '/api/jobs', body: TEXT });
    expect(asked[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'idempotency-key': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  test('- is standard input', async () => {
    const server = await fakeServer(ended());
    const { exit, out } = await here(['submit', '-', '--url', server.url], { stdin: TEXT });
    expect([exit, out]).toEqual([0, '12\n']);
    expect(server.asked[0]?.body).toBe(TEXT);
  });

  test.each([
    ['--counts-self', '/api/jobs?countsSelf=true'],
    ['--no-counts-self', '/api/jobs?countsSelf=false'],
  ])('%s is passed on', async (option, path) => {
    expect((await submit(ended(), [option])).asked[0]?.path).toBe(path);
  });

  test('--strict is passed on, and a job that lint refuses ends with 2', async () => {
    const { exit, asked, err } = await submit(refused, ['--strict']);
    expect([exit, asked[0]?.path]).toEqual([2, '/api/jobs?strict=true']);
    expect(err.replaceAll(/\n\s*/g, ' ')).toContain('nothing was submitted');
  });

  test('says in one line on stderr what lint did not read', async () => {
    const unread = 'lint did not read smoke.yaml of https://example.org/tests.git';
    const { exit, out, err } = await submit({
      'POST /api/jobs': (_, reply) => json(reply, { ...accepted, unread }, 201),
    });
    expect([exit, out, err]).toEqual([0, '12\n', `${unread}\n`]);
  });

  test('shows warnings with their place on stderr', async () => {
    const warnings = [{ path: 'colour', line: 3, column: 3, message: 'is not used' }];
    const { exit, out, err, file } = await submit({
      'POST /api/jobs': (_, reply) => json(reply, { ...accepted, warnings }, 201),
    });
    expect([exit, out]).toEqual([0, '12\n']);
    expect(err.replaceAll(/\n\s*/g, ' ')).toContain(`${file}:3:3 `);
    expect(err).toContain('warning: is not used');
    expect(err).toContain('      "colour": "red"\n      ^\n');
  });

  test('--json prints the number and the warnings', async () => {
    const { out } = await submit(ended(), ['--json']);
    expect(JSON.parse(out)).toEqual(accepted);
  });

  test('of a wrong file shows every problem with a caret, submits nothing, ends with 2', async () => {
    const { exit, out, err, file } = await submit(refused);
    expect([exit, out]).toEqual([2, '']);
    expect(err.replaceAll(/\n\s*/g, ' ')).toContain(`${file}:3:3 `);
    expect(err).toContain('colour: unknown field\n      "colour": "red"\n      ^\n');
    expect(err).toContain('device_group is missing');
    expect(err.replaceAll(/\n\s*/g, ' ')).toContain('nothing was submitted');
    expect(widest(err)).toBeLessThanOrEqual(80);
  });

  test('--wait of a wrong file ends with 2 as well', async () => {
    expect((await submit(refused, ['--wait'])).exit).toBe(2);
  });

  test('of a file that cannot be read ends with 2 before any server is asked', async () => {
    const { exit, out, err } = await here(['submit', '/no/such/file.json']);
    expect({ exit, out, err }).toEqual({
      exit: 2,
      out: '',
      err: 'muster: /no/such/file.json cannot be read: there is no such file\n',
    });
    expect((await here(['submit', tmpdir()])).err).toContain('it is a folder');
  });

  test('of a file above the limit ends with 2 and sends nothing', async () => {
    const server = await fakeServer(ended());
    const file = await jobFile('big.json', new Uint8Array(4 * 1024 * 1024 + 1));
    const { exit, err } = await here(['submit', file, '--url', server.url]);
    expect(exit).toBe(2);
    expect(err).toContain('is larger than 4 MiB');
    expect(server.asked).toEqual([]);
  });

  test('without a server ends with 3 and says how to start one', async () => {
    const url = await deadUrl();
    const { exit, out, err } = await here(['submit', await jobFile(), '--url', url]);
    expect([exit, out]).toEqual([3, '']);
    expect(err).toContain(`no server answers at ${url} (connection refused)`);
    expect(err).toContain('muster serve --lab lab.yaml');
  });

  test('sends the same key again when the connection breaks, so that there is one job', async () => {
    const keys: unknown[] = [];
    const { exit, out } = await submit({
      'POST /api/jobs': ({ headers }, reply) => {
        keys.push(headers['idempotency-key']);
        if (keys.length < 3) reply.destroy();
        else json(reply, accepted, 201);
      },
    });
    expect([exit, out]).toEqual([0, '12\n']);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
  });

  test('of two runs has two keys', async () => {
    const key = async () => (await submit(ended())).asked[0]?.headers['idempotency-key'];
    expect(await key()).not.toBe(await key());
  });

  test('tells at once when the log cannot be written', async () => {
    const { exit, err, asked } = await submit({
      'POST /api/jobs': (_, reply) => problem(reply, 503, 'store-unavailable', 'the disk is full'),
    });
    expect([exit, err, asked.length]).toEqual([1, 'muster: the disk is full\n', 1]);
  });

  test.each([[[]], [['--wait']]])(
    'of a job that no boards can run prints the number, says why, ends with 1 %j',
    async (args) => {
      const short = [
        { role: 'server', wanted: 3, found: 2, lacking: '2 of 3 boards of type panda' },
      ];
      const rejected = { ...accepted, state: 'rejected', short };
      const { exit, out, err, asked } = await submit(
        { 'POST /api/jobs': (_, reply) => json(reply, rejected, 201) },
        args,
      );
      expect([exit, out]).toEqual([1, '12\n']);
      expect(err).toBe(
        'job 12 is rejected: the boards that there are can never run it\n' +
          '  role server: 2 of 3 boards of type panda\n',
      );
      expect(asked).toHaveLength(1);
    },
  );
});

describe('submit --wait', () => {
  test('shows the progress on stderr and ends with 0 when the job is complete', async () => {
    const { exit, out, err } = await submit(ended(), ['--wait']);
    expect([exit, out]).toEqual([0, '12\n']);
    expect(err).toContain('panda01 boots\n');
    expect(err).toContain('panda01 waits in lava-sync ready for panda02\n');
    expect(err).toContain('lava-sync ready is released: panda02 came last\n');
    expect(err).toMatch(/\njob 12 is complete: \d pass, 0 fail, 0 skip, 0 unknown\n$/);
    expect(err).not.toContain('muster job');
    expect(err).not.toContain('\u001b');
    expect(widest(err)).toBeLessThanOrEqual(80);
  });

  test('ends with 1 when a case failed', async () => {
    expect((await submit(ended({}, { fail: 1 }), ['--wait'])).exit).toBe(1);
  });

  test.each(['failed', 'timedOut', 'cancelled'] as const)(
    'ends with 1 when the job is %s, whatever its cases say',
    async (state) => {
      const { exit, err } = await submit(ended({ state }), ['--wait']);
      expect(exit).toBe(1);
      expect(err).toContain(`job 12 is ${state}`);
      expect(err.replaceAll(/\s+/g, ' ')).toContain(
        'muster job 12 says how each board ended, muster barriers 12 who waited for whom,',
      );
    },
  );

  test('of a job that reached its limit at a barrier says who was missing in a sentence, and then a line each', async () => {
    const lab = new Lab('panda01:client panda02:client panda03:server', { timeoutSeconds: 60 });
    for (const member of ['panda01', 'panda02']) lab.sync(member, 'ready');
    lab.pass(60);
    lab.do({ type: 'TimeOutJob', limit: 'job' });
    const script: Script = {
      ...ended({ state: 'timedOut' }),
      'GET /api/jobs/12/events': (_, reply) => {
        sse(reply, lab.events);
        sseEnd(reply);
      },
    };
    const { err } = await submit(script, ['--wait']);
    const told = err.replaceAll(/^\d\d:\d\d:\d\d {2}/gm, '').split('\n');
    expect(told.slice(told.findIndex((line) => line.includes('timed out')))).toEqual([
      'panda01 timed out: the job reached its timeout of 1 min in lava-sync',
      '          ready: panda03 is missing',
      '            panda03 (server): runs action 0 lava_test_shell for 1 min, last:',
      '            action 0 lava_test_shell 1 min ago',
      'panda02 timed out: the job reached its timeout of 1 min in lava-sync',
      '          ready: panda03 is missing',
      'panda03 timed out: the job reached its timeout of 1 min',
      'the job timed out: reached its timeout of 1 min',
      expect.stringMatching(/^job 12 is timedOut: /),
      'muster job 12 says how each board ended, muster barriers 12 who waited for whom,',
      'muster logs 12 what they printed',
      '',
    ]);
  });

  test('--json prints one document when the job has ended', async () => {
    const { exit, out } = await submit(ended(), ['--wait', '--json']);
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      id: 12,
      warnings: [],
      state: 'complete',
      members: view.members,
      summary: results.summary,
    });
  });

  test('goes on when nobody reads its stdout: the exit status is what counts', async () => {
    const { exit, err } = await submit(ended({ state: 'failed' }), ['--wait'], { writesMax: 0 });
    expect(exit).toBe(1);
    expect(err).toContain('panda01 boots');
  });

  test('goes on over a broken connection, and tells nothing twice', async () => {
    const { exit, err } = await submit(
      {
        ...ended(),
        'GET /api/jobs/12/events': ({ headers }, reply) => {
          const last = Number(headers['last-event-id'] ?? 0);
          sse(reply, events.slice(last, last + 10));
          if (last === 0) reply.end();
          else sseEnd(reply);
        },
      },
      ['--wait'],
    );
    expect(exit).toBe(0);
    expect(err.match(/panda01 boots/g)).toHaveLength(1);
    expect(err.match(/trying again/g)).toHaveLength(1);
    expect(err).toContain('the job is complete');
  });

  test('is ended by Ctrl-C with 130, and says that the job goes on', async () => {
    const interrupt = new AbortController();
    const { exit, out, err } = await submit(
      {
        ...ended(),
        'GET /api/jobs/12/events': (_, reply) => sse(reply, events.slice(0, 4)),
      },
      ['--wait'],
      { interrupt, onText: (_, err) => err.includes('panda02 boots') && interrupt.abort() },
    );
    expect([exit, out]).toEqual([130, '12\n']);
    expect(err.replaceAll(/\n\s*/g, ' ')).toContain(
      'muster: job 12 goes on; muster watch 12 shows it again, muster cancel 12 ends it',
    );
  });
});
