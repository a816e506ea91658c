/** Machines that are always on, behind another one or not there: ssh takes its time. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from './harness.ts';
import { endOn, labBehind } from './ssh-lab.ts';
import { SshServer, sshSkipped } from './ssh-server.ts';

describe.skipIf(sshSkipped() !== undefined)('a machine behind ssh', { timeout: 120_000 }, () => {
  const machine = new SshServer();
  let lab: Lab;
  beforeAll(() => machine.start());
  afterAll(() => machine.stop());
  afterEach(() => lab.close());
  const open = async (ssh: object) => {
    lab = await labBehind(machine, ssh);
  };
  const endOf = (...lines: string[]) => endOn(lab, ...lines);

  test('behind another one is reached by the configuration that the lab names', async () => {
    const config = join(machine.folder, 'through');
    const way = `HostName 127.0.0.1\n  Port ${machine.port}\n  IdentityFile ${machine.key}\n  UserKnownHostsFile ${machine.knownHosts}\n`;
    writeFileSync(config, `Host jump\n  ${way}Host far\n  ${way}  ProxyJump jump\n`);
    const before = machine.logins;
    await open({ host: 'far', config, port: undefined, key: undefined, known_hosts: undefined });
    expect(await endOf('lava-send hello')).toBe('complete');
    expect(lab.server.calls).toContain('m1: send hello');
    // A line of its own through the other, each time.
    expect((machine.logins - before) % 2).toBe(0);
    expect(machine.logins - before).toBeGreaterThanOrEqual(4);
  });

  test('that is not there fails the boot in words', async () => {
    await open({ port: 1 });
    expect(await endOf('true')).toMatch(/did not boot: .*Connection refused/);
    await lab.empty();
  });
});
