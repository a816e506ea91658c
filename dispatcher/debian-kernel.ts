/**
 * A kernel of Debian's for boards that bring none, and of another architecture than this machine's a busybox beside it:
 * fetched once, unpacked and never installed.
 */
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { StepFailure } from './failure.ts';
import { lastLine, runProgram } from './programs.ts';

/** As QEMU and the lab's file call it. */
export type Arch = 'x86_64' | 'aarch64';

export interface Kernel {
  file: string;
  /** The folder with its modules. */
  modules: string;
  /** Linked with nothing: there where this machine's programs do not run on it. */
  busybox?: string;
}

const FETCH_MS = 600_000;
const DEBIAN: Readonly<Record<Arch, string>> = { x86_64: 'amd64', aarch64: 'arm64' };

export const ARCH_OF_HOST: Arch = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

const cacheFolder = (arch: Arch): string =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'muster', `kernel-${DEBIAN[arch]}`);

/** The one that was fetched, else one of this machine's own; `undefined`: there is none. */
export async function findKernel(arch: Arch): Promise<Kernel | undefined> {
  const fetched = await newestIn(cacheFolder(arch));
  return fetched === undefined && arch === ARCH_OF_HOST ? newestIn('/') : fetched;
}

async function newestIn(root: string): Promise<Kernel | undefined> {
  const names = await readdir(join(root, 'boot')).catch(() => []);
  for (const name of names.sort().reverse()) {
    const version = /^vmlinuz-(.+)$/.exec(name)?.[1];
    if (version === undefined) continue;
    const modules = join(root, 'lib/modules', version, 'kernel');
    if ((await readdir(modules).catch(() => [])).length === 0) continue;
    const busybox = await firstOf(join(root, 'bin/busybox'), join(root, 'usr/bin/busybox'));
    return { file: join(root, 'boot', name), modules, ...(busybox !== undefined && { busybox }) };
  }
  return undefined;
}

async function firstOf(...files: string[]): Promise<string | undefined> {
  for (const file of files) if ((await stat(file).catch(() => undefined))?.isFile()) return file;
  return undefined;
}

/**
 * Fetches Debian's kernel for virtual machines, when there is none yet.
 *
 * @throws StepFailure `image-unreachable` when it cannot be had
 */
export async function fetchKernel(arch: Arch, say: (line: string) => void): Promise<Kernel> {
  const found = await findKernel(arch);
  if (found !== undefined) return found;
  const folder = cacheFolder(arch);
  await mkdir(dirname(folder), { recursive: true });
  const work = await mkdtemp(`${folder}.`);
  try {
    const run = async (program: string, ...args: string[]) => {
      const end = await runProgram(program, args, { cwd: work, timeoutMs: FETCH_MS });
      if (end.status !== 0)
        throw new StepFailure(
          'image-unreachable',
          `no kernel of Debian's: ${program}: ${lastLine(end.stderr)}`,
        );
      return end.stdout;
    };
    const own = arch === ARCH_OF_HOST ? [] : await apartFrom(work, DEBIAN[arch]);
    const virtual = `linux-image-cloud-${DEBIAN[arch]}`;
    const depends = await run('apt-cache', ...own, 'depends', virtual).catch(async () => {
      await run('apt-get', ...own, 'update', '-qq');
      return run('apt-cache', ...own, 'depends', virtual);
    });
    const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
    if (name === undefined)
      throw new StepFailure('image-unreachable', "no kernel of Debian's: no package has it");
    const names = arch === ARCH_OF_HOST ? [name] : [name, 'busybox-static'];
    say(`fetching from Debian, not installed: ${names.join(', ')} (${DEBIAN[arch]})`);
    await run('apt-get', ...own, 'download', '-qq', ...names);
    for (const file of await readdir(work))
      if (file.endsWith('.deb')) await run('dpkg-deb', '-x', file, 'root');
    await rm(folder, { recursive: true, force: true });
    await rename(join(work, 'root'), folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const fetched = await findKernel(arch);
  if (fetched === undefined)
    throw new StepFailure('image-unreachable', "no kernel of Debian's: its package has none");
  return fetched;
}

/** Words with which apt reads another architecture's lists: kept in a folder, and nothing of this machine's is changed. */
async function apartFrom(work: string, debianArch: string): Promise<string[]> {
  const [lists, cache, status] = [join(work, 'lists'), join(work, 'cache'), join(work, 'status')];
  for (const folder of [join(lists, 'partial'), join(cache, 'archives/partial')])
    await mkdir(folder, { recursive: true });
  await writeFile(status, '');
  return [
    `APT::Architecture=${debianArch}`,
    `APT::Architectures=${debianArch}`,
    `Dir::State::Lists=${lists}`,
    `Dir::State::status=${status}`,
    `Dir::Cache=${cache}`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
}
