/** `muster logs`, `muster events` and `muster watch`, in this process against scripted answers. */
import { describe, expect, test } from 'vitest';
import { fakeServer, here, json, type Script, sse } from './fake-server.ts';
import { events, recorded, submitted, view } from './job-12.ts';
import { muster, script } from './scripted.ts';

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
      /^ {4}1 {2}\d{4}-\d\d-\d\d \d\d:\d\d:00 {2}the job is submitted: meeting \(1 x client, 1 x$/,
    );
    expect(out.replaceAll(/\s+/g, ' ')).toContain(
      'panda01 is released from lava-sync ready: panda02 came last',
    );
  });

  test('of the whole log have their position and their stream', async () => {
    const { out } = await muster('events', { 'GET /api/events': { events } });
    expect(out.split('\n')[0]).toMatch(
      /^ {2}100 {2}\S+ \S+ {2}job-12 is submitted: meeting \(1 x client, 1 x$/,
    );
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
    expect(out).toContain('the job has its boards');
  });
});

describe('watch', () => {
  test('shows a job to its end, then its boards', async () => {
    const { exit, out } = await muster('watch 12');
    expect(exit).toBe(0);
    expect(out).toContain('panda01 waits in lava-sync ready for panda02\n');
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
    const followed = server.asked.find(({ path }) => path.startsWith('/api/events'));
    expect(followed?.headers['last-event-id']).toBe('499');
    expect(out).toMatch(
      /^\S+ {2}job 13 is submitted: meeting .*\n\S+ {2}panda03 goes offline: no power\n$/,
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
