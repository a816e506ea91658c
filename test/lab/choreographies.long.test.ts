/** Whole jobs on real boards of a real server: what a user writes, and what comes of it. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BarrierView, CaseView, JobView } from '../../projections/views.ts';
import { checkLog } from './invariants.ts';
import { ServerProcess } from './server-process.ts';

const LAB = `
device_types: { panda: { driver: local }, beagle: { driver: local } }
devices:
  panda01: { type: panda }
  panda02: { type: panda }
  beagle01: { type: beagle }
  beagle02: { type: beagle }
`;
const run = promisify(execFile);
let server: ServerProcess;
let repository: string;

beforeAll(async () => {
  server = await ServerProcess.make(LAB, [], (folder) => [join(folder, 'tests')]);
  await server.start();
  repository = join(server.folder, 'tests');
  await mkdir(repository);
  const definition = (name: string, steps: string[]) =>
    writeFile(
      join(repository, `${name}.yaml`),
      `metadata: { format: Lava-Test Test Definition 1.0, name: ${name} }\nrun:\n  steps:\n${steps.map((s) => `    - ${JSON.stringify(s)}\n`).join('')}`,
    );
  await definition('fine', ['lava-test-case one --result pass', 'true']);
  await definition('suicide', ['kill -9 $$', 'lava-test-case never --result pass']);
  await definition('raise', ['lava-test-raise "no disk"']);
  // Dots without a line end, from a process that outlives its definition.
  await definition('dots', ['(while :; do printf .; sleep 0.002; done) & sleep 0.2']);
  await definition('parameters', ['lava-test-case "is-$WORD" --result pass']);
  const git = (...words: string[]) => run('git', words, { cwd: repository });
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '.');
  await git(
    '-c',
    'user.name=t',
    '-c',
    'user.email=t@localhost',
    'commit',
    '--quiet',
    '-m',
    'tests',
  );
});

afterAll(async () => {
  await server.end('SIGTERM');
  checkLog(await server.log(), { finished: true });
  await server.remove();
});

interface Ended {
  job: JobView;
  cases: CaseView[];
  barriers: BarrierView[];
  console(device: string): Promise<string>;
}

const group = (...roles: [role: string, count: number, type: string][]) =>
  roles.map(([role, count, device_type]) => ({ role, count, device_type }));
const commands = (role: string | undefined, ...list: string[]) => ({
  command: 'lava_command_run',
  parameters: { commands: list, ...(role && { role }) },
});
const shell = (testdef: string, more: object = {}) => ({
  command: 'lava_test_shell',
  parameters: { testdef_repos: [{ 'git-repo': repository, testdef, ...more }] },
});

/** Submits a job and waits for its end. */
async function ended(job: object): Promise<Ended> {
  const { id } = await server.post('/api/jobs', { timeout: 120, job_name: 'a job', ...job });
  const url = `/api/jobs/${id}`;
  // The stream of a job's events ends after its last one.
  const stream = await fetch(`${server.url}${url}/events`, {
    headers: { accept: 'text/event-stream' },
  });
  await stream.text();
  const { cases } = await server.get<{ cases: CaseView[] }>(`${url}/results`);
  const { barriers } = await server.get<{ barriers: BarrierView[] }>(`${url}/barriers`);
  return {
    job: await server.get<JobView>(url),
    cases,
    barriers,
    console: async (device) =>
      await (await fetch(`${server.url}${url}/members/${device}/console`)).text(),
  };
}
const results = ({ cases }: Ended) =>
  Object.fromEntries(cases.map((c) => [`${c.device} ${c.case}`, c.result]));

it('carries values with = : > quotes and UTF-8 to the cache file, and rounds of one sync id', async () => {
  const end = await ended({
    device_group: group(['a', 1, 'panda'], ['b', 1, 'beagle']),
    actions: [
      commands('a', `lava-send m 'k=x=1 > "é" : y'`, 'lava-sync s', 'lava-sync s'),
      commands(
        'b',
        `lava-wait-all m && grep -qx 'panda0[12]:k=x=1 > "é" : y' /tmp/lava_multi_node_cache.txt`,
        'lava-sync s',
        'lava-sync s',
      ),
    ],
  });
  expect(end.job.state).toBe('complete');
  expect(end.cases.filter((c) => c.result !== 'pass')).toEqual([]);
  expect(end.barriers.filter((b) => b.verb === 'sync').map((b) => [b.round, b.released])).toEqual([
    [1, true],
    [2, true],
  ]);
});

