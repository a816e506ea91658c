/** Boards with a kernel of their own that have their serial console alone, or reboot. */
import { afterEach, describe, expect, test } from 'vitest';
import { settingsOf } from '../../submission/lab-drivers.ts';
import { commands, Lab } from './harness.ts';
import { SOURCE_LIMITS } from './limits.ts';
import { qemuSkipped } from './qemu-parts.ts';

const skipped = await qemuSkipped();

describe.skipIf(skipped !== undefined)('QEMU boards', { timeout: 180_000 }, () => {
  let lab: Lab;
  afterEach(() => lab.close());

  test('speak over their serial console alone, when the lab says so', async () => {
    const settings = settingsOf({ login: { verbs: 'line' } });
    lab = new Lab(['q1'], {
      boards: [{ name: 'q1', type: 'q', tags: [], driver: 'qemu', image: 'host:', settings }],
      limits: { consoleBytes: 16_777_216, bootSeconds: 120, ...SOURCE_LIMITS },
    });
    await lab.open();
    const says = ['lava-send hello "k=a b"', 'lava-sync all', 'lava-test-case one --result pass'];
    lab.server.allocate(1, [{ device: 'q1', actions: [commands(...says)] }]);
    expect(await lab.ends(1, 150)).toEqual({ q1: 'complete' });
    for (const call of ['send hello k=a b', 'sync all', 'result case=one result=pass'])
      expect(lab.server.calls).toContain(`q1: ${call}`);
    expect(lab.console(1, 'q1')).toMatch(/<MUSTER_LINE \S+ 1\/1 send,/);
    await lab.empty();
  });

  test('that reboot in the middle of a job end it, and the console says where', async () => {
    lab = new Lab(['q1'], {
      boards: [{ name: 'q1', type: 'q', tags: [], driver: 'qemu', image: 'host:' }],
      limits: { consoleBytes: 16_777_216, bootSeconds: 120, ...SOURCE_LIMITS },
    });
    await lab.open();
    lab.server.allocate(1, [{ device: 'q1', actions: [commands('reboot -f; sleep 1000')] }]);
    expect((await lab.ends(1, 150)).q1).toMatch(
      /^the board rebooted \(line \d+ of its console\) before its tests were through$/,
    );
    await lab.empty();
  });
});
