/**
 * Lab hardware as far as Muster can tell: a QEMU that the lab's commands switch on and off, its serial line behind Debian's
 * telnet server, a login on it, and no network. Nothing but the line carries files and commands.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostImage } from '../../dispatcher/drivers/qemu/host-image.ts';
import { type DriverFields, settingsOf } from '../../submission/lab-drivers.ts';
import { commands, definition, git, gitRepository, Lab, shell } from './harness.ts';
import { SOURCE_LIMITS } from './limits.ts';
import { qemuSkipped } from './qemu-parts.ts';

const programs = ['/usr/sbin/telnetd', '/usr/bin/telnet', '/usr/bin/socat', '/usr/bin/openssl'];
const missing = programs.find((program) => !existsSync(program));
const skipped = (await qemuSkipped()) ?? (missing && `${missing} is missing`);
if (skipped !== undefined) console.log(`skipped: lab hardware: ${skipped}`);

/** A console server: each connection gets Debian's telnet server, which runs `program`. */
class ConsoleServer {
  port = 0;
  readonly #server: Server;
  constructor(program: string) {
    this.#server = createServer((socket) => {
      const telnetd = spawn('/usr/sbin/telnetd', ['-h', '-E', program], {
        stdio: [socket, socket, 'ignore'],
      });
      telnetd.once('exit', () => socket.destroy());
      socket.on('error', () => undefined);
    });
  }
  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
  }
  stop(): void {
    this.#server.close();
  }
}

describe.skipIf(skipped !== undefined)('lab hardware', { timeout: 300_000 }, () => {
  let lab: Lab;
  let server: ConsoleServer;
  const file = (name: string) => join(lab.folder, name);

  beforeEach(async () => {
    lab = new Lab(['bbb1'], {
      limits: { consoleBytes: 16_777_216, bootSeconds: 200, ...SOURCE_LIMITS },
    });
    mkdirSync(file('made'));
    const { kernel, initrd } = await hostImage(file('made'), { arch: 'x86_64', programs: [] });
    writeLoginInit();
    const script = (name: string, ...lines: string[]) =>
      writeFileSync(file(name), `#!/bin/sh\n${lines.join('\n')}\n`, { mode: 0o755 });
    execFileSync('sh', ['-c', `cat '${initrd}' '${file('login.cpio')}' >'${file('initrd')}'`]);
    // The line is there before the board is, and outlives it.
    script(
      'relay',
      'while :; do',
      `  socat -,rawer UNIX-CONNECT:${file('serial')} 2>/dev/null`,
      '  sleep 0.1',
      'done',
    );
    script(
      'power-on',
      `exec qemu-system-x86_64 -accel tcg -machine q35 -m 128 -nodefaults -no-reboot -display none \\`,
      `  -chardev socket,id=c,path=${file('serial')},server=on,wait=on -serial chardev:c -daemonize -pidfile ${file('pid')} \\`,
      `  -kernel ${kernel} -initrd "\${MUSTER_IMAGE:-${file('initrd')}}" -append "console=ttyS0 panic=-1 rdinit=/login-init"`,
    );
    script(
      'power-off',
      `[ -e ${file('pid')} ] || exit 0`,
      `kill -9 "$(cat ${file('pid')})" 2>/dev/null`,
      `rm -f ${file('pid')} ${file('serial')}`,
    );
    server = new ConsoleServer(file('relay'));
    await server.start();
  });
  afterEach(async () => {
    execFileSync(file('power-off'));
    await lab.close();
    server.stop();
  });

  /** One more file of the initrd: a board that asks who is there. */
  function writeLoginInit(): void {
    const hash = execFileSync('openssl', ['passwd', '-6', 'secret']).toString().trim();
    mkdirSync(file('more/etc'), { recursive: true });
    const init = [
      '#!/bin/busybox sh',
      'export PATH=/usr/sbin:/usr/bin:/sbin:/bin',
      '/bin/busybox --install -s /bin',
      'mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev',
      'while :; do setsid getty -L ttyS0 115200 vt100; done',
    ];
    writeFileSync(file('more/login-init'), `${init.join('\n')}\n`, { mode: 0o755 });
    writeFileSync(file('more/etc/passwd'), `root:${hash}:0:0:root:/root:/bin/sh\n`);
    writeFileSync(file('more/etc/issue'), 'a board\n');
    const pack = 'cd more && find . | cpio -o -H newc --owner=0:0 --quiet | gzip >../login.cpio';
    execFileSync('sh', ['-c', pack], { cwd: lab.folder });
  }

  async function open(fields: DriverFields = {}): Promise<void> {
    const settings = settingsOf({
      login: { auto_login: autoLogin() },
      ...fields,
      console: {
        connect: `exec telnet -E 127.0.0.1 ${server.port}`,
        ...{ power_on: file('power-on'), power_off: file('power-off') },
        ...fields.console,
      },
    });
    lab.given.boards = [
      { name: 'bbb1', type: 'bbb', tags: [], driver: 'console', image: 'host:', settings },
    ];
    await lab.open();
  }
  const autoLogin = () => ({
    ...{ username: 'root', password: 'secret', login_commands: [] },
    ...{ login_prompt: 'login: ?$', password_prompt: 'Password: ?$' },
  });

  test('boots, logs in, takes a whole test over its line, and is off at the end', async () => {
    await open();
    const repository = gitRepository(file('tests'), {
      't.yaml': definition(
        'echo "on $(hostname): $(uname -s)"',
        'lava-test-case one --result pass',
        'cat data | wc -l',
      ),
      data: 'line\n'.repeat(20_000),
    });
    lab.server.allocate(1, [{ device: 'bbb1', actions: [shell(git(repository, 't.yaml'))] }]);
    expect(await lab.ends(1, 280)).toEqual({ bbb1: 'complete' });
    const text = lab.console(1, 'bbb1');
    expect(text).toContain('\non bbb1: Linux\n');
    expect(text).toContain('Linux version 6');
    expect(text).toMatch(/\n20000\n/);
    expect(lab.server.calls).toContain('bbb1: result case=one result=pass');
    await lab.empty();
    expect(existsSync(file('pid'))).toBe(false);
  });

  test('that reboots in the middle of a job ends it, and the line says where', async () => {
    await open();
    // This power switch gives the board another life: as if it had rebooted by itself.
    const again = `printf '\\n[    0.000000] Linux version 6.1\\n' >/dev/console; reboot -f`;
    lab.server.allocate(1, [{ device: 'bbb1', actions: [commands(again, 'sleep 1000')] }]);
    const alive = () => existsSync(file('serial')) && readFileSync(file('pid'), 'utf8');
    expect(alive()).toBeDefined();
    const off = async () => {
      while (lab.server.member(1, 'bbb1').end === undefined) {
        if (/reboot: Restarting/.test(lab.console(1, 'bbb1'))) {
          execFileSync(file('power-off'));
          execFileSync(file('power-on'));
          return;
        }
        await new Promise((next) => setTimeout(next, 50));
      }
    };
    const rebooting = off();
    expect((await lab.ends(1, 280)).bbb1).toMatch(
      /^the board rebooted \(line \d+ of its console\) before its tests were through$/,
    );
    await rebooting;
    await lab.empty();
  });

  test('whose login is wrong is named for it, and is off', async () => {
    await open({ login: { auto_login: { ...autoLogin(), password: 'wrong' } } });
    lab.server.allocate(1, [{ device: 'bbb1', actions: [commands('true')] }]);
    expect((await lab.ends(1, 280)).bbb1).toMatch(/the login as root failed 3 times/);
    await lab.empty();
    expect(existsSync(file('pid'))).toBe(false);
  });
});
