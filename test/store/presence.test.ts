/** Files that are deleted, replaced or cut under a running server: it acknowledges nothing more, and says so. */
import {
  copyFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openServersLog } from '../../server/open-log.ts';
import { StoreUnavailable } from '../../store/port.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite.ts';
import { collect, sent, type Undo, undoAll } from './events.ts';
import { startStandIn } from './eventstore-grpc-server.ts';

const undo: Undo = [];
afterEach(() => undoAll(undo));

function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'muster-presence-'));
  undo.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function openWithEvents(store?: string) {
  const dataDir = newFolder();
  const log = await openServersLog({ dataDir, ...(store !== undefined && { store }) });
  undo.push(() => log.close());
  await log.store.append('job-1', 0, [sent('a'), sent('b')]);
  return { dataDir, log };
}

const copyOver = (file: string) => {
  copyFileSync(file, `${file}.copy`);
  renameSync(`${file}.copy`, file);
};
const moveAway = (file: string) => renameSync(file, `${file}.away`);
const remove = (file: string) => rmSync(file);
const cut = (file: string) => truncateSync(file, 0);

describe('a file that is open', () => {
  it.each([
    ['muster.db-wal', 'is deleted', remove, 'was deleted or moved away'],
    ['muster.db-wal', 'is moved away', moveAway, 'was deleted or moved away'],
    ['muster.db-wal', 'is replaced', copyOver, 'was replaced by another file'],
    ['muster.db-wal', 'is cut', cut, 'was cut from'],
    ['muster.db', 'is deleted', remove, 'was deleted or moved away'],
    ['muster.db', 'is replaced', copyOver, 'was replaced by another file'],
    ['muster.db', 'is cut', cut, 'was cut from'],
    ['muster.db-shm', 'is deleted', remove, 'was deleted or moved away'],
    ['lock', 'is deleted', remove, 'was deleted or moved away'],
    ['lock', 'is replaced', copyOver, 'was replaced by another file'],
    ['.', 'is moved away', moveAway, 'was deleted or moved away'],
  ])(
    '%s %s: what is written next is refused in words, and all after it',
    async (name, _, harm, what) => {
      const { dataDir, log } = await openWithEvents();
      const file = name === '.' ? dataDir : join(dataDir, name);
      harm(file);
      undo.push(() => rmSync(`${dataDir}.away`, { recursive: true, force: true }));
      const refused = await log.store.append('job-1', 2, [sent('c')]).catch((error) => error);
      expect(refused).toBeInstanceOf(StoreUnavailable);
      expect(refused.message).toContain(name === '.' ? dataDir : file);
      expect(refused.message).toContain(what);
      expect(refused.message).toMatch(/Stop the server|stop this one/);
      // Health asks for the head.
      await expect(log.store.head()).rejects.toThrow(what);
      // One that has come back in the meantime has missed what was refused: it stays refused.
      if (name !== '.') writeFileSync(file, '');
      await expect(log.store.append('job-2', 0, [sent('d')])).rejects.toThrow(what);
      await expect(log.store.remove('job-1')).rejects.toThrow(what);
    },
  );

  it('is noticed when nobody writes: the log says no more that all is well', async () => {
    const { dataDir, log } = await openWithEvents();
    rmSync(join(dataDir, 'muster.db-wal'));
    await expect(log.store.head()).rejects.toThrow('was deleted or moved away');
  });

  it('is brought into the database at the stop when it was the write-ahead log that was deleted', async () => {
    const { dataDir, log } = await openWithEvents();
    rmSync(join(dataDir, 'muster.db-wal'));
    await expect(log.store.append('job-1', 2, [sent('c')])).rejects.toThrow('was deleted');
    await log.close();
    const again = await openSqliteStore({ file: join(dataDir, 'muster.db') });
    expect(await collect(again.read('job-1'))).toHaveLength(2);
    await again.close();
  });

  it('may grow and be cut back by the log itself', async () => {
    const { dataDir, log } = await openWithEvents();
    const large = 'x'.repeat(60_000);
    for (let round = 0; round < 40; round += 1) {
      const version = 2 + round * 50;
      const events = Array.from({ length: 50 }, () => sent('large', [['pad', large]]));
      await log.store.append('job-1', version, events);
    }
    await log.close();
    const again = await openServersLog({ dataDir });
    await again.store.append('job-2', 0, [sent()]);
    await again.close();
  });
});

it('the lock of a folder counts for a server on an EventStoreDB too', async () => {
  const standIn = await startStandIn();
  undo.push(() => standIn.stop());
  const { dataDir, log } = await openWithEvents(`esdb://127.0.0.1:${standIn.port}?tls=false`);
  rmSync(join(dataDir, 'lock'));
  await expect(log.store.append('job-1', 2, [sent('c')])).rejects.toThrow(
    /lock was deleted or moved away .* Another Muster may have the folder/,
  );
});
