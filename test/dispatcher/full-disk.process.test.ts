/** A worker whose disk is full: what fails by it is the worker's fault and no board's, and the next job runs. */
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { settingsOf } from '../../submission/lab-drivers.ts';
import { mountSmallDisk } from '../store/disks.ts';
import { skipBecause } from '../store/events.ts';
import { commands, deploy, Lab, until } from './harness.ts';

/** Writes until nothing more goes. */
function fill(file: string): void {
  const handle = openSync(file, 'w');
  try {
    for (;;) writeSync(handle, Buffer.alloc(4096));
  } catch {
    closeSync(handle);
  }
}

/** A lab on a disk of 8 MiB; `undefined`: there can be none, and the test was skipped for it. */
function smallLab(context: TestContext, given: ConstructorParameters<typeof Lab>[1] = {}) {
  const place = mkdtempSync(join(tmpdir(), 'muster-small-'));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  const disk = mountSmallDisk(place, 8 * 1024);
  if ('lacks' in disk) return skipBecause(context, disk.lacks);
  const lab = new Lab(['b1'], given, place);
  onTestFinished(async () => {
    await lab.close();
    disk.unmount();
  });
  return { lab, place };
}

test('a board waits for room on it, is not at fault, and goes on by itself', async (context) => {
  const small = smallLab(context, { local: { namespaces: false } });
  if (small === undefined) return;
  const { lab, place } = small;
  await lab.open();
  const full = join(place, 'full');
  fill(full);
  lab.server.allocate(1, [{ device: 'b1', actions: [commands('true')] }]);
  await until(
    () => lab.logged.some(({ message }) => message.includes('ENOSPC')),
    () => JSON.stringify(lab.logged),
  );
  rmSync(full);
  expect((await lab.ends(1)).b1).toBe('complete');
  expect(lab.server.of('FailMember')).toEqual([]);
});

test('an image for which there is no room is the worker’s fault, and the next job runs', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-large-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'large.gz'), gzipSync(Buffer.alloc(20_000_000)));
  const settings = settingsOf({
    console: {
      connect: 'PS1="$ " exec sh -i',
      power_on: 'true',
      power_off: 'true',
      deploy: 'true',
    },
    login: { home: folder },
  });
  const small = smallLab(context, {
    boards: [{ name: 'b1', type: 't', tags: [], driver: 'console', image: 'host:', settings }],
    allowFiles: [folder],
  });
  if (small === undefined) return;
  const { lab } = small;
  await lab.open();
  const image = deploy(`file://${folder}/large.gz`);
  lab.server.allocate(1, [{ device: 'b1', actions: [image] }]);
  expect((await lab.ends(1)).b1).toMatch(/large\.gz: the worker's disk is full$/);
  expect(lab.server.of('EndAction')[0]).toMatchObject({ outcome: 'failed', fault: 'worker' });
  await lab.empty();
  lab.server.allocate(2, [{ device: 'b1', actions: [commands('true')] }]);
  expect((await lab.ends(2)).b1).toBe('complete');
});
