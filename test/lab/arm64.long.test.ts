/** Boards of another architecture than this machine: a real arm64 kernel, in one group with an x86-64 board. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostImage } from '../../dispatcher/drivers/qemu/host-image.ts';
import { arm64Skipped, qemuSkipped } from '../dispatcher/qemu-parts.ts';
import { checkLog } from './invariants.ts';
import { ServerProcess } from './server-process.ts';

const skipped = (await qemuSkipped()) ?? (await arm64Skipped());

// An emulated arm64 takes ten times as long as this machine's own kind.
const LAB = `
limits: { boot_seconds: 300 }
device_types:
  x86: { driver: qemu }
  arm: { driver: qemu, qemu: { arch: aarch64 } }
  bare: { driver: qemu, qemu: { arch: aarch64, memory_mb: 512 }, login: { prompts: ['# $'] } }
devices:
  x1: { type: x86 }
  a1: { type: arm }
  a2: { type: bare }
`;

let server: ServerProcess;
const images = () => join(server.folder, 'images');
const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { cwd: images(), stdio: 'pipe' });

interface Ended {
  state: string;
  reason?: string;
  console(device: string): Promise<string>;
}

async function ended(job: object): Promise<Ended> {
  const { id } = await server.post('/api/jobs', { timeout: 400, job_name: 'arm64', ...job });
  const url = `/api/jobs/${id}`;
  const stream = await fetch(`${server.url}${url}/events`, {
    headers: { accept: 'text/event-stream' },
  });
  await stream.text();
  const view = await server.get<Omit<Ended, 'console'>>(url);
  const console = async (device: string) =>
    await (await fetch(`${server.url}${url}/members/${device}/console`)).text();
  return { ...view, console };
}
const commands = (...lines: string[]) => ({
  command: 'lava_command_run',
  parameters: { commands: lines },
});
const deploy = (image: string) => ({ command: 'deploy_linaro_image', parameters: { image } });

describe.skipIf(skipped !== undefined)('an arm64 board', { timeout: 500_000 }, () => {
  beforeAll(async () => {
    server = await ServerProcess.make(LAB, [], (folder) => [join(folder, 'images')]);
    mkdirSync(images());
    await server.start();
  });
  afterAll(async () => {
    await server.end('SIGTERM');
    checkLog(await server.log(), { finished: true });
    await server.remove();
  });

  test('is in one group with an x86-64 board: messages, barriers, names and pings', async () => {
    const end = await ended({
      device_group: [
        { role: 'arm', count: 1, device_type: 'arm' },
        { role: 'x86', count: 1, device_type: 'x86' },
      ],
      actions: [
        commands(
          'uname -m',
          'lava-send machine is=$(uname -m)',
          'lava-wait-all machine',
          'cat /tmp/lava_multi_node_cache.txt',
          'for name in $(lava-group | cut -f 1); do ping -c 1 -w 20 $name; done',
          'lava-sync seen',
          'lava-test-case here --result pass',
          'lava-sync end',
        ),
      ],
    });
    expect(end).toMatchObject({ state: 'complete' });
    for (const [device, machine, other] of [
      ['a1', 'aarch64', 'x1:is=x86_64'],
      ['x1', 'x86_64', 'a1:is=aarch64'],
    ] as const) {
      const text = await end.console(device);
      expect(text).toContain(`\n${machine}\n`);
      expect(text).toContain(`\n${other}\n`);
      expect(text).toMatch(/PING (?:a1|x1) [\s\S]*1 packets received/);
    }
  });

  test('boots a kernel and an initrd of an archive, and writes on a copy of a disk', async () => {
    const { kernel, initrd } = await hostImage(images(), { arch: 'aarch64', programs: [] });
    mkdirSync(join(images(), 'parts'));
    copyFileSync(kernel, join(images(), 'parts/kernel'));
    copyFileSync(initrd, join(images(), 'parts/initrd'));
    writeFileSync(join(images(), 'parts/append'), 'quiet panic=-1 of.the.image=1\n');
    mkdirSync(join(images(), 'tree'));
    writeFileSync(join(images(), 'tree/word'), 'from the image\n');
    run('mkfs.ext4', '-q', '-d', 'tree', 'parts/disk', '16M');
    run('tar', '-C', 'parts', '-czf', 'parts.tar.gz', '.');
    const end = await ended({
      device_group: [{ role: 'arm', count: 1, device_type: 'arm' }],
      actions: [
        deploy(`file://${images()}/parts.tar.gz`),
        commands(
          'cat /proc/cmdline',
          'mkdir -p /mnt && mount /dev/vda /mnt && cat /mnt/word && echo more >/mnt/more && sync',
        ),
      ],
    });
    expect(end).toMatchObject({ state: 'complete' });
    const text = await end.console('a1');
    expect(text).toContain('of.the.image=1');
    expect(text).toContain('\nfrom the image\n');
  });

  test('boots a disk alone, by the firmware of its kind', async () => {
    const { kernel, initrd } = await hostImage(images(), { arch: 'aarch64', programs: [] });
    // What the firmware finds on a disk without an entry of its own: a kernel is a program of it too.
    const words = 'kernel initrd=\\initrd console=ttyAMA0 quiet panic=-1';
    writeFileSync(join(images(), 'startup.nsh'), `fs0:\r\n${words}\r\n`);
    run('truncate', '-s', '256M', 'disk');
    run('mkfs.vfat', 'disk');
    run('mcopy', '-i', 'disk', kernel, '::kernel');
    run('mcopy', '-i', 'disk', initrd, '::initrd');
    run('mcopy', '-i', 'disk', 'startup.nsh', '::startup.nsh');
    run('qemu-img', 'convert', '-O', 'qcow2', 'disk', 'disk.qcow2');
    const end = await ended({
      device_group: [{ role: 'arm', count: 1, device_type: 'bare' }],
      actions: [deploy(`file://${images()}/disk.qcow2`), commands('uname -m', 'lava-self')],
    });
    expect(end).toMatchObject({ state: 'complete' });
    expect(await end.console('a2')).toContain('\naarch64\n');
  });

  test('has no programs of a machine of another kind, and says so', async () => {
    await expect(hostImage(images(), { arch: 'aarch64', programs: ['iperf'] })).rejects.toThrow(
      /programs of this machine \(iperf\) do not run on a board of aarch64/,
    );
  });
});
