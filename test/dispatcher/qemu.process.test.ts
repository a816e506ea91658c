/** Jobs on boards with a kernel of their own, beside boards of this machine. */
import { afterEach, describe, expect, test } from 'vitest';
import { settingsOf } from '../../submission/lab-drivers.ts';
import { commands, Lab, leftovers, until } from './harness.ts';
import { SOURCE_LIMITS } from './limits.ts';
import { qemuSkipped } from './qemu-parts.ts';

const skipped = await qemuSkipped();

describe.skipIf(skipped !== undefined)('QEMU boards', { timeout: 180_000 }, () => {
  let lab: Lab;
  afterEach(() => lab.close());

  test('are in one group with local boards: on one bridge, by name, with every verb', async () => {
    const settings = settingsOf();
    lab = new Lab(['q1', 'l1'], {
      boards: [
        { name: 'q1', type: 'q', tags: [], driver: 'qemu', image: 'host:', settings },
        { name: 'l1', type: 'l', tags: [], driver: 'local', image: 'host:', settings },
      ],
      limits: { consoleBytes: 16_777_216, bootSeconds: 120, ...SOURCE_LIMITS },
    });
    const dispatcher = await lab.open();
    expect(dispatcher.boardsAre).toBe('namespaces, qemu');
    const actions = [
      commands(
        'hostname',
        'lava-send hello from="$(lava-self)"',
        'lava-role list',
        'until ping -c 1 -w 1 q1; do sleep 0.2; done',
        'ping -c 1 -w 20 l1',
      ),
    ];
    // The local board is there first, and stays until the other has seen it.
    const stays = commands('until lava-sync go; do sleep 0.2; done');
    lab.server.allocate(1, [
      { device: 'q1', actions },
      { device: 'l1', actions: [...actions, stays] },
    ]);
    await until(
      () => lab.server.member(1, 'q1').end !== undefined,
      () => lab.console(1, 'q1'),
      150,
    );
    lab.server.member(1, 'l1').role = 'go';
    expect(await lab.ends(1, 150)).toEqual({ q1: 'complete', l1: 'complete' });
    for (const device of ['q1', 'l1']) {
      expect(lab.console(1, device)).toContain(`\n${device}\n`);
      expect(lab.server.calls).toContain(`${device}: send hello from=${device}`);
      for (const other of ['q1', 'l1'])
        expect(lab.console(1, device)).toMatch(
          new RegExp(`PING ${other} [^]*1 (packets )?received`),
        );
    }
    expect(lab.console(1, 'q1')).toMatch(/muster: booted, address 10\.\d+\.\d+\.\d+/);
    await lab.empty();
    expect(await leftovers(lab)).toEqual([]);
  });
});
