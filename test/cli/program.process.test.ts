/** The command line as a process of its own: exit codes, pipes, signals, help. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { COMMANDS, child, deadUrl, fakeServer, json, sse, sseEnd, widest } from './fake-server.ts';
import { events, results, view } from './job-12.ts';

describe('the process', () => {
  test('--version prints the version of the package', async () => {
    const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
    expect(await child(['--version'])).toEqual({
      exit: 0,
      out: `${JSON.parse(text).version}\n`,
      err: '',
    });
  });

  test('--help names every command', async () => {
    const { exit, out } = await child(['--help']);
    expect(exit).toBe(0);
    for (const command of ['serve', ...COMMANDS])
      expect(out).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(widest(out)).toBeLessThanOrEqual(80);
  });

  test('without a command shows the help on stderr and ends with 2', async () => {
    const { exit, out, err } = await child([]);
    expect([exit, out]).toEqual([2, '']);
    expect(err).toContain('Usage: muster');
  });

  test('ends with 3 without a server', async () => {
    const { exit, err } = await child(['jobs'], { env: { MUSTER_URL: await deadUrl() } });
    expect(exit).toBe(3);
    expect(err).toContain('muster serve --lab');
  });

  test.each([
    ['is not there', undefined, 'it cannot be read: ENOENT'],
    ['is not right', 'colour: green\ndevices:\n', 'device_types: missing; expected an'],
  ])('serve refuses a lab file that %s, in 80 columns', async (_, text, says) => {
    const folder = await mkdtemp(join(tmpdir(), 'muster-process-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'lab.yaml');
    if (text !== undefined) await writeFile(file, text);
    const { exit, err } = await child(['serve', '--lab', file]);
    expect(exit).toBe(2);
    expect(err.replace(/\s+/g, ' ')).toContain(`muster: ${file} is not a lab that can be used`);
    expect(err).toContain(says);
    expect(widest(err)).toBeLessThanOrEqual(80);
  });

  test('submits standard input, waits, and ends with 0; no escape sequence goes into a pipe', async () => {
    const server = await fakeServer({
      'POST /api/jobs': (_, reply) =>
        json(reply, { id: 12, state: 'submitted', warnings: [], short: [] }, 201),
      'GET /api/jobs/12/events': (_, reply) => {
        sse(reply, events);
        sseEnd(reply);
      },
      'GET /api/jobs/12': view,
      'GET /api/jobs/12/results': results,
    });
    const env = { MUSTER_URL: server.url };
    const { exit, out, err } = await child(['submit', '-', '--wait'], { env, stdin: '{}' });
    expect([exit, out]).toEqual([0, '12\n']);
    expect(server.asked[0]?.body).toBe('{}');
    expect(err).toContain('lava-sync ready is released');
    expect(out + err).not.toContain('\u001b');
  });

  test('writes all of a long answer into a slow pipe before it ends', async () => {
    const jobs = Array.from({ length: 5000 }, (_, at) => ({ ...view, id: at + 1 }));
    const server = await fakeServer({ 'GET /api/jobs': { jobs } });
    const { exit, out } = await child(['jobs', '--json'], { env: { MUSTER_URL: server.url } });
    expect(exit).toBe(0);
    expect(JSON.parse(out).jobs).toHaveLength(5000);
  });

  test('ends quietly when its reader goes away (| head)', async () => {
    const server = await fakeServer({
      'GET /api/jobs/12/events': (_, reply) => {
        // Goes on for ever: only the closed pipe ends it.
        sse(reply, events.slice(0, 2));
        const timer = setInterval(() => sse(reply, events.slice(2, 3)), 20);
        reply.on('close', () => clearInterval(timer));
      },
    });
    const { exit, err } = await child(['events', '12', '--follow'], {
      env: { MUSTER_URL: server.url },
      onText: (out, _, acts) => {
        if (out.includes('submitted')) acts.closeOut();
      },
    });
    expect([exit, err]).toEqual([0, '']);
  });

  test('is ended by SIGINT with 130, and says that the job goes on', async () => {
    const server = await fakeServer({
      'GET /api/jobs/12/events': (_, reply) => sse(reply, events.slice(0, 3)),
    });
    let isInterrupted = false;
    const { exit, out, err } = await child(['watch', '12'], {
      env: { MUSTER_URL: server.url },
      onText: (out, _, acts) => {
        // Once: a second one kills, as it should.
        if (out.includes('panda01 boots') && !isInterrupted) acts.interrupt();
        isInterrupted ||= out.includes('panda01 boots');
      },
    });
    expect([exit, err]).toEqual([130, 'muster: job 12 goes on\n']);
    expect(out).toContain('panda01 boots');
  });
});
