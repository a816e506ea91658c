/** The log that a command works on: the folder's own, or that of an EventStoreDB server or cluster. */
import { join } from 'node:path';
import { openEventStoreDb } from '../store/eventstoredb.ts';
import { lockFolder } from '../store/lock.ts';
import type { EventStore } from '../store/port.ts';
import { openSqliteSnapshot, openSqliteStore } from '../store/sqlite.ts';

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
