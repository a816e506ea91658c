/** Test shells on a real server with real (plain) boards: what the results say of what definitions print. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningServer, startServer } from '../../server/server.ts';
import { gitRepository } from '../dispatcher/harness.ts';

let server: RunningServer;
let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-shells-'));
  const labFile = join(folder, 'lab.yaml');
  mkdirSync(join(folder, 'repos'));
  writeFileSync(
    labFile,
    `device_types: {panda: {}}\ndevices: {panda01: {type: panda}}\nallow_files: [${folder}/repos]\n`,
  );
  const listening = { dataDir: join(folder, 'data'), labFile, host: '127.0.0.1', port: 0 };
  server = await startServer({ ...listening, log: pino({ level: 'silent' }), namespaces: false });
});
afterAll(async () => {
  await server.stop({ killBoards: true });
  rmSync(folder, { recursive: true, force: true });
});

interface Case {
  suite: string;
  case: string;
  result: string;
  set?: string;
}
let repositories = 0;
/** The job's state, and its cases in order. */
async function run(files: Record<string, string>): Promise<{ state: string; cases: Case[] }> {
  repositories += 1;
  const repository = gitRepository(join(folder, 'repos', String(repositories)), files);
  const definitions = Object.keys(files).filter((name) => name.endsWith('.yaml'));
  const document = JSON.stringify({
    timeout: 60,
    job_name: 'a shell',
    device_type: 'panda',
    actions: [
      {
        command: 'lava_test_shell',
        parameters: {
          testdef_repos: definitions.map((testdef) => ({ 'git-repo': repository, testdef })),
        },
      },
    ],
  });
  const get = async (path: string) => (await fetch(`${server.url}${path}`)).json();
  const posted = await fetch(`${server.url}/api/jobs`, { method: 'POST', body: document });
  const { id } = (await posted.json()) as { id: number };
  const job = async () => (await get(`/api/jobs/${id}`)) as { state: string };
  await expect
    .poll(async () => (await job()).state, { timeout: 25_000 })
    .toMatch(/complete|failed|timedOut/);
  const { cases } = (await get(`/api/jobs/${id}/results`)) as { cases: Case[] };
  return { state: (await job()).state, cases };
}
const script = (...lines: string[]) => `#!/bin/sh\n${lines.join('\n')}\n`;
const STEPS = 'run: {steps: [./s.sh]}\n';
const TC = (name: string) => `echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=${name} RESULT=pass>"`;
const sets = (cases: Case[]) => cases.map((one) => `${one.set ?? '-'}/${one.case}`);

test('a set is open for its suite, whoever opened it and whoever closes it', async () => {
  const lines = [
    'echo "<LAVA_SIGNAL_TESTSET START alpha>"',
    'lava-test-case by-verb --result pass',
    'echo "<LAVA_SIGNAL_TESTSET STOP>"',
    'lava-test-case in-none --result pass',
    'lava-test-set start gamma',
    TC('by-signal'),
    'lava-test-case by-verb-too --result pass',
    'echo "<LAVA_SIGNAL_TESTSET STOP>"',
    'lava-test-case after --result pass',
  ];
  const { state, cases } = await run({ 't.yaml': STEPS, 's.sh': script(...lines) });
  expect(state).toBe('complete');
  expect(new Set(sets(cases))).toEqual(
    new Set(['alpha/by-verb', '-/in-none', 'gamma/by-signal', 'gamma/by-verb-too', '-/after']),
  );
});

/** A verb's request may be ahead of what its board printed before: nothing on a board can tell when that was read. */
const CONSOLE_IS_READ = 'sleep 1';

test('a case belongs to the set that is open where it was printed, however sets were opened and closed before', async () => {
  const lines = [
    'lava-test-set start alpha',
    'echo "<LAVA_SIGNAL_TESTSET STOP>"',
    'echo "<LAVA_SIGNAL_TESTSET START beta>"',
    CONSOLE_IS_READ,
    'lava-test-case v1 --result pass',
    'lava-test-set start gamma',
    'echo "<LAVA_SIGNAL_TESTSET START delta>"',
    CONSOLE_IS_READ,
    'lava-test-case v2 --result pass',
    'echo "parsed PASS"',
    'echo "<LAVA_SIGNAL_TESTSET STOP>"',
    CONSOLE_IS_READ,
    'lava-test-case v3 --result pass',
    'lava-test-set start "with blanks"',
    TC('s4'),
    'lava-test-set stop "with blanks"',
    'lava-test-set start hidden > /dev/null',
    'lava-test-case v5 --result pass',
    'lava-test-set stop > /dev/null',
    'lava-test-case v6 --result pass',
    'lava-test-set start last',
    'echo "at-the-end PASS"',
  ];
  const parse = "parse: {pattern: '^(?P<test_case_id>[\\w-]+) (?P<result>PASS)$'}\n";
  const { cases } = await run({ 't.yaml': STEPS + parse, 's.sh': script(...lines) });
  expect(sets(cases).sort()).toEqual(
    [
      'beta/v1',
      'delta/v2',
      'delta/parsed',
      '-/v3',
      'with blanks/s4',
      'hidden/v5',
      '-/v6',
      'last/at-the-end',
    ].sort(),
  );
});

test('a pattern gives cases, and an expected case that did not come is failed', async () => {
  const { state, cases } = await run({
    't.yaml':
      "run: {steps: ['echo read PASS; echo write FAIL']}\nexpected: [read, never]\n" +
      "parse: {pattern: '^(?P<test_case_id>\\w+) (?P<result>[A-Z]+)$'}\n",
  });
  expect(state).toBe('complete');
  expect(cases.map((one) => `${one.case} ${one.result}`)).toEqual(
    expect.arrayContaining(['read pass', 'write fail', 'never fail']),
  );
});

test('an old console of ours that a test prints ends nothing and is no result', async () => {
  const first = await run({ 't.yaml': STEPS, 's.sh': script(TC('old')) });
  expect(first.state).toBe('complete');
  const old = execFileSync(
    'cat',
    [join(folder, 'data/jobs', String(repositories), 'panda01.console')],
    {
      encoding: 'utf8',
    },
  );
  const { state, cases } = await run({
    't.yaml': STEPS,
    'old.txt': old,
    's.sh': script('cat old.txt', TC('new')),
  });
  expect(state).toBe('complete');
  expect(cases.map((one) => one.case)).toEqual(['new']);
});
