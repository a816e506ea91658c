/**
 * Whether QEMU boards can be tested here. What those of this machine's own kind need is fetched once for all tests
 * (test/setup.ts); what others need, by the test that needs it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePrograms } from '../../cli/debian-programs.ts';
import { fetchKernel } from '../../dispatcher/debian-kernel.ts';
import { qemuLack } from '../../dispatcher/drivers/qemu/qemu.ts';
import { lacksOf } from '../../dispatcher/drivers/registry.ts';

/** Why they cannot be tested; `undefined`: they can. */
export async function qemuSkipped(): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'muster-probe-'));
  const { local, qemu } = await lacksOf(folder);
  rmSync(folder, { recursive: true, force: true });
  return said('QEMU boards', local ?? qemu);
}

/** Why boards of arm64 cannot be tested; `undefined`: they can. */
export async function arm64Skipped(): Promise<string | undefined> {
  const say = (line: string) => console.log(`muster test: ${line}`);
  const lacking = await ensurePrograms(
    [
      ['qemu-system-aarch64', 'qemu-system-arm'],
      ['qemu-system-aarch64', 'qemu-efi-aarch64'],
      ['mkfs.vfat', 'dosfstools'],
      ['mcopy', 'mtools'],
    ],
    say,
  );
  const kernel = fetchKernel('aarch64', say).then(
    () => undefined,
    (error: Error) => error.message,
  );
  const why = lacking ?? (await kernel) ?? (await qemuLack('aarch64'));
  return said('arm64 boards', why);
}

function said(boards: string, why: string | undefined): string | undefined {
  if (why !== undefined) console.log(`skipped: ${boards}: ${why}`);
  return why;
}
