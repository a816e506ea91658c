/** A copy of the log as it is at one moment, taken while it is written: `muster backup`. */
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { refuseToOverwrite, syncFolder } from '../durable-file.ts';
import { StoreRefused } from '../port.ts';
import { notOpened, openDatabase, unavailable } from '../sqlite-api.ts';
import { makePrivateFile, openLogSnapshot } from './file.ts';

export interface Backup {
  events: number;
  bytes: number;
}

/**
 * Copies the log in `file` to `target`, a file that must not be there. Whoever writes to the log goes on meanwhile.
 * The copy is dense, was read back, and is durable when the promise resolves; a crash leaves no half of one.
 *
 * @throws StoreRefused when there is no log, or `target` is there already
 * @throws StoreUnavailable when the copy cannot be written, or is damaged
 */
export async function backupSqlite(file: string, target: string): Promise<Backup> {
  refuseToOverwrite(target);
  const aside = `${target}.new`;
  const clear = async () => {
    for (const file of [aside, `${aside}-journal`]) await rm(file, { force: true });
  };
  await clear();
  try {
    copySnapshot(file, aside);
    const events = readBack(aside);
    const bytes = await syncFile(aside);
    await rename(aside, target);
    await syncFolder(dirname(target));
    return { events, bytes };
  } catch (error) {
    await clear().catch(() => {});
    if (error instanceof StoreRefused) throw error;
    throw unavailable(target, error);
  }
}

function copySnapshot(file: string, target: string): void {
  let db: ReturnType<typeof openLogSnapshot>;
  try {
    db = openLogSnapshot(file);
  } catch (error) {
    throw notOpened(file, error);
  }
  try {
    // VACUUM takes a snapshot of its own, and no other one may be open.
    db.exec('COMMIT');
    makePrivateFile(target);
    db.prepare('VACUUM INTO ?').run(target);
  } finally {
    db.close();
  }
}

/** Reads all of the copy once; how many events it has. */
function readBack(file: string): number {
  const db = openDatabase(file, { readOnly: true });
  try {
    const check = db.prepare('PRAGMA quick_check').get() as { quick_check: string };
    if (check.quick_check !== 'ok') throw new Error(`the copy is damaged: ${check.quick_check}`);
    return (db.prepare('SELECT count(*) AS events FROM events').get() as Backup).events;
  } finally {
    db.close();
  }
}

/** SQLite does not sync what VACUUM INTO writes. */
async function syncFile(file: string): Promise<number> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}
