/** The log that a command works on: the folder's own, or that of an EventStoreDB server or cluster. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { directoryProjection } from '../engine/directory-projection.ts';
import { openEventStoreDb } from '../store/eventstoredb/eventstoredb.ts';
import { lockFolder } from '../store/lock.ts';
import { type EventStore, StoreRefused } from '../store/port.ts';
import { openSqliteSnapshot, openSqliteStore } from '../store/sqlite/sqlite.ts';

export interface WhichLog {
  dataDir: string;
  /** `esdb://...`; without it the log is the file in the data folder. */
  store?: string;
}

export interface OpenedLog {
  store: EventStore;
  name: 'sqlite' | 'eventstoredb';
  close(): Promise<void>;
}

export const logFile = (dataDir: string): string => join(dataDir, 'muster.db');
export const checkpointsFolder = (dataDir: string): string => join(dataDir, 'checkpoints');

/**
 * Opens a log to work with. One in a data folder is this process's alone until `close`; the folder is made when
 * there is none.
 *
 * @param command who has the folder, for the message to whoever comes second
 * @throws StoreRefused when another process has the folder, or the log cannot be used; StoreUnavailable
 */
export async function openLog(
  { dataDir, store }: WhichLog,
  command = 'muster serve',
): Promise<OpenedLog> {
  if (store !== undefined) return eventStoreDb(store);
  const lock = await lockFolder(dataDir, command);
  try {
    refuseLost(dataDir);
    const log = await openSqliteStore({ file: logFile(dataDir) });
    const close = async () => {
      await log.close();
      await lock.release();
    };
    return { store: log, name: 'sqlite', close };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Where a log was, none is begun anew in silence: the numbers of its jobs would be given a second time. */
function refuseLost(dataDir: string): void {
  const file = logFile(dataDir);
  const folder = checkpointsFolder(dataDir);
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > 0 || !existsSync(join(folder, `${directoryProjection.name}.json`))) return;
  throw new StoreRefused(
    `there is nothing in ${file}, and ${folder} says that a log was there; restore a backup, or remove that folder to begin a new log`,
  );
}

/**
 * Opens a log only to read it, as it is now. It needs no lock, so that it works beside a running server.
 *
 * @throws StoreRefused when there is no log, or it cannot be used; StoreUnavailable
 */
export async function openLogToRead({ dataDir, store }: WhichLog): Promise<OpenedLog> {
  if (store !== undefined) return eventStoreDb(store);
  const log = await openSqliteSnapshot({ file: logFile(dataDir) });
  return { store: log, name: 'sqlite', close: () => log.close() };
}

async function eventStoreDb(connection: string): Promise<OpenedLog> {
  const store = await openEventStoreDb({ connection });
  return { store, name: 'eventstoredb', close: () => store.close() };
}
