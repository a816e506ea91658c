/** Whether QEMU boards can be tested here: what they need is fetched once for all tests (test/setup.ts). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lacksOf } from '../../dispatcher/drivers/registry.ts';

/** Why they cannot be tested; `undefined`: they can. */
export async function qemuSkipped(): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'muster-probe-'));
  const { local, qemu } = await lacksOf(folder);
  rmSync(folder, { recursive: true, force: true });
  const why = local ?? qemu;
  if (why !== undefined) console.log(`skipped: QEMU boards: ${why}`);
  return why;
}
