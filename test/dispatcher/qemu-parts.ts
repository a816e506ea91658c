/** What the tests of QEMU boards need of this machine: found, fetched, or the reason why they are skipped. */
import { ensurePrograms } from '../../cli/debian-programs.ts';
import { fetchKernel } from '../../dispatcher/debian-kernel.ts';
import { namespacesSkipped } from './harness.ts';

const say = (line: string) => console.log(`muster test: ${line}`);

/** Why QEMU boards cannot be tested here; `undefined`: they can. */
export async function qemuSkipped(): Promise<string | undefined> {
  const why = (await namespacesSkipped()) ?? (await lackOfQemu());
  if (why !== undefined) console.log(`skipped: QEMU boards: ${why}`);
  return why;
}

async function lackOfQemu(): Promise<string | undefined> {
  const lacking = await ensurePrograms(
    [
      ['qemu-system-x86_64', 'qemu-system-x86'],
      ['qemu-img', 'qemu-utils'],
      ['busybox', 'busybox-static'],
      ['cpio', 'cpio'],
    ],
    say,
  );
  if (lacking !== undefined) return lacking;
  try {
    await fetchKernel(say);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
