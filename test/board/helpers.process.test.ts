// The helpers that a test finds beside the verbs: what they print and how they end, on any board.
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe } from 'vitest';
import { type Board, boardTest, find, pairs, shellsOnly, until, usable } from './shells.ts';

/** The exit status of a verb whose background keeps its output open. */
async function statusOf(board: Board, verb: string, ...words: string[]): Promise<number | null> {
  const { child } = board.start(verb, words, ['-eu']);
  const [status] = (await once(child, 'exit')) as [number | null];
  return status;
}

/** A program of the board's own. */
function program(board: Board, name: string, script: string): void {
  fs.writeFileSync(path.join(board.path, name), `#!${find('sh')}\n${script}\n`, { mode: 0o755 });
}

describe.concurrent.each(usable(shellsOnly))('helpers, $name', (pair) => {
  const it = boardTest(pair);

  it('print what the lab names, and say in a line when it names nothing', async ({
    board,
    expect,
  }) => {
    const cases: [string, string, string][] = [
      ['lava-target-ip', 'TARGET_DEVICE_IP', '10.0.0.7'],
      ['lava-target-mac', 'TARGET_DEVICE_MAC', '02:00:00:00:00:01'],
      ['lava-probe-ip', 'PROBE_DEVICE_IP', '10.0.0.8'],
      ['lava-probe-channel', 'PROBE_DEVICE_CHANNEL', '3'],
      ['lava-vland-self', 'LAVA_VLAND_SELF', 'vlan_one'],
      ['lava-vland-names', 'LAVA_VLAND_NAMES', 'vlan_one,vlan_two'],
      ['lava-vland-tags', 'LAVA_VLAND_TAGS', 'eth0,1G'],
    ];
    for (const [verb, variable, value] of cases) {
      board.env[variable] = value;
      expect(await board.run(verb)).toMatchObject({ status: 0, stdout: `${value}\n`, stderr: '' });
      delete board.env[variable];
    }
    for (const verb of cases.slice(2).map(([name]) => name))
      expect(await board.run(verb)).toMatchObject({
        status: 0,
        stdout: '\n',
        stderr: expect.stringMatching(new RegExp(`^${verb}: .+\n$`)),
      });
  });

  it('list the storage that the lab names, by method if asked', async ({ board, expect }) => {
    expect(await board.run('lava-target-storage')).toMatchObject({ status: 0, stdout: '' });
    expect(await board.run('lava-target-storage', 'SATA')).toMatchObject({ status: 1, stdout: '' });
    board.env.LAVA_STORAGE = '\tUMS\t/dev/a b\n\tSATA\t/dev/c\n\tSATA\t/dev/d';
    const printed = async (...words: string[]) => {
      const { status, stdout, stderr } = await board.run('lava-target-storage', ...words);
      return [status, stdout, stderr];
    };
    expect(await printed()).toEqual([0, 'UMS\t/dev/a b\nSATA\t/dev/c\nSATA\t/dev/d\n', '']);
    expect(await printed('SATA')).toEqual([0, '/dev/c\n/dev/d\n', '']);
    expect(await printed('USB')).toEqual([1, '', '']);
  });

  it('print what the lab shares, by device if asked', async ({ board, expect }) => {
    expect((await board.run('lava-echo-config')).status).toBe(1);
    board.env.LAVA_SHARED_CONFIG = 'relay 10.0.0.1 4\npower 10.0.0.2';
    expect((await board.run('lava-echo-config')).stdout).toBe('relay 10.0.0.1 4\npower 10.0.0.2\n');
    expect((await board.run('lava-echo-config', 'relay')).stdout).toBe('10.0.0.1 4\n');
    expect((await board.run('lava-echo-config', 'none')).status).toBe(1);
  });

  it('give a script the function signal', async ({ board, expect }) => {
    program(board, 'reporter', '. lava-common-functions\nsignal "<LAVA_SIGNAL_TESTEVENT a b>"');
    board.env.PATH = `${path.dirname(board.verb('x'))}:${board.path}`;
    expect(await board.run('lava-test-case', 'x', '--shell', 'reporter')).toMatchObject({
      stdout: expect.stringContaining('\n<LAVA_SIGNAL_TESTEVENT a b>\n'),
    });
  });

  it('say that there is no feedback here, and want a namespace as upstream does', async ({
    board,
    expect,
  }) => {
    expect(await board.run('lava-test-feedback', '--namespace', 'host')).toMatchObject({
      status: 0,
      stdout: '',
      stderr: expect.stringContaining('no feedback from host'),
    });
    expect((await board.run('lava-test-feedback')).status).toBe(1);
    expect((await board.run('lava-test-event')).status).toBe(1);
    expect((await board.run('lava-test-event', 'a', 'b')).status).toBe(1);
  });

  it('run a process in the background again and again, until it is stopped by name', async ({
    board,
    expect,
  }) => {
    board.env.LAVA_RESULT_DIR = board.scratch;
    const file = path.join(board.folder, 'count');
    const stopped = path.join(board.scratch, 'background-MON.pid');
    const line = `echo again >>'${file}'; : "a  b"`;
    expect(await statusOf(board, 'lava-background-process-start', 'MON', '--cmd', line)).toBe(0);
    await until('two runs', () => fs.existsSync(file) && fs.readFileSync(file).length >= 12);
    const pid = Number(fs.readFileSync(stopped, 'utf8'));
    expect((await board.run('lava-background-process-stop', 'MON')).status).toBe(0);
    await until('its end', () => !fs.existsSync(`/proc/${pid}`));
    expect(fs.existsSync(stopped)).toBe(false);
    expect(await board.run('lava-background-process-stop', 'MON')).toMatchObject({
      status: 0,
      stderr: 'lava-background-process-stop: MON was not started\n',
    });
    for (const words of [[], ['a/b', '--cmd', 'x'], ['MON'], ['MON', '--cmd'], ['MON', 'x', 'y']])
      expect((await board.run('lava-background-process-start', ...words)).status).toBe(1);
    expect((await board.run('lava-background-process-stop')).status).toBe(1);
  });

  it('end all of a process in the background, not only its shell', async ({
    board,
    expect,
    skip,
  }) => {
    const setsid = find('setsid');
    if (!setsid) return skip('setsid is not installed');
    fs.symlinkSync(setsid, path.join(board.path, 'setsid'));
    board.env.LAVA_RESULT_DIR = board.scratch;
    const file = path.join(board.folder, 'pid');
    const line = `sh -c 'echo $$ >"$0"; exec sleep 600' '${file}' | cat`;
    expect(await statusOf(board, 'lava-background-process-start', 'TOP', '--cmd', line)).toBe(0);
    await until('its start', () => fs.existsSync(file) && fs.readFileSync(file).length > 1);
    const pid = Number(fs.readFileSync(file, 'utf8'));
    await board.run('lava-background-process-stop', 'TOP');
    await until('the end of its child', () => !fs.existsSync(`/proc/${pid}`));
    expect(fs.existsSync(`/proc/${pid}`)).toBe(false);
  });

  it('install packages with the manager that is there, and try again when it fails', async ({
    board,
    expect,
  }) => {
    board.copyPrograms((text) =>
      text.replace(/^packages_pause_seconds=60/m, 'packages_pause_seconds=0'),
    );
    expect(await board.run('lava-install-packages', 'a', 'b')).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/^lava-install-packages: no package manager.*: a b\n$/),
    });
    const log = path.join(board.folder, 'apt');
    program(board, 'apt-get', `echo "$DEBIAN_FRONTEND $*" >>'${log}'; [ "$1" != update ]`);
    expect((await board.run('lava-install-packages', 'a', 'b')).status).toBe(0);
    const update = 'noninteractive update -q\n';
    const install = 'noninteractive install -y -q a b\n';
    expect(fs.readFileSync(log, 'utf8')).toBe(update + install);
    fs.rmSync(log);
    program(board, 'apt-get', `echo "$DEBIAN_FRONTEND $*" >>'${log}'; exit 100`);
    expect((await board.run('lava-install-packages', 'a', 'b')).status).toBe(100);
    expect(fs.readFileSync(log, 'utf8')).toBe((update + install).repeat(5));
  });

  it('list packages in one form, whatever the manager', async ({ board, expect }) => {
    expect(await board.run('lava-installed-packages')).toMatchObject({ status: 0, stdout: '' });
    const managers: (readonly [string, string, string, string])[] = [
      ['apk', 'apk', 'musl-utils-1.2.5-r0', 'package: musl-utils : 1.2.5-r0'],
      ['opkg', 'opkg', 'libc6 - 2.39-r0', 'package: libc6 : 2.39-r0'],
      ['pacman', 'pacman', 'glibc 2.39-1', 'package: glibc : 2.39-1'],
      // A busybox shell runs an rpm of its own.
      ...(pair.name.startsWith('busybox')
        ? []
        : [['dnf', 'rpm', 'package: bash : 5.2-1', 'package: bash : 5.2-1'] as const]),
      ['apt-get', 'dpkg-query', 'installed libc6 : 2.36', 'package: libc6 : 2.36'],
    ];
    // The one that is looked for first is added last: it is the one that counts then.
    for (const [manager, tool, printed, line] of managers) {
      program(board, manager, 'exit 1');
      program(board, tool, `echo '${printed}'`);
      expect((await board.run('lava-installed-packages')).stdout).toBe(`${line}\n`);
    }
  });

  it('name the system of the board in a line', async ({ board, expect }) => {
    const { status, stdout } = await board.run('lava-os-build');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\S.*\n$/);
  });

  it('take package sources and keys where there is apt, and say so where not', async ({
    board,
    expect,
  }) => {
    for (const verb of ['lava-add-sources', 'lava-add-keys'])
      expect(await board.run(verb, 'x')).toMatchObject({
        status: 0,
        stdout: '',
        stderr: expect.stringContaining('only apt'),
      });
    const log = path.join(board.folder, 'apt');
    program(board, 'apt-get', `echo "$*" >>'${log}'`);
    program(board, 'add-apt-repository', `echo "add $*" >>'${log}'`);
    expect((await board.run('lava-add-sources', 'ppa:x/y')).status).toBe(0);
    expect((await board.run('lava-add-keys', 'x-keyring')).status).toBe(0);
    expect(fs.readFileSync(log, 'utf8')).toBe('add -y ppa:x/y\ninstall -y -q x-keyring\n');
  });

  it('start and await virtual machines by messages', async ({ board, server, expect }) => {
    board.env._LAVA_VM_GROUP_HOST_IP = '10.0.0.1';
    expect((await board.run('lava-start-vms')).status).toBe(0);
    expect((await board.run('lava-wait-for-vms')).status).toBe(0);
    expect(server.requests.map(({ verb, words }) => [verb, ...words])).toEqual([
      ['send', 'lava_vm_start', 'host_ip=10.0.0.1'],
      ['send', 'lava_vm_stop'],
      ['wait-all', 'lava_vm_stop'],
    ]);
  });

  it('print the address of an interface, and nothing but a line on stderr where there is none', async ({
    board,
    expect,
  }) => {
    const ip = find('ip');
    if (ip) fs.symlinkSync(ip, path.join(board.path, 'ip'));
    if (ip) expect((await board.run('lava-echo-ipv4', 'lo')).stdout).toBe('127.0.0.1\n');
    for (const words of [[], ['eth77']])
      expect(await board.run('lava-echo-ipv4', ...words)).toMatchObject({
        status: 0,
        stdout: '',
        stderr: expect.stringMatching(/^lava-echo-ipv4: .+\n$/),
      });
    board.env.MUSTER_PLAIN_ADDRESS = '127.0.0.9';
    expect((await board.run('lava-echo-ipv4', 'eth0')).stdout).toBe('127.0.0.9\n');
    expect((await board.run('lava-target-ip')).stdout).toBe('127.0.0.9\n');
  });
});