it('fails the waiters of a board that ended, at once and with what it ended of', async () => {
  const end = await ended({
    device_group: group(['a', 1, 'panda'], ['b', 1, 'beagle']),
    actions: [
      { ...shell('raise.yaml'), parameters: { ...shell('raise.yaml').parameters, role: 'a' } },
      commands('b', 'lava-sync together', 'lava-test-case after --result pass'),
    ],
  });
  expect(end.job.state).toBe('failed');
  expect(end.job.reason).toContain('no disk');
  const waiter = end.job.members.find((m) => m.role === 'b');
  expect(waiter?.state).toBe('failed');
  expect(waiter?.reason).toContain('no disk');
  expect(results(end)[`${waiter?.device} after`]).toBe('pass');
});

it('ends an action at its limit, and says who was missing in the console and the result', async () => {
  const limited = commands('a', 'lava-wait never');
  const end = await ended({
    device_group: group(['a', 1, 'panda'], ['b', 1, 'beagle']),
    actions: [
      { ...limited, parameters: { ...limited.parameters, timeout: 3 } },
      commands('b', 'sleep 6'),
    ],
  });
  expect(end.job.state).toBe('failed');
  const [late, other] = end.job.members;
  expect([late?.state, other?.state]).toEqual(['timedOut', 'complete']);
  expect(late?.reason).toContain(other?.device);
  expect(await end.console(late?.device ?? '')).toContain(
    `reached its limit of 3 s in lava-wait never: ${other?.device} is missing`,
  );
});

it('records a script that kills its own shell, and runs the next definition', async () => {
  const [first, next] = [shell('suicide.yaml'), shell('fine.yaml')];
  const end = await ended({
    device_type: 'panda',
    actions: [
      {
        command: 'lava_test_shell',
        parameters: {
          testdef_repos: [...first.parameters.testdef_repos, ...next.parameters.testdef_repos],
        },
      },
    ],
  });
  expect(end.job.state).toBe('complete');
  expect(end.cases.map((c) => [c.suite, c.case, c.result])).toEqual([
    ['0_suicide', 'exit', 'fail'],
    ['1_fine', 'one', 'pass'],
  ]);
  expect(end.cases[0]?.note).toContain('137');
});

it('hands the job’s parameters to the definition', async () => {
  const end = await ended({
    device_type: 'panda',
    actions: [shell('parameters.yaml', { parameters: { WORD: 'given' } })],
  });
  expect(end.cases.map((c) => c.case)).toEqual(['is-given']);
});

it.each([
  ['a repository that does not exist', { 'git-repo': '/nonexistent/repo.git', testdef: 'a.yaml' }],
  ['a definition that is not in its repository', { testdef: 'missing.yaml' }],
])('fails the member on %s, with the reason', async (_, more) => {
  const end = await ended({ device_type: 'panda', actions: [shell('fine.yaml', more)] });
  expect(end.job.state).toBe('failed');
  expect(end.job.reason).toMatch(/repo\.git|missing\.yaml/);
});

it('takes a killed sync up again as the same round, and reuses the id for the next', async () => {
  const end = await ended({
    device_group: group(['a', 1, 'panda'], ['b', 1, 'beagle']),
    actions: [
      commands('a', '! timeout 1 lava-sync s', '! timeout 1 lava-sync s', 'lava-send tried'),
      commands('a', 'lava-sync s', 'lava-sync s'),
      commands('b', 'lava-wait tried', 'lava-sync s', 'lava-sync s'),
    ],
  });
  expect(end.job.state).toBe('complete');
  const rounds = end.barriers.filter((b) => b.verb === 'sync');
  expect(rounds.map((b) => [b.round, b.arrivals.length, b.released])).toEqual([
    [1, 2, true],
    [2, 2, true],
  ]);
});

it('fails boards that wait for one another, not before the grace in which a background may send', async () => {
  const crossed = (first: string) => ({
    device_group: group(['a', 1, 'panda'], ['b', 1, 'beagle']),
    unreachable_grace_seconds: 3,
    actions: [
      commands('a', `${first}lava-wait from-b`),
      commands('b', 'lava-wait from-a', 'lava-send from-b'),
    ],
  });
  const stuck = await ended(crossed(''));
  expect(stuck.job.state).toBe('failed');
  expect(stuck.job.members.map((m) => m.state)).toEqual(['failed', 'failed']);
  const [a, b] = stuck.job.members.map((m) => m.device);
  expect(await stuck.console(a ?? '')).toContain(`${a}, ${b} wait for one another`);
  const saved = await ended(crossed('(sleep 1; lava-send from-a) & '));
  expect(saved.job.state).toBe('complete');
});

