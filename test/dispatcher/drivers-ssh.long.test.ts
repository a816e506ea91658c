/** Machines that are always on under the one contract, with a real sshd. */
import { mkdirSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openSshDriver } from '../../dispatcher/drivers/ssh/ssh.ts';
import { settingsOf } from '../../submission/lab-drivers.ts';
import { describeDriver } from './driver-contract.ts';
import { commands, Lab } from './harness.ts';
import { SOURCE_LIMITS } from './limits.ts';
import { SshServer, sshSkipped } from './ssh-server.ts';

if (sshSkipped() === undefined) {
  const server = new SshServer();
  beforeAll(() => server.start());
  afterAll(() => server.stop());
  describeDriver('a machine behind ssh', 'ssh', {
    open: openSshDriver,
    settings: (device, folder) => {
      const home = join(folder, device);
      mkdirSync(home, { recursive: true });
      const { key, port, knownHosts: known_hosts } = server;
      return settingsOf({
        ssh: { host: '127.0.0.1', port, key, known_hosts, home },
        commands: { cleanup: 'true' },
      });
    },
  });
}

describe('a machine that takes connections and never says anything', { timeout: 180_000 }, () => {
  let lab: Lab;
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket.on('error', () => {})));
  beforeAll(() => new Promise<void>((done) => silent.listen(0, '127.0.0.1', done)));
  afterEach(async () => {
    // From now on it is not there, so that nobody waits for it.
    silent.close();
    for (const socket of sockets) socket.destroy();
    await lab.close();
  });

  test('fails the boot in words', async () => {
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const settings = settingsOf({
      ssh: { host: '127.0.0.1', port },
      commands: { cleanup: 'true' },
    });
    lab = new Lab(['m1'], {
      boards: [{ name: 'm1', type: 'm', tags: [], driver: 'ssh', image: 'host:', settings }],
      limits: { consoleBytes: 4_194_304, bootSeconds: 60, ...SOURCE_LIMITS },
    });
    await lab.open();
    lab.server.allocate(1, [{ device: 'm1', actions: [commands('true')] }]);
    expect((await lab.ends(1, 120)).m1).toMatch(/did not boot: .*timed out/i);
    expect(lab.server.of('FailMember')[0]).toMatchObject({ fault: 'board' });
  });
});
