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
const line = `exec unshare -n -m sh -c 'mount -t tmpfs none /tmp && exec sh ${fake} shell'`;
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
  console(device: string): Promise<string>;
}

async function ended(job: object): Promise<Ended> {
  const { id } = await server.post('/api/jobs', { timeout: 120, job_name: 'serial', ...job });
  const url = `/api/jobs/${id}`;
  const stream = await fetch(`${server.url}${url}/events`, {
    headers: { accept: 'text/event-stream' },
  });
  await stream.text();
  const { cases } = await server.get<Pick<Ended, 'cases'>>(`${url}/results`);
  return {
    job: await server.get<JobView>(url),
    cases,
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

    test('send, wait, sync, record and hand in files', async () => {
      const end = await ended({
        device_group: group(['a', 2, 'serial'], ['b', 1, 'panda']),
        actions: [shell('a', 'own.yaml'), shell('b', 'own.yaml')],
      });
      console.log(JSON.stringify(end.cases), end.job.reason);
      console.log((await end.console('s1')).slice(-6000));
      expect(failed(end)).toEqual([]);
      expect(end.job.state).toBe('complete');
    });

    test.skipIf(scripts === undefined)('run LAVA’s own scripts unmodified', async () => {
      const end = await ended({
        device_group: group(['a', 2, 'serial']),
        actions: [shell('a', 'upstream.yaml')],
      });
      console.log(JSON.stringify(end.cases), end.job.reason);
      console.log((await end.console('s1')).slice(-6000));
      expect(failed(end)).toEqual([]);
      expect(end.job.state).toBe('complete');
    });
  },
);