it('refuses a wait for a role that the job does not have, and counts no send that it refuses', async () => {
  const end = await ended({
    device_group: group(['a', 1, 'panda'], ['b', 1, 'beagle']),
    actions: [
      commands(
        'a',
        'lava-wait-all x nobody 2>&1 | grep "its roles are a, b"',
        '! lava-wait-all x ""',
        '! lava-send m "two words"',
        `big=$(printf '%65534s' | tr ' ' v); ! lava-send m "k=\${big}v" && lava-send m "k=$big"`,
      ),
      commands('b', 'lava-wait-all m', 'test $(wc -c < /tmp/lava_multi_node_cache.txt) -gt 65536'),
    ],
  });
  expect(end.job.state).toBe('complete');
  expect(end.cases.filter((c) => c.case.startsWith('0') && c.result !== 'pass')).toEqual([]);
  const refused = end.cases.filter((c) => c.result === 'fail').map((c) => c.case);
  expect(refused.sort()).toEqual([
    'multinode-send-m',
    'multinode-send-m',
    'multinode-wait-all-x',
    'multinode-wait-all-x',
  ]);
});

it('runs on when a step left something in the background that prints without line ends', async () => {
  const [dots, next] = [shell('dots.yaml'), shell('fine.yaml')];
  const end = await ended({ device_type: 'panda', actions: [dots, next] });
  expect(end.job.reason).toBeUndefined();
  expect(results(end)).toEqual({ [`${end.job.members[0]?.device} one`]: 'pass' });
});

it('boots again after each deploy, and keeps the cases of each action apart', async () => {
  const deploy = { command: 'deploy_linaro_image', parameters: { image: 'host:' } };
  const look = commands(undefined, 'test ! -e /here && echo > /here');
  const end = await ended({
    device_type: 'panda',
    actions: [commands(undefined, 'echo > /here'), look, deploy, look, deploy, look],
  });
  expect(end.job.state).toBe('complete');
  expect(end.cases.map((c) => [c.suite, c.result])).toEqual([
    ['0_lava-command-run', 'pass'],
    ['1_lava-command-run', 'fail'],
    ['2_lava-command-run', 'pass'],
    ['3_lava-command-run', 'pass'],
  ]);
});

it('cancels the whole group, and gives every board back', async () => {
  const { id } = await server.post('/api/jobs', {
    timeout: 120,
    job_name: 'cancelled',
    device_group: group(['a', 2, 'panda']),
    actions: [commands(undefined, 'sleep 100')],
  });
  for (let state = ''; state !== 'allocated'; )
    ({ state } = await server.get<JobView>(`/api/jobs/${id}`));
  await server.post(`/api/jobs/${id}/cancel`, { reason: 'enough' });
  const again = await server.post(`/api/jobs/${id}/cancel`, {});
  expect(again.state).toBe('cancelled');
  const { members } = await server.get<JobView>(`/api/jobs/${id}`);
  expect(members.map((m) => m.state)).toEqual(['cancelled', 'cancelled']);
});

it('queues a group until all its boards are idle, and says why it waits', async () => {
  const busy = {
    timeout: 60,
    job_name: 'busy',
    device_group: group(['a', 2, 'panda']),
    actions: [commands(undefined, 'lava-wait go')],
  };
  const first = await server.post('/api/jobs', busy);
  for (let state = ''; state !== 'allocated'; )
    ({ state } = await server.get<JobView>(`/api/jobs/${first.id}`));
  const second = await server.post('/api/jobs', {
    ...busy,
    job_name: 'patient',
    device_group: group(['a', 1, 'panda'], ['b', 1, 'beagle']),
    actions: [commands(undefined, 'true')],
  });
  const { queue } = await server.get<{ queue: { job: number; reason: string }[] }>('/api/queue');
  expect(queue.map((q) => q.job)).toEqual([second.id]);
  expect(queue[0]?.reason).toContain(`job ${first.id}`);
  const { devices } = await server.get<{ devices: { name: string; state: string }[] }>(
    '/api/devices',
  );
  expect(devices.filter((d) => d.name.startsWith('beagle')).map((d) => d.state)).toEqual([
    'idle',
    'idle',
  ]);
  await server.post(`/api/jobs/${first.id}/cancel`, {});
  for (let state = ''; state !== 'complete'; )
    ({ state } = await server.get<JobView>(`/api/jobs/${second.id}`));
});

it('refuses a second server on the same folder, with the pid of the first', async () => {
  const main = new URL('../../dist/cli/main.js', import.meta.url).pathname;
  const words = [main, 'serve', '--data', server.dataDir, '--listen', '127.0.0.1:0'];
  await expect(run(process.execPath, words)).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/in use by .*pid \d+/),
  });
});
