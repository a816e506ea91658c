/** Child processes and small real disks for the tests of the store. */
import { spawnSync } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

export type FoundFolder = { dir: string } | { lacks: string };

/** Arguments for node to run `child.ts` in a mode. */
export function childArgs(mode: string, ...rest: string[]): string[] {
  const kind = extname(import.meta.url);
  const child = fileURLToPath(new URL(`./child${kind}`, import.meta.url));
  const typeScript = kind === '.ts' ? ['--import', import.meta.resolve('tsx')] : [];
  return [...typeScript, child, mode, ...rest];
}

/** Mounts a tmpfs of that many KiB on `dir`, or says what is lacking. */
export function mountSmallDisk(
  dir: string,
  sizeKib: number,
): { dir: string; unmount: () => void } | { lacks: string } {
  if (process.getuid?.() !== 0) return { lacks: 'only root may mount a small disk' };
  const run = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeKib}k`, 'tmpfs', dir]);
  if (run.status !== 0) return { lacks: `no small disk could be mounted: ${run.stderr}` };
  return {
    dir,
    unmount: () => {
      spawnSync('umount', ['-l', dir]);
    },
  };
}

export function remountReadOnly(dir: string): void {
  const run = spawnSync('mount', ['-o', 'remount,ro', dir]);
  if (run.status !== 0) throw new Error(`${dir} could not be made read-only: ${run.stderr}`);
}
