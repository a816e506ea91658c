/** Boards without any network, on a serial line alone: with the verbs of Muster, with LAVA's own scripts, and together. */
import { chmodSync, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobView } from '../../projections/views.ts';
import { gitRepository, namespacesSkipped } from '../dispatcher/harness.ts';
import { checkLog } from './invariants.ts';
import { ServerProcess } from './server-process.ts';
import { layUpstream, upstreamScripts } from './upstream-scripts.ts';

const skipped = await namespacesSkipped();
const scripts = upstreamScripts();
const fake = fileURLToPath(new URL('../dispatcher/fake-board.sh', import.meta.url));
// Opened first: the checkout itself may lie below /tmp.
const line = `exec unshare -n -m sh -c 'exec 3<${fake} && mount -t tmpfs none /tmp && exec sh /proc/self/fd/3 shell'`;
const LAB = `
device_types:
  serial:
    driver: console
    login: { home: /tmp/muster }
    console: { power_on: 'true', power_off: 'true' }
  panda: { driver: local }
devices:
${['s1', 's2', 's3'].map((name) => `  ${name}: { type: serial, console: { connect: ${JSON.stringify(`MUSTER_NAME=${name} ${line}`)} } }`).join('\n')}
  panda01: { type: panda }
`;

let server: ServerProcess;
let repository: string;

interface Ended {
  job: JobView;
  cases: { device: string; case: string; result: string; suite: string; note?: string }[];
  /** As they were streamed. */
  events: string;
  console(device: string): Promise<string>;
}

async function ended(job: object): Promise<Ended> {
  const { id } = await server.post('/api/jobs', { timeout: 60, job_name: 'serial', ...job });
  const url = `/api/jobs/${id}`;
  const stream = await fetch(`${server.url}${url}/events`, {
    headers: { accept: 'text/event-stream' },
  });
  const events = await stream.text();
  const { cases } = await server.get<Pick<Ended, 'cases'>>(`${url}/results`);
  return {
    job: await server.get<JobView>(url),
    ...{ cases, events },
    console: async (device) =>
      await (await fetch(`${server.url}${url}/members/${device}/console`)).text(),
  };
}
const group = (...roles: [role: string, count: number, type: string][]) =>
  roles.map(([role, count, device_type]) => ({ role, count, device_type }));
const failed = ({ cases }: Ended) => cases.filter((c) => c.result !== 'pass');

