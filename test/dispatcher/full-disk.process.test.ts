/** A worker whose disk is full: what fails by it is the worker's fault and no board's, and the next job runs. */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { mountSmallDisk } from '../store/disks.ts';
import { skipBecause } from '../store/events.ts';
import { commands, Lab } from './harness.ts';

/** Writes until nothing more goes. */
function fill(file: string): void {
  const handle = openSync(file, 'w');
  try {
    for (;;) writeSync(handle, Buffer.alloc(4096));
  } catch {
    closeSync(handle);
  }
}

test('a board that cannot boot because of it is not at fault, and boots when there is room', async (context) => {
  const place = mkdtempSync(join(tmpdir(), 'muster-small-'));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  const disk = mountSmallDisk(place, 8 * 1024);
  if ('lacks' in disk) return skipBecause(context, disk.lacks);
  const lab = new Lab(['panda01'], { local: { namespaces: false } }, place);
  onTestFinished(async () => {
    await lab.close();
    disk.unmount();
  });
  await lab.open();
  const full = join(place, 'full');
  fill(full);
  lab.server.allocate(1, [{ device: 'panda01', actions: [commands('true')] }]);
  expect((await lab.ends(1)).panda01).toMatch(/no space left on device|disk is full/i);
  expect(lab.server.of('FailMember')[0]).toMatchObject({ fault: 'worker' });
  rmSync(full);
  await lab.empty();
  lab.server.allocate(2, [{ device: 'panda01', actions: [commands('true')] }]);
  expect((await lab.ends(2)).panda01).toBe('complete');
});
