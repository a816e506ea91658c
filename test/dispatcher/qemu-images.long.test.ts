/** What QEMU boards boot: disks of every form, kernels, and images that are not what they say. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostImage } from '../../dispatcher/drivers/qemu/host-image.ts';
import { type DriverFields, settingsOf } from '../../submission/lab-drivers.ts';
import { commands, deploy, Lab } from './harness.ts';
import { SOURCE_LIMITS } from './limits.ts';
import { qemuSkipped } from './qemu-parts.ts';

const skipped = await qemuSkipped();

describe.skipIf(skipped !== undefined)('a QEMU board', { timeout: 240_000 }, () => {
  let lab: Lab;
  let kernel: string;
  let initrd: string;
  const file = (name: string) => join(lab.folder, name);
  const url = (name: string) => `file://${file(name)}`;
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd: lab.folder, stdio: 'pipe' });

  beforeEach(async () => {
    lab = new Lab(['q1'], {
      limits: { consoleBytes: 16_777_216, bootSeconds: 120, ...SOURCE_LIMITS },
    });
    const made = file('made');
    mkdirSync(made);
    ({ kernel, initrd } = await hostImage(made, { arch: 'x86_64', programs: [] }));
  });
  afterEach(() => lab.close());

  /** The board, with the kernel of the lab's own. */
  async function open(fields: DriverFields = {}): Promise<void> {
    const own = { kernel: { url: `file://${kernel}` }, initrd: { url: `file://${initrd}` } };
    const settings = settingsOf({ ...fields, qemu: { ...own, ...fields.qemu } });
    lab.given.boards = [
      { name: 'q1', type: 'q', tags: [], driver: 'qemu', image: 'host:', settings },
    ];
    await lab.open();
  }

  async function endOf(image: string, ...lines: string[]): Promise<string | undefined> {
    lab.server.allocate(1, [{ device: 'q1', actions: [deploy(image), commands(...lines)] }]);
    return (await lab.ends(1, 200)).q1;
  }

  /** A file system of 16 MiB with one file. */
  function fileSystem(): string {
    mkdirSync(file('tree'));
    writeFileSync(file('tree/word'), 'from the image\n');
    run('mkfs.ext4', '-q', '-d', 'tree', 'disk.img', '16M');
    return sumOf('disk.img');
  }
  const sumOf = (name: string) =>
    createHash('sha256')
      .update(readFileSync(file(name)))
      .digest('hex');
  const reads = ['mount /dev/vda /mnt', 'cat /mnt/word', 'echo more >/mnt/more && sync'];

  test.each([
    ['raw', 'disk.img', []],
    ['packed with gzip', 'disk.img.gz', ['gzip', '-k', 'disk.img']],
    ['packed with xz', 'disk.img.xz', ['xz', '-k', '-0', 'disk.img']],
    ['packed with zstd', 'disk.img.zst', ['zstd', '-q', 'disk.img']],
    ['qcow2', 'disk.qcow2', ['qemu-img', 'convert', '-O', 'qcow2', 'disk.img', 'disk.qcow2']],
  ])('writes on a copy of a disk that is %s', async (_, name, [program, ...args]) => {
    fileSystem();
    if (program !== undefined) run(program, ...args);
    const before = sumOf(name);
    await open({ qemu: { append: 'quiet panic=-1' } });
    expect(await endOf(`${url(name)}#sha256=${before}`, 'mkdir -p /mnt', ...reads)).toBe(
      'complete',
    );
    expect(lab.console(1, 'q1')).toContain('\nfrom the image\n');
    expect(sumOf(name)).toBe(before);
    await lab.empty();
  });

  test('boots a kernel and an initrd of an archive, with words of its own', async () => {
    mkdirSync(file('parts'));
    copyFileSync(kernel, file('parts/kernel'));
    copyFileSync(initrd, file('parts/initrd'));
    writeFileSync(file('parts/append'), 'quiet panic=-1 of.the.image=1\n');
    run('tar', '-C', 'parts', '-czf', 'parts.tar.gz', '.');
    await open();
    expect(await endOf(url('parts.tar.gz'), 'cat /proc/cmdline')).toBe('complete');
    expect(lab.console(1, 'q1')).toContain('of.the.image=1');
  });

  test('whose kernel panics is named with what it said', async () => {
    await open({ qemu: { append: 'panic=-1 rdinit=/no/such/init root=/dev/none' } });
    fileSystem();
    expect(await endOf(url('disk.img'), 'true')).toMatch(
      /the board did not boot: its kernel panicked: .*Kernel panic - not syncing/,
    );
    await lab.empty();
  });

  /** The lab's kernel and initrd, with a script that is there before all else. */
  function partsWith(name: string, script: string): string {
    mkdirSync(file('more/bin'), { recursive: true });
    writeFileSync(file(`more/bin/${name}`), `#!/bin/busybox sh\n${script}\n`, { mode: 0o755 });
    run('sh', '-c', 'cd more && find . | cpio -o -H newc --quiet | gzip >../more.cpio');
    run('sh', '-c', `cat '${initrd}' more.cpio >both`);
    mkdirSync(file('parts'));
    copyFileSync(kernel, file('parts/kernel'));
    copyFileSync(file('both'), file('parts/initrd'));
    run('tar', '-C', 'parts', '-cf', 'parts.tar', '.');
    return url('parts.tar');
  }

  test('that reboots again and again before it has a shell is named for it', async () => {
    await open({ qemu: { append: 'quiet panic=-1 rdinit=/bin/reboots' } });
    const image = partsWith('reboots', '/bin/busybox reboot -f');
    expect(await endOf(image, 'true')).toMatch(
      /it started 3 times, and ended each time before it had a shell/,
    );
    await lab.empty();
  });

  test('that never prints is given up when its time is over', async () => {
    lab.given.limits = { consoleBytes: 16_777_216, bootSeconds: 20, ...SOURCE_LIMITS };
    await open({ qemu: { append: 'quiet loglevel=0 panic=-1 rdinit=/bin/sleeps' } });
    const image = partsWith('sleeps', 'while :; do /bin/busybox sleep 100; done');
    expect(await endOf(image, 'true')).toMatch(/did not boot: not within 20 s/);
    await lab.empty();
  });

  test.each([
    ['is text', 'text', /is nothing to boot/],
    ['is a part of another file', 'part.qcow2', /is only a part: it names another file/],
    ['has a disk larger than allowed', 'large.qcow2', /a disk of 1099511627776 bytes/],
    ['is broken', 'broken.qcow2', /image-broken|qemu-img|Could not open|image file/],
    ['is an archive with nothing to boot', 'nothing.tar', /without a file "kernel" or "disk"/],
    ['is not there', 'none', /there is no|no such file|does not exist/i],
  ])('refuses in words an image that %s', async (_, name, reason) => {
    writeFileSync(file('text'), 'hello\n'.repeat(1_000));
    writeFileSync(file('secret'), 'x'.repeat(65_536));
    run('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', file('secret'), '-F', 'raw', 'part.qcow2');
    run('qemu-img', 'create', '-q', '-f', 'qcow2', 'large.qcow2', '1T');
    writeFileSync(file('broken.qcow2'), Buffer.from('QFI\xfb\0\0\0\x03broken', 'latin1'));
    run('tar', '-cf', 'nothing.tar', 'text');
    await open();
    expect(await endOf(url(name), 'true')).toMatch(reason);
    await lab.empty();
  });

  test('takes no more of an image than is allowed, and keeps nothing of it', async () => {
    run('sh', '-c', 'head -c 50000000 /dev/zero | gzip >bomb.gz');
    await open();
    lab.given.limits = {
      consoleBytes: 16_777_216,
      bootSeconds: 120,
      imageBytes: 1_000_000,
      ...SOURCE_LIMITS,
    };
    await lab.dispatcher?.stop({ killBoards: true });
    await lab.open();
    expect(await endOf(url('bomb.gz'), 'true')).toMatch(/more than 1000000 bytes unpacked/);
    expect(statSync(join(lab.dataDir, 'images')).isDirectory()).toBe(true);
    expect(run('ls', join(lab.dataDir, 'images')).toString()).not.toMatch(/part-|sha256/);
  });
});
