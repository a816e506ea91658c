/** How many processes one board may have, so that a fork bomb stays a problem of its own board. */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface ProcessLimit {
  kind: 'cgroup' | 'pid-namespace' | 'none';
  /** A fresh cgroup for the board, which its launcher enters; empty where there is none. */
  groupFor(device: string): Promise<string>;
  /** A limit for the board's pid namespace; empty where the cgroup does it. */
  readonly pidMax: string;
  remove(device: string): Promise<void>;
  /** Removes what boards left that are not in `keep`. */
  sweep(keep: ReadonlySet<string>): Promise<void>;
}

/** From this kernel on `kernel.pid_max` belongs to a pid namespace; before it, to the whole machine. */
const PID_MAX_PER_NAMESPACE = { major: 6, minor: 14 };
/** The kernel refuses less; and pid numbers, unlike processes, are not reused at once. */
const PID_MAX_MIN = 301;

/** Finds the way that works here, by trying. `hash`: of the data folder. */
export async function openProcessLimit(hash: string, processes: number): Promise<ProcessLimit> {
  const prefix = `muster-${hash.slice(0, 8)}-`;
  const parent = await cgroupParent(prefix);
  if (parent !== undefined) return cgroupLimit(parent, prefix, processes);
  const nothing = {
    groupFor: async () => '',
    remove: async () => undefined,
    sweep: async () => undefined,
  };
  if (pidMaxIsPerNamespace(release()))
    return {
      ...nothing,
      kind: 'pid-namespace',
      pidMax: String(Math.max(processes, PID_MAX_MIN)),
    };
  return { ...nothing, kind: 'none', pidMax: '' };
}

export function pidMaxIsPerNamespace(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map((word) => Number.parseInt(word, 10));
  if (major !== PID_MAX_PER_NAMESPACE.major) return major > PID_MAX_PER_NAMESPACE.major;
  return minor >= PID_MAX_PER_NAMESPACE.minor;
}

function cgroupLimit(parent: string, prefix: string, processes: number): ProcessLimit {
  const pathOf = (device: string) => join(parent, prefix + device);
  const remove = (device: string) => removeGroup(pathOf(device));
  return {
    kind: 'cgroup',
    pidMax: '',
    groupFor: async (device) => {
      await mkdir(pathOf(device), { recursive: true });
      await writeFile(join(pathOf(device), 'pids.max'), String(processes));
      return pathOf(device);
    },
    remove,
    sweep: async (keep) => {
      for (const name of await readdir(parent))
        if (name.startsWith(prefix) && !keep.has(name.slice(prefix.length)))
          await removeGroup(join(parent, name));
    },
  };
}

/** The kernel lets go of the last process a moment after its end. */
async function removeGroup(path: string): Promise<void> {
  for (let tried = 0; tried < 200; tried += 1) {
    try {
      await rmdir(path);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EBUSY')) return;
      await delay(10);
    }
  }
}

/** A mounted hierarchy with the pids controller in which a group of ours can be made. */
async function cgroupParent(prefix: string): Promise<string | undefined> {
  for (const parent of await hierarchies()) {
    const trial = join(parent, `${prefix}trial`);
    try {
      await mkdir(trial, { recursive: true });
      await writeFile(join(trial, 'pids.max'), '100');
      return parent;
    } catch {
      // Not writable, or the controller is not handed down: the next one.
    } finally {
      await rmdir(trial).catch(() => undefined);
    }
  }
  return undefined;
}

async function hierarchies(): Promise<string[]> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((l) => l.split(' '));
  const version1 = mounts.filter(
    ([, , type, options]) => type === 'cgroup' && options?.split(',').includes('pids'),
  );
  const version2 = mounts.filter(([, , type]) => type === 'cgroup2');
  for (const [, folder] of version2)
    if (folder !== undefined)
      await writeFile(join(folder, 'cgroup.subtree_control'), '+pids').catch(() => undefined);
  return [...version1, ...version2].flatMap(([, folder]) => (folder === undefined ? [] : [folder]));
}
