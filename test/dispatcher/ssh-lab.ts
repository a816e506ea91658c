/** A lab of one machine, `m1`, that is always on, behind the sshd of a test. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { settingsOf } from '../../submission/lab-drivers.ts';
import { commands, Lab } from './harness.ts';
import { SOURCE_LIMITS } from './limits.ts';
import type { SshServer } from './ssh-server.ts';

/** @param ssh instead of what is right */
export async function labBehind(machine: SshServer, ssh: object): Promise<Lab> {
  const lab = new Lab(['m1'], {
    limits: { consoleBytes: 4_194_304, bootSeconds: 60, ...SOURCE_LIMITS },
  });
  const home = join(lab.folder, 'machine');
  mkdirSync(home);
  const { key, port, knownHosts: known_hosts } = machine;
  const settings = settingsOf({
    ssh: { host: '127.0.0.1', port, key, known_hosts, home, ...ssh },
    commands: { cleanup: `touch ${join(lab.folder, 'cleaned')}` },
  });
  lab.given.boards = [{ name: 'm1', type: 'm', tags: [], driver: 'ssh', image: 'host:', settings }];
  await lab.open();
  return lab;
}

/** How a job of these commands ends for it. */
export async function endOn(lab: Lab, ...lines: string[]): Promise<string | undefined> {
  lab.server.allocate(1, [{ device: 'm1', actions: [commands(...lines)] }]);
  return (await lab.ends(1, 100)).m1;
}
