/** Boards without any network, on a serial line alone: with the verbs of Muster, with LAVA's own scripts, and together. */
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gitRepository, namespacesSkipped } from '../dispatcher/harness.ts';
import { casesOf, group, SerialLab } from './serial-lab.ts';
import { layUpstream, upstreamScripts } from './upstream-scripts.ts';

const skipped = await namespacesSkipped();
const scripts = upstreamScripts();

const failed = ({ cases }: { cases: { result: string }[] }) =>
  cases.filter((c) => c.result !== 'pass');

describe.skipIf(skipped !== undefined)(
  'boards on a serial line alone',
  { timeout: 150_000 },
  () => {
    let lab: SerialLab;
    beforeAll(async () => {
      lab = await SerialLab.start({
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
        'nack.yaml': `metadata: { format: Lava-Test Test Definition 1.0, name: nack }
run:
  steps:
    - export LAVA_TEST_BIN=$PWD/upstream
    - $LAVA_TEST_BIN/lava-wait-all x nobody
    - lava-test-case after --result pass
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
      const { repository } = lab;
      if (scripts !== undefined) layUpstream(scripts, join(repository, 'upstream'));
      for (const name of readdirSync(join(repository, 'upstream')))
        chmodSync(join(repository, 'upstream', name), 0o755);
      gitRepository(repository, {});
    });
    afterAll(() => lab.stop());

    test('send, wait, sync, record and hand in files, in one group with a board that has a network', async () => {
      const end = await lab.ended({
        device_group: group(['a', 2, 'serial'], ['b', 1, 'panda']),
        actions: [lab.shell('a', 'own.yaml'), lab.shell('b', 'own.yaml')],
      });
      expect(failed(end)).toEqual([]);
      expect(end.job.state).toBe('complete');
      const serial = end.job.members.find(({ role }) => role === 'a')?.device ?? '';
      const cases = ['sync-begin', 'send-ready', 'wait-all-ready'].map(
        (name) => `multinode-${name}`,
      );
      for (const name of [serial, 'panda01'])
        expect(casesOf(end, name).map((c) => `${c.suite} ${c.case}`)).toEqual(
          [...cases, 'seen', 'multinode-sync-end'].map((name) => `0_own ${name}`),
        );
      const { attachments } = await lab.server.get<{
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
      const end = await lab.ended({
        device_group: group(['a', 2, 'serial']),
        actions: [lab.shell('a', 'upstream.yaml')],
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
        expect(casesOf(end, name ?? '').map((c) => c.case)).toContain('seen');
      }
    });

    test.skipIf(scripts === undefined)(
      'run LAVA’s own scripts in one group with boards that have ours',
      async () => {
        const end = await lab.ended({
          device_group: group(['own', 1, 'serial'], ['upstream', 1, 'serial'], ['net', 1, 'panda']),
          actions: [
            lab.shell('own', 'own.yaml'),
            lab.shell('upstream', 'upstream.yaml'),
            lab.shell('net', 'own.yaml'),
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
        const end = await lab.ended({
          device_group: group(['upstream', 1, 'panda']),
          actions: [lab.shell('upstream', 'nack.yaml')],
        });
        expect(end.cases.map((c) => [c.case, c.result])).toEqual([
          ['multinode-wait-all-x', 'fail'],
          ['after', 'pass'],
        ]);
        expect(await end.console('panda01')).toMatch(/muster: LAVA_WAIT_ALL x: .*nobody/);
      },
    );

    test('are heard through 20 MB of other output, and what an old console says is not', async () => {
      const end = await lab.ended({
        device_group: group(['a', 1, 'serial']),
        actions: [lab.shell('a', 'loud.yaml')],
      });
      expect(failed(end)).toEqual([]);
      expect(end.cases.map((c) => c.case)).toEqual(['multinode-send-one', 'quiet']);
      expect(end.job.state).toBe('complete');
    });
  },
);
