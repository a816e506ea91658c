/** A kernel of Debian's for boards that bring none: fetched once, unpacked and never installed. */
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { StepFailure } from './failure.ts';
import { lastLine, runProgram } from './programs.ts';

export interface Kernel {
  file: string;
  /** The folder with its modules. */
  modules: string;
}

const FETCH_MS = 600_000;

const cacheFolder = (): string =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'muster', 'kernel-amd64');

/** The one that was fetched, else one of this machine's own; `undefined`: there is none. */
export async function findKernel(): Promise<Kernel | undefined> {
  return (await newestIn(cacheFolder())) ?? (await newestIn('/'));
}

async function newestIn(root: string): Promise<Kernel | undefined> {
  const names = await readdir(join(root, 'boot')).catch(() => []);
  for (const name of names.sort().reverse()) {
    const version = /^vmlinuz-(.+)$/.exec(name)?.[1];
    if (version === undefined) continue;
    const modules = join(root, 'lib/modules', version, 'kernel');
    if ((await readdir(modules).catch(() => [])).length > 0)
      return { file: join(root, 'boot', name), modules };
  }
  return undefined;
}

/**
 * Fetches Debian's kernel for virtual machines, when there is none yet.
 *
 * @throws StepFailure `image-unreachable` when it cannot be had
 */
export async function fetchKernel(say: (line: string) => void): Promise<Kernel> {
  const found = await findKernel();
  if (found !== undefined) return found;
  const folder = cacheFolder();
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
    const depends = await run('apt-cache', 'depends', 'linux-image-cloud-amd64').catch(async () => {
      await run('apt-get', 'update', '-qq');
      return run('apt-cache', 'depends', 'linux-image-cloud-amd64');
    });
    const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
    if (name === undefined)
      throw new StepFailure('image-unreachable', "no kernel of Debian's: no package has it");
    say(`fetching from Debian, not installed: ${name}`);
    await run('apt-get', 'download', '-qq', name);
    const archive = (await readdir(work)).find((file) => file.endsWith('.deb')) ?? '';
    await run('dpkg-deb', '-x', archive, 'root');
    await rm(folder, { recursive: true, force: true });
    await rename(join(work, 'root'), folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const fetched = await findKernel();
  if (fetched === undefined)
    throw new StepFailure('image-unreachable', "no kernel of Debian's: its package has none");
  return fetched;
}