describe.concurrent.each(usable(pairs))('an attachment from a board that has $name', (pair) => {
  const it = boardTest(pair);

  it('is sent byte for byte, with its name', async ({ board, server, expect }) => {
    // The wget of a busybox ends at the first NUL.
    const isPlain = pair.client.startsWith('busybox');
    const bytes = Buffer.from(
      Array.from({ length: 70_000 }, (_, at) => at % 256 || Number(isPlain)),
    );
    const file = path.join(board.folder, 'a b&c=Ł.bin');
    fs.writeFileSync(file, bytes);
    expect(await board.run('lava-test-attach', file)).toMatchObject({
      status: 0,
      stdout: 'muster: attached a b&c=Ł.bin (70000 bytes)\n',
      stderr: '',
    });
    expect(await board.run('lava-test-attach', file, 'log')).toMatchObject({ status: 0 });
    expect(await board.run('lava-test-case-attach', 'boot', file, 'text/plain')).toMatchObject({
      status: 0,
    });
    expect(server.uploads.map(({ name }) => name)).toEqual([
      'a b&c=Ł.bin',
      'log',
      'boot-a b&c=Ł.bin',
    ]);
    expect(server.uploads.every((upload) => upload.body.equals(bytes))).toBe(true);
    const method = isPlain ? 'POST' : 'PUT';
    expect(new Set(server.uploads.map((upload) => upload.method))).toEqual(new Set([method]));
    expect(server.uploads[0]).toMatchObject({ contentType: 'application/octet-stream' });
  });

  it('is refused in words where the client would cut it at a NUL', async ({
    board,
    server,
    expect,
    skip,
  }) => {
    if (!pair.client.startsWith('busybox')) return skip('this client sends any byte');
    const file = path.join(board.folder, 'f');
    fs.writeFileSync(file, 'a\0b');
    expect(await board.run('lava-test-attach', file)).toMatchObject({
      status: 1,
      stderr: `lava-test-attach: cannot attach ${file}: it has NUL bytes, and the wget of this board cannot send them\n`,
    });
    expect(server.uploads).toEqual([]);
  });

  it('comes again with its key after a break, and a refusal is said', async ({
    board,
    server,
    expect,
  }) => {
    const file = path.join(board.folder, 'f');
    fs.writeFileSync(file, 'x');
    server.plan('attachment', 'drop before an answer', 'refused too many\n');
    expect(await board.run('lava-test-attach', file)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: 'lava-test-attach: too many\n',
    });
    expect(new Set(server.uploads.map(({ key }) => key)).size).toBe(1);
  });

  it('is refused when it is no file, too large, or there is no network', async ({
    board,
    server,
    expect,
  }) => {
    const large = path.join(board.folder, 'large');
    fs.writeFileSync(large, Buffer.alloc(1_048_577));
    for (const words of [[], [''], ['/no/such'], [board.folder], [large], ['a', 'b', 'c']])
      expect((await board.run('lava-test-attach', ...words)).status).toBe(1);
    fs.truncateSync(large, 1_048_576);
    delete board.env.MUSTER_URL;
    expect(await board.run('lava-test-attach', large)).toMatchObject({
      status: 1,
      stderr: `lava-test-attach: cannot attach ${large}: this board has no network to the server\n`,
    });
    expect(server.requests).toEqual([]);
    expect(server.uploads).toEqual([]);
  });
});
