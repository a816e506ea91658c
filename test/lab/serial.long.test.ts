/** Boards on a serial line alone, when a server is killed or one of them reboots. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobView } from '../../projections/views.ts';
import { namespacesSkipped } from '../dispatcher/harness.ts';
import { casesOf, group, SerialLab } from './serial-lab.ts';

const skipped = await namespacesSkipped();

describe.skipIf(skipped !== undefined)(
  'boards on a serial line alone',
  { timeout: 150_000 },
  () => {
    let lab: SerialLab;
    beforeAll(async () => {
      lab = await SerialLab.start({
        'early.yaml': `metadata: { format: Lava-Test Test Definition 1.0, name: early }
run: { steps: [lava-sync kept] }
`,
        'late.yaml': `metadata: { format: Lava-Test Test Definition 1.0, name: late }
run: { steps: [sleep 8, lava-sync kept] }
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
      });
    });
    afterAll(() => lab.stop());

    test('are missed at a barrier when one of them reboots in the middle of it', async () => {
      const end = await lab.ended({
        device_group: group(['a', 1, 'serial'], ['b', 1, 'serial']),
        actions: [lab.shell('a', 'reboots.yaml'), lab.shell('b', 'waits.yaml')],
      });
      expect(end.job.state).toBe('failed');
      expect(end.job.reason).toMatch(/the board rebooted/);
      const other = end.job.members.find(({ role }) => role === 'b');
      expect(other?.state).toBe('failed');
      const cases = casesOf(end, other?.device ?? '').map((c) => `${c.case} ${c.result}`);
      expect(cases).toEqual([
        'multinode-sync-begin pass',
        'multinode-sync-together fail',
        'after pass',
      ]);
    });

    test('wait on while the server is killed and started anew', async () => {
      const { server } = lab;
      const id = await lab.submit({
        device_group: group(['a', 1, 'serial'], ['b', 1, 'serial']),
        actions: [lab.shell('a', 'early.yaml'), lab.shell('b', 'late.yaml')],
      });
      const state = async () => (await server.get<JobView>(`/api/jobs/${id}`)).state;
      const waiting = async () =>
        (await server.get<{ barriers: { id: string }[] }>(`/api/jobs/${id}/barriers`)).barriers;
      await expect.poll(waiting, { timeout: 30_000 }).toMatchObject([{ id: 'kept' }]);
      await server.end('SIGKILL');
      await server.start();
      await expect.poll(state, { timeout: 50_000 }).toBe('complete');
      const { cases } = await server.get<{ cases: { case: string; result: string }[] }>(
        `/api/jobs/${id}/results`,
      );
      expect(cases.map((c) => `${c.case} ${c.result}`)).toEqual([
        'multinode-sync-kept pass',
        'multinode-sync-kept pass',
      ]);
    });
  },
);
