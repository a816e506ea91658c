/** `muster lint` on files and folders: what it prints, and how it exits. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeServer, here } from './fake-server.ts';

let dir: string;
const put = (name: string, text: string) => {
  mkdirSync(join(dir, name, '..'), { recursive: true });
  writeFileSync(join(dir, name), text);
  chmodSync(join(dir, name), 0o755);
};
const job = (repository: string) =>
  JSON.stringify({
    timeout: 900,
    job_name: 'lint me',
    device_group: [
      { role: 'server', count: 1, device_type: 'panda' },
      { role: 'client', count: 2, device_type: 'panda' },
    ],
    actions: [
      {
        command: 'lava_test_shell',
        parameters: { testdef_repos: [{ 'git-repo': repository, testdef: 'd.yaml' }] },
      },
    ],
  });

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'muster-lint-'));
  put('t/d.yaml', 'run:\n  steps:\n    - ./run-$(lava-role).sh\n    - lava-sync end\n');
  put('t/run-server.sh', '#!/bin/sh\nlava-send ready\nlava-wait-all done client\n');
  put('t/run-client.sh', '#!/bin/sh\nlava-wait raedy\nlava-send done\n');
  put('job.json', job(join(dir, 't')));
  put('far.json', job('https://example.org/tests.git'));
  put('good/g.yaml', 'run:\n  steps:\n    - lava-test-case a --shell lava-sync end\n');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const lint = async (...args: string[]) => {
  const { exit, out } = await here(['lint', ...args.map((arg) => arg.replace('DIR', dir))]);
  return { exit, out: out.replaceAll(dir, 'DIR') };
};

test('a job whose repository lies here is followed into its scripts, to the line', async () => {
  const { exit, out } = await lint('DIR/job.json');
  expect(exit).toBe(1);
  expect(out).toContain(
    't/run-client.sh:2:1  error: client waits for raedy, which server and client never send',
  );
  expect(out).toContain('ready is sent: is it meant?');
  expect(out).toMatch(/^broken: 1 error$/m);
});

test('a repository that is not here makes it unknown, not clean', async () => {
  const { exit, out } = await lint('DIR/far.json', '--format', 'json');
  expect([exit, (JSON.parse(out) as { verdict: string }).verdict]).toEqual([0, 'unknown']);
});

test('a folder that stands for a repository is read in its place', async () => {
  const { exit } = await lint('DIR/far.json', '--checkout', 'https://example.org/tests.git=DIR/t');
  expect(exit).toBe(1);
});

test('warnings count with --strict alone', async () => {
  expect((await lint('DIR/good')).exit).toBe(0);
  expect((await lint('DIR/good', '--strict')).exit).toBe(1);
});

test('GitHub and SARIF are given each finding with its line', async () => {
  const github = await lint('DIR/job.json', '--format', 'github');
  expect(github.out).toMatch(
    /^::error file=.*run-client\.sh,line=2,col=1,title=wait-without-send::/m,
  );
  const { out } = await lint('DIR/job.json', '--format', 'sarif');
  const sarif = JSON.parse(out) as { runs: { results: { ruleId: string }[] }[] };
  expect(sarif.runs[0]?.results.map(({ ruleId }) => ruleId)).toContain('wait-without-send');
});

test('a server tells which boards there are, and what they took to boot', async () => {
  put('t/wait.yaml', 'run:\n  steps:\n    - timeout 20 lava-sync end\n');
  put('slow.json', job(join(dir, 't')).replace('d.yaml', 'wait.yaml').replace('panda', 'slow'));
  expect((await lint('DIR/slow.json')).out).toMatch(/^clean$/m);
  const server = await fakeServer({
    'GET /api/lint/facts': {
      boards: [{ name: 'slow01', type: 'slow', tags: [] }],
      times: [
        { type: 'slow', deploySeconds: 60, bootSeconds: 30, runs: 3 },
        { type: 'panda', deploySeconds: 2, bootSeconds: 3, runs: 3 },
      ],
    },
  });
  const { exit, out } = await lint('DIR/slow.json', '--server', server.url);
  expect(exit).toBe(1);
  expect(out).toContain('[unsatisfiable-roles]');
  expect(out).toContain(
    'client waits here for 20 s at most, but server lately was ready 85 s later',
  );
});

test('nothing to lint is a wrong command line', async () => {
  expect((await lint('DIR/nowhere')).exit).toBe(2);
});
