/** A real sshd of Debian's on loopback, with keys of its own: gone afterwards. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './harness.ts';

const SSHD = '/usr/sbin/sshd';

/** Why it cannot be had here; `undefined`: it can. */
export function sshSkipped(): string | undefined {
  const why = existsSync(SSHD)
    ? process.getuid?.() === 0
      ? undefined
      : 'sshd needs root'
    : 'openssh-server is not installed';
  if (why !== undefined) console.log(`skipped: machines over ssh: ${why}`);
  return why;
}

export class SshServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'muster-sshd-'));
  readonly key = join(this.folder, 'key');
  readonly knownHosts = join(this.folder, 'known_hosts');
  port = 0;
  #log = '';
  #server: ChildProcess | undefined;

  async start(): Promise<void> {
    const { folder } = this;
    mkdirSync('/run/sshd', { recursive: true });
    for (const name of ['key', 'host'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
    writeFileSync(join(folder, 'authorized'), readFileSync(`${this.key}.pub`), { mode: 0o600 });
    this.port = await freePort();
    const hostKey = readFileSync(join(folder, 'host.pub'), 'utf8');
    writeFileSync(this.knownHosts, `[127.0.0.1]:${this.port} ${hostKey}`);
    const lines = [
      ...['ListenAddress 127.0.0.1', `Port ${this.port}`, `HostKey ${join(folder, 'host')}`],
      ...[`AuthorizedKeysFile ${join(folder, 'authorized')}`, 'StrictModes no', 'UsePAM no'],
      ...['PermitRootLogin prohibit-password', 'PidFile none', 'MaxStartups 50:1:100'],
    ];
    writeFileSync(join(folder, 'config'), `${lines.join('\n')}\n`);
    this.#server = spawn(SSHD, ['-D', '-e', '-f', join(folder, 'config')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#server.stderr?.on('data', (chunk: Buffer) => {
      this.#log += chunk.toString();
    });
    await until(
      () => this.#log.includes('Server listening'),
      () => this.#log,
    );
  }

  /** How many came in. */
  get logins(): number {
    return this.#log.split('Accepted publickey').length - 1;
  }

  async stop(): Promise<void> {
    if (this.#server !== undefined && this.#server.exitCode === null) {
      const gone = once(this.#server, 'exit');
      this.#server.kill();
      await gone;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
