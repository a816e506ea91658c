/** Jobs on machines that are always on: a real sshd, which the worker knows or does not know. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MARK_VARIABLE, markedProcesses, markOf } from '../../dispatcher/drivers/processes.ts';
import { settingsOf } from '../../submission/lab-drivers.ts';
import { commands, hashOf, Lab } from './harness.ts';
import { SOURCE_LIMITS } from './limits.ts';
import { SshServer, sshSkipped } from './ssh-server.ts';

describe.skipIf(sshSkipped() !== undefined)('a machine behind ssh', { timeout: 120_000 }, () => {
  const machine = new SshServer();
  let lab: Lab;
  beforeAll(() => machine.start());
  afterAll(() => machine.stop());
  afterEach(() => lab.close());

  async function open(ssh: object, commandsOfLab: object = {}): Promise<void> {
    lab = new Lab(['m1'], {
      limits: { consoleBytes: 4_194_304, bootSeconds: 60, ...SOURCE_LIMITS },
    });
    const home = join(lab.folder, 'machine');
    mkdirSync(home);
    const { key, port, knownHosts: known_hosts } = machine;
    const settings = settingsOf({
      ssh: { host: '127.0.0.1', port, key, known_hosts, home, ...ssh },
      commands: { cleanup: `touch ${join(lab.folder, 'cleaned')}`, ...commandsOfLab },
    });
    lab.given.boards = [
      { name: 'm1', type: 'm', tags: [], driver: 'ssh', image: 'host:', settings },
    ];
    await lab.open();
  }
  async function endOf(...lines: string[]): Promise<string | undefined> {
    lab.server.allocate(1, [{ device: 'm1', actions: [commands(...lines)] }]);
    return (await lab.ends(1, 100)).m1;
  }

  test('runs a job, reaches the server through its line, and is cleaned', async () => {
    await open({});
    const left = join(lab.folder, 'left');
    const lines = [
      'lava-send hello',
      `(trap "" HUP TERM; while :; do sleep 0.1; touch ${left}; done) &`,
    ];
    expect(await endOf(...lines)).toBe('complete');
    expect(lab.server.calls).toContain('m1: send hello');
    await lab.empty();
    expect(existsSync(join(lab.folder, 'cleaned'))).toBe(true);
    expect(existsSync(join(lab.folder, 'machine/lava-1'))).toBe(false);
    // Nobody is left who would make it anew.
    rmSync(left, { force: true });
    const marked = await markedProcesses(MARK_VARIABLE, markOf(hashOf(lab), 'm1'));
    expect(marked).toEqual([]);
    expect(existsSync(left)).toBe(false);
  });

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

  test('is not believed when its key is another one than was known', async () => {
    const stranger = join(machine.folder, 'strangers');
    writeFileSync(stranger, '');
    await open({ known_hosts: stranger });
    expect(await endOf('true')).toMatch(
      /did not boot: .*(Host key verification failed|No ED25519 host key is known)/,
    );
    expect(lab.server.of('FailMember')[0]).toMatchObject({ fault: 'board' });
  });

  test('that is not there fails the boot in words', async () => {
    await open({ port: 1 });
    expect(await endOf('true')).toMatch(/did not boot: .*Connection refused/);
    await lab.empty();
  });
});
