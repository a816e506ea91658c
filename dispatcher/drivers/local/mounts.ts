/** What is mounted on the worker's machine: what a board shall see of it, and what boards left. */
import { readFile } from 'node:fs/promises';
import { isInside } from '../../files.ts';
import { runProgram } from '../../programs.ts';

export interface Mount {
  path: string;
  type: string;
}

/** Not files of the machine but of its kernel, or of one boot: a board has its own, or none. */
const NOT_FILES = new Set([
  'autofs',
  'binfmt_misc',
  'bpf',
  'cgroup',
  'cgroup2',
  'configfs',
  'debugfs',
  'devpts',
  'devtmpfs',
  'efivarfs',
  'fusectl',
  'hugetlbfs',
  'mqueue',
  'nsfs',
  'proc',
  'pstore',
  'ramfs',
  'rpc_pipefs',
  'securityfs',
  'selinuxfs',
  'sysfs',
  'tmpfs',
  'tracefs',
]);
/** A board has these of its own. */
const OWN_FOLDERS = ['/proc', '/sys', '/dev', '/run', '/tmp'];

/** The lines of /proc/self/mounts. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [, path, type] = line.split(' ');
    if (path === undefined || type === undefined) return [];
    const real = path.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    return [{ path: real, type }];
  });
}

export async function mounts(): Promise<Mount[]> {
  return parseMounts(await readFile('/proc/self/mounts', 'utf8'));
}

/** The real file systems beside the root that a board of `host:` shall see, outer ones first. */
export function visibleMounts(all: readonly Mount[], dataDir: string): string[] {
  const paths = all
    .filter(({ path, type }) => path !== '/' && !NOT_FILES.has(type))
    .map(({ path }) => path)
    .filter((path) => !isInside(dataDir, path))
    .filter((path) => !OWN_FOLDERS.some((folder) => isInside(folder, path)));
  return [...new Set(paths)].sort();
}

const SCRATCH_BYTES_MIN = 256 * 1024 ** 2;

/**
 * What a board may have in each of its file systems in memory (root with MUSTER_HOME, /tmp, /dev/shm): even when all boards
 * fill all of theirs, a quarter of the memory is left, as long as there is enough for the least that a test needs.
 */
export function scratchBytes(memoryBytes: number, boards: number): number {
  const quarter = Math.floor(memoryBytes / 4);
  return Math.min(quarter, Math.max(SCRATCH_BYTES_MIN, Math.floor(quarter / boards)));
}

export async function mountScratch(path: string, bytes: number): Promise<void> {
  const end = await runProgram('mount', [
    '-t',
    'tmpfs',
    '-o',
    `nosuid,nodev,mode=700,size=${bytes}`,
    'muster-board',
    path,
  ]);
  if (end.status !== 0) throw new Error(`cannot mount a tmpfs on ${path}: ${end.stderr.trim()}`);
}

/** Unmounts everything that is mounted in a folder, the innermost first. */
export async function unmountAll(folder: string): Promise<void> {
  const inside = (await mounts()).map(({ path }) => path).filter((path) => isInside(folder, path));
  for (const path of inside.reverse()) {
    const end = await runProgram('umount', [path]);
    if (end.status !== 0) await runProgram('umount', ['-l', path]);
  }
}
