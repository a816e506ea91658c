/** Machines that are always on under the one contract, with a real sshd. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { openSshDriver } from '../../dispatcher/drivers/ssh/ssh.ts';
import { settingsOf } from '../../submission/lab-drivers.ts';
import { describeDriver } from './driver-contract.ts';
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