describe.skipIf(skipped !== undefined)(
  'boards on a serial line alone',
  { timeout: 150_000 },
  () => {
    beforeAll(async () => {
      server = await ServerProcess.make(LAB, [], (folder) => [join(folder, 'tests')]);
      await server.start();
      repository = join(server.folder, 'tests');
      await mkdir(repository);
      gitRepository(repository, {
        'own.yaml': `metadata: { format: Lava-Test Test Definition 1.0, name: own }
run:
  steps:
    - lava-sync begin
    - lava-send ready from=$(lava-self) 'words=a b = c % , + é'
    - lava-wait-all ready
    - grep 'words=a b = c % , + é' /tmp/lava_multi_node_cache.txt
    - lava-test-case seen --result pass --measurement 1.5 --units s
    - head -c 3000 /dev/urandom >/tmp/bytes; lava-test-attach /tmp/bytes
    - lava-sync end
`,
        'early.yaml': `metadata: { format: Lava-Test Test Definition 1.0, name: early }
run: { steps: [lava-sync kept] }
`,
        'late.yaml': `metadata: { format: Lava-Test Test Definition 1.0, name: late }
run: { steps: [sleep 8, lava-sync kept] }
`,
        'nack.yaml': `metadata: { format: Lava-Test Test Definition 1.0, name: nack }
run:
  steps:
    - export LAVA_TEST_BIN=$PWD/upstream
    - $LAVA_TEST_BIN/lava-wait-all x nobody
    - lava-test-case after --result pass
`,
        'reboots.yaml': `metadata: { format: Lava-Test Test Definition 1.0, name: reboots }
run:
  steps:
    - lava-sync begin
    - setsid lava-wait never &
    - sleep 1
    - |
      set +x
      kill -9 -- -$!
      printf '[    0.000000] Linux version 6.1.0-fake (gcc)\\nboard login: '
      sleep 1000
`,
        'waits.yaml': `metadata: { format: Lava-Test Test Definition 1.0, name: waits }
run:
  steps:
    - lava-sync begin
    - lava-sync together || lava-test-case after --result pass
`,
        'loud.yaml': `metadata: { format: Lava-Test Test Definition 1.0, name: loud }
run:
  steps:
    - head -c 10000000 /dev/urandom; echo
    - printf '<MUSTER_LINE 01234567-89ab 1/1 send,01234567-89ab-4000-8000-000000000000,,old, 1.2>\\n'
    - lava-send one
    - head -c 10000000 /dev/zero | tr '\\000' x; echo
    - lava-test-case quiet --result pass
`,
        'upstream.yaml': `metadata: { format: Lava-Test Test Definition 1.0, name: upstream }
run:
  steps:
    - export LAVA_TEST_BIN=$PWD/upstream; PATH=$LAVA_TEST_BIN:$PATH
    - lava-sync begin
    - lava-send ready from=$(lava-self) hostname-full=a.b words=here
    - lava-wait-all ready
    - cat /tmp/lava_multi_node_cache.txt
    - lava-test-case seen --result pass --measurement 1.5 --units s
    - lava-sync end
`,
      });
      if (scripts !== undefined) layUpstream(scripts, join(repository, 'upstream'));
      for (const name of readdirSync(join(repository, 'upstream')))
        chmodSync(join(repository, 'upstream', name), 0o755);
      gitRepository(repository, {});
    });
    afterAll(async () => {
      await server.end('SIGTERM');
      checkLog(await server.log(), { finished: true });
      await server.remove();
    });

    const shell = (role: string, testdef: string) => ({
      command: 'lava_test_shell',
      parameters: { role, testdef_repos: [{ 'git-repo': repository, testdef }] },
    });

    const device = (end: Ended, name: string) => end.cases.filter((c) => c.device === name);

    test('send, wait, sync, record and hand in files, in one group with a board that has a network', async () => {
      const end = await ended({
        device_group: group(['a', 2, 'serial'], ['b', 1, 'panda']),
        actions: [shell('a', 'own.yaml'), shell('b', 'own.yaml')],
      });
      expect(failed(end)).toEqual([]);
      expect(end.job.state).toBe('complete');
      const serial = end.job.members.find(({ role }) => role === 'a')?.device ?? '';
      const cases = ['sync-begin', 'send-ready', 'wait-all-ready'].map(
        (name) => `multinode-${name}`,
      );
      for (const name of [serial, 'panda01'])
        expect(device(end, name).map((c) => `${c.suite} ${c.case}`)).toEqual(
          [...cases, 'seen', 'multinode-sync-end'].map((name) => `0_own ${name}`),
        );
      const { attachments } = await server.get<{
        attachments: { device: string; bytes: number }[];
      }>(`/api/jobs/${end.job.id}/attachments`);
      expect(attachments.map(({ bytes }) => bytes)).toEqual([3_000, 3_000, 3_000]);
      // Over the line alone, and who called is known as it is of the others.
      expect(await end.console(serial)).toMatch(
        /\n<MUSTER_LINE [0-9a-f]{8}-[0-9a-f]{4} 1\/1 sync,/,
      );
      expect(await end.console('panda01')).not.toContain('<MUSTER_LINE');
      const sent = end.events
        .split('\n')
        .filter((line) => line.includes('"MessageSent"') && line.includes('"ready"'));
      expect(sent).toHaveLength(3);
      for (const event of sent)
        expect(event).toMatch(/"argv":\["\/bin\/(?:ba)?sh","-ex","[^"]*\/run\.sh"\]/);
    });

    test.skipIf(scripts === undefined)('run LAVA’s own scripts as they are', async () => {
      const end = await ended({
        device_group: group(['a', 2, 'serial']),
        actions: [shell('a', 'upstream.yaml')],
      });
      expect(failed(end)).toEqual([]);
      expect(end.job.state).toBe('complete');
      const [one, other] = end.job.members.map((member) => member.device);
      for (const [name, number] of [
        [one, 2],
        [other, 1],
      ] as const) {
        const console = await end.console(name ?? '');
        expect(console).toContain(`\n${number}:from=${number}\n`);
        expect(console).toContain(`\n${number}:hostname-full=a.b\n`);
        expect(device(end, name ?? '').map((c) => c.case)).toContain('seen');
      }
    });

    test.skipIf(scripts === undefined)(
      'run LAVA’s own scripts in one group with boards that have ours',
      async () => {
        const end = await ended({
          device_group: group(['own', 1, 'serial'], ['upstream', 1, 'serial'], ['net', 1, 'panda']),
          actions: [
            shell('own', 'own.yaml'),
            shell('upstream', 'upstream.yaml'),
            shell('net', 'own.yaml'),
          ],
        });
        expect(failed(end)).toEqual([]);
        expect(end.job.state).toBe('complete');
        const upstream = end.job.members.find(({ role }) => role === 'upstream')?.device ?? '';
        const console = await end.console(upstream);
        expect(console).toMatch(/\n1:words=a b = c % , \+ é\n/);
        expect(console).toMatch(/\n3:from=panda01\n/);
      },
    );

    test.skipIf(scripts === undefined)(
      'run LAVA’s own scripts on a board with a network, and a refusal is a nack',
      async () => {
        const end = await ended({
          device_group: group(['upstream', 1, 'panda']),
          actions: [shell('upstream', 'nack.yaml')],
        });
        expect(end.cases.map((c) => [c.case, c.result])).toEqual([
          ['multinode-wait-all-x', 'fail'],
          ['after', 'pass'],
        ]);
        expect(await end.console('panda01')).toMatch(/muster: LAVA_WAIT_ALL x: .*nobody/);
      },
    );

    test('are missed at a barrier when one of them reboots in the middle of it', async () => {
      const end = await ended({
        device_group: group(['a', 1, 'serial'], ['b', 1, 'serial']),
        actions: [shell('a', 'reboots.yaml'), shell('b', 'waits.yaml')],
      });
      expect(end.job.state).toBe('failed');
      expect(end.job.reason).toMatch(/the board rebooted/);
      const other = end.job.members.find(({ role }) => role === 'b');
      expect(other?.state).toBe('failed');
      const cases = device(end, other?.device ?? '').map((c) => `${c.case} ${c.result}`);
      expect(cases).toEqual([
        'multinode-sync-begin pass',
        'multinode-sync-together fail',
        'after pass',
      ]);
    });

    test('wait on while the server is killed and started anew', async () => {
      const { id } = await server.post('/api/jobs', {
        ...{ timeout: 60, job_name: 'killed' },
        device_group: group(['a', 1, 'serial'], ['b', 1, 'serial']),
        actions: [shell('a', 'early.yaml'), shell('b', 'late.yaml')],
      });
      const state = async () => await server.get<JobView>(`/api/jobs/${id}`);
      const waiting = async () =>
        (await server.get<{ barriers: { id: string }[] }>(`/api/jobs/${id}/barriers`)).barriers;
      await expect.poll(waiting, { timeout: 30_000 }).toMatchObject([{ id: 'kept' }]);
      await server.end('SIGKILL');
      await server.start();
      await expect.poll(async () => (await state()).state, { timeout: 50_000 }).toBe('complete');
      const { cases } = await server.get<Pick<Ended, 'cases'>>(`/api/jobs/${id}/results`);
      expect(cases.map((c) => `${c.case} ${c.result}`)).toEqual([
        'multinode-sync-kept pass',
        'multinode-sync-kept pass',
      ]);
    });

    test('are heard through 20 MB of other output, and what an old console says is not', async () => {
      const end = await ended({
        device_group: group(['a', 1, 'serial']),
        actions: [shell('a', 'loud.yaml')],
      });
      expect(failed(end)).toEqual([]);
      expect(end.cases.map((c) => c.case)).toEqual(['multinode-send-one', 'quiet']);
      expect(end.job.state).toBe('complete');
    });
  },
);
