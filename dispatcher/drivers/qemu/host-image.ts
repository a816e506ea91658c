/**
 * The image `host:` of a QEMU board: a kernel, and an initrd made of this machine's busybox and the programs that the
 * lab names, with the libraries that they need; of another architecture of Debian's busybox alone. Made once, and kept by
 * what went into it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { chmod, copyFile, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { ARCH_OF_HOST, type Arch, findKernel, type Kernel } from '../../debian-kernel.ts';
import { causeSaid, StepFailure } from '../../failure.ts';
import { lastLine, runProgram } from '../../programs.ts';

/** What a board needs for its drives, its network and its random numbers. */
const MODULES = [
  ...['virtio', 'virtio_ring', 'virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci'],
  ...['virtio_mmio', 'failover', 'net_failover', 'virtio_net', 'virtio_blk', 'virtio-rng'],
];

/** pid 1. It keeps a shell on the console, and buries the orphans of the board while it waits for it. */
const INIT = `#!/bin/busybox sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root USER=root LOGNAME=root SHELL=/bin/sh TERM=linux LANG=C.UTF-8
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
for round in 1 2 3; do # which of them needs which is not the same in all kernels
  for module in /lib/modules/*.ko; do insmod "$module" 2>/dev/null; done
done
cd /root
while :; do setsid cttyhack /bin/sh; done
`;

const FILES: Readonly<Record<string, string>> = {
  'etc/passwd': 'root::0:0:root:/root:/bin/sh\n',
  'etc/group': 'root:x:0:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  'etc/hosts': '127.0.0.1\tlocalhost\n',
};

export interface HostImage {
  kernel: string;
  initrd: string;
}

/**
 * @param folder where what was made is kept
 * @throws StepFailure `image-unreachable`: something of it is not on this machine, `image-broken`
 */
export async function hostImage(
  folder: string,
  { arch, programs }: { arch: Arch; programs: readonly string[] },
): Promise<HostImage> {
  const kernel = await findKernel(arch);
  if (kernel === undefined)
    throw new StepFailure(
      'image-unreachable',
      `image host:: no kernel of ${arch}: neither one of this machine in /boot nor one that "muster init" fetched from Debian`,
    );
  const files =
    arch === ARCH_OF_HOST
      ? await programFiles(['busybox', ...programs])
      : foreignFiles(arch, kernel, programs);
  const modules = await moduleFiles(kernel);
  const initrd = join(
    folder,
    `host-${await keyOf([kernel.file, ...files, ...modules.values()])}.initrd`,
  );
  if ((await stat(initrd).catch(() => undefined)) === undefined)
    await makeInitrd(initrd, files, modules);
  return { kernel: kernel.file, initrd };
}

function foreignFiles(arch: Arch, { busybox }: Kernel, programs: readonly string[]): string[] {
  if (programs.length > 0)
    throw new StepFailure(
      'image-unreachable',
      `image host:: programs of this machine (${programs.join(', ')}) do not run on a board of ${arch}`,
    );
  if (busybox === undefined)
    throw new StepFailure('image-unreachable', `image host:: no busybox of ${arch}`);
  return [busybox];
}

/** What went into it: names, sizes and times. */
async function keyOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(INIT);
  for (const file of files) {
    const { size, mtimeMs } = await stat(file);
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

async function makeInitrd(
  initrd: string,
  files: readonly string[],
  modules: ReadonlyMap<string, string>,
): Promise<void> {
  const root = `${initrd}.${randomBytes(4).toString('hex')}`;
  try {
    for (const place of [
      'bin',
      'dev',
      'etc',
      'lib/modules',
      'proc',
      'root',
      'run',
      'sys',
      'tmp',
      'var/tmp',
      'usr/bin',
    ])
      await mkdir(join(root, place), { recursive: true });
    for (const place of ['tmp', 'var/tmp']) await chmod(join(root, place), 0o1777);
    await writeFile(join(root, 'init'), INIT, { mode: 0o755 });
    for (const [name, text] of Object.entries(FILES)) await writeFile(join(root, name), text);
    for (const file of files) {
      const place = file.endsWith('/busybox') ? '/bin/busybox' : file;
      await mkdir(dirname(join(root, place)), { recursive: true });
      await copyFile(file, join(root, place));
    }
    for (const [name, file] of modules)
      await unpackModule(file, join(root, 'lib/modules', `${name}.ko`));
    const pack = 'cd "$1" && find . | cpio -o -H newc --owner=0:0 --quiet | gzip -1 >"$2"';
    const end = await runProgram('sh', ['-c', pack, 'sh', root, `${root}.gz`], {
      timeoutMs: 120_000,
    });
    if (end.status !== 0 || end.stderr !== '')
      throw new StepFailure(
        'image-broken',
        `image host:: cannot make it: ${lastLine(end.stderr)}`,
        causeSaid(end.stderr),
      );
    await rename(`${root}.gz`, initrd);
  } finally {
    await rm(root, { recursive: true, force: true });
    await rm(`${root}.gz`, { force: true });
  }
}

/** Of newer kernels they are packed, which a small `insmod` cannot read. */
async function unpackModule(file: string, to: string): Promise<void> {
  if (file.endsWith('.ko')) return copyFile(file, to);
  const end = await runProgram('sh', [
    '-c',
    '"$1" -dc "$2" >"$3"',
    'sh',
    file.endsWith('.xz') ? 'xz' : 'zstd',
    file,
    to,
  ]);
  if (end.status !== 0)
    throw new StepFailure(
      'image-broken',
      `image host:: ${file}: ${lastLine(end.stderr)}`,
      causeSaid(end.stderr),
    );
}

/** By name; one that is part of the kernel is not there. */
async function moduleFiles({ modules }: Kernel): Promise<Map<string, string>> {
  const all = await readdir(modules, { recursive: true });
  const found = new Map<string, string>();
  for (const name of MODULES) {
    const file = all.find((path) => new RegExp(`(?:^|/)${name}\\.ko(?:\\.xz|\\.zst)?$`).test(path));
    if (file !== undefined) found.set(name, join(modules, file));
  }
  return found;
}

/** Programs and the libraries that they are linked with, as paths of this machine. */
async function programFiles(programs: readonly string[]): Promise<string[]> {
  const files = new Set<string>();
  for (const program of programs) {
    const file = await whereIs(program);
    files.add(file);
    const { stdout } = await runProgram('ldd', [file], { env: { ...process.env, LC_ALL: 'C' } });
    for (const [, library] of stdout.matchAll(/(?:=>\s*|^\s+)(\/\S+)/gm))
      if (library !== undefined) files.add(library);
  }
  return [...files];
}

async function whereIs(program: string): Promise<string> {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const places = program.startsWith('/')
    ? [program]
    : folders.map((folder) => join(folder, program));
  for (const place of places)
    if ((await stat(place).catch(() => undefined))?.isFile() === true) return place;
  throw new StepFailure(
    'image-unreachable',
    `image host:: the program ${program} is not on this machine`,
  );
}
