/**
 * The log that a command works on: the folder's own, or that of an EventStoreDB server or cluster. What the kinds of
 * logs differ in stands in one table, and its address says which one it is.
 */
import { statSync } from 'node:fs';
import { lockFile, logFile, traceOfLog } from '../store/data-folder.ts';
import { lockFolder } from '../store/lock.ts';
import { type EventStore, StoreRefused } from '../store/port.ts';
import { guarded, Presence, type Watched } from '../store/presence.ts';
import { checkSqliteFile } from '../store/sqlite/damage.ts';
import { openSqliteSnapshot, openSqliteStore } from '../store/sqlite/sqlite.ts';

export interface WhichLog {
  dataDir: string;
  /** `esdb://...`; without it the log is the file in the data folder. */
  store?: string;
}

interface KindOfLog {
  name: 'sqlite' | 'eventstoredb';
  /** With what its addresses begin; the log without an address is the folder's own. */
  scheme: RegExp | undefined;
  /** Whether other servers may work on it too. */
  isShared: boolean;
  /** So many appends in flight come into the log in the order of the calls. */
  inFlightMax: number;
  open(is: WhichLog): Promise<EventStore>;
  /** As it is now. It needs no lock, so that it works beside a running server. */
  openToRead(is: WhichLog): Promise<EventStore>;
  /** Its files in the data folder, while it is open. */
  files(dataDir: string): Watched[];
  /** What is wrong with these files themselves, and not with what an event says. */
  faults(dataDir: string): string[];
}

/** What SQLite leaves of a write-ahead log when it begins anew: smaller it never gets. */
const WAL_KEPT_BYTES = 64 * 1024 * 1024;
const BRING_BACK =
  'Stop the server, and bring the file back or restore a backup (docs/operations.md).';

const embedded: KindOfLog = {
  name: 'sqlite',
  scheme: undefined,
  isShared: false,
  inFlightMax: 256,
  open: ({ dataDir }) => openSqliteStore({ file: logFile(dataDir) }),
  openToRead: ({ dataDir }) => openSqliteSnapshot({ file: logFile(dataDir) }),
  files: (dataDir) => [
    { file: logFile(dataDir), keepsBytes: Number.POSITIVE_INFINITY, advice: BRING_BACK },
    {
      file: `${logFile(dataDir)}-wal`,
      isMadeAnew: true,
      keepsBytes: WAL_KEPT_BYTES,
      advice:
        'Stop the server: what it has acknowledged is brought into the database then, if that is still there. Then run muster verify.',
    },
    { file: `${logFile(dataDir)}-shm`, isMadeAnew: true, advice: BRING_BACK },
  ],
  faults: (dataDir) => checkSqliteFile(logFile(dataDir)),
};

const eventStoreDb: KindOfLog = {
  name: 'eventstoredb',
  scheme: /^\s*esdb(\+discover)?:\/\//,
  isShared: true,
  // A cluster promises the order of the calls for one stream only.
  inFlightMax: 1,
  open: openAtAddress,
  openToRead: openAtAddress,
  files: () => [],
  faults: () => [],
};

/** Its client is loaded by whoever needs it: it takes half as long as all the rest of a server's start. */
async function openAtAddress({ store = '' }: WhichLog): Promise<EventStore> {
  const { openEventStoreDb } = await import('../store/eventstoredb/eventstoredb.ts');
  return openEventStoreDb({ connection: store });
}

const kinds: readonly KindOfLog[] = [embedded, eventStoreDb];

/** @throws StoreRefused for an address of no kind of log */
export function kindOfLog({ store }: WhichLog): KindOfLog {
  const kind = kinds.find(({ scheme }) =>
    store === undefined ? scheme === undefined : scheme?.test(store),
  );
  if (kind !== undefined) return kind;
  throw new StoreRefused(
    'not the address of a log: it does not begin with esdb://\n' +
      'One server: esdb://HOST:2113?tls=false   a cluster: esdb://A:2113,B:2113,C:2113',
  );
}

export interface OpenedLog {
  store: EventStore;
  name: KindOfLog['name'];
  isShared: boolean;
  inFlightMax: number;
  /** What a person should know of the folder. */
  note?: string;
  close(): Promise<void>;
}

/**
 * Opens a log to work with. One in a data folder is this process's alone until `close`; the folder is made when
 * there is none.
 *
 * @param command who has the folder, for the message to whoever comes second
 * @throws StoreRefused when another process has the folder, or the log cannot be used; StoreUnavailable
 */
export async function openLog(is: WhichLog, command: string): Promise<OpenedLog> {
  const kind = kindOfLog(is);
  if (!kind.isShared) return openInFolder(is, command, async () => {});
  const store = await kind.open(is);
  return { ...kind, store, close: () => store.close() };
}

/**
 * Opens a log for a server: the data folder is this process's alone, whatever the log is kept in, and both are watched.
 *
 * @param onWritten called whenever an append is durable
 * @throws as `openLog`; StoreRefused where the log is empty, and the folder says that there was one
 */
export async function openServersLog(
  is: WhichLog,
  onWritten: () => void = () => {},
): Promise<OpenedLog> {
  const kind = kindOfLog(is);
  const isAway = () => !kind.isShared && !hasBytes(logFile(is.dataDir));
  const refuse = async (store?: EventStore) => {
    const trace =
      store === undefined
        ? isAway() && traceOfLog(is.dataDir)
        : await traceOfLost(is.dataDir, store);
    if (!trace) return;
    const where = kind.isShared ? 'the log of that address' : logFile(is.dataDir);
    throw new StoreRefused(
      `there is nothing in ${where}, and ${trace} says that a log was there; restore a backup, ` +
        'or use another --data folder to begin a new log (docs/operations.md)',
    );
  };
  return openInFolder(is, 'muster serve', refuse, onWritten);
}

const hasBytes = (file: string): boolean =>
  (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;

/** @param refuse asked before the log is opened, for that may make one, and when it is open */
async function openInFolder(
  is: WhichLog,
  command: string,
  refuse: (store?: EventStore) => Promise<void>,
  onWritten: () => void = () => {},
): Promise<OpenedLog> {
  const kind = kindOfLog(is);
  const lock = await lockFolder(is.dataDir, command);
  try {
    await refuse();
    const store = guarded(await kind.open(is), new Presence(filesOf(kind, is.dataDir)), onWritten);
    await refuse(store).catch(async (error: unknown) => {
      await store.close();
      throw error;
    });
    const close = async () => {
      await store.close();
      await lock.release();
    };
    return { ...kind, store, close, ...(lock.note !== undefined && { note: lock.note }) };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function filesOf(kind: KindOfLog, dataDir: string): Watched[] {
  const advice = 'Another Muster may have the folder by now: stop this one, and start one again.';
  return [...kind.files(dataDir), { file: lockFile(dataDir), advice }];
}

/** Where a log was, none is begun anew in silence: the numbers of its jobs would be given a second time. */
export async function traceOfLost(dataDir: string, store: EventStore): Promise<string | undefined> {
  return (await store.head()) === 0 ? traceOfLog(dataDir) : undefined;
}

/**
 * Opens a log only to read it, as it is now. It needs no lock, so that it works beside a running server.
 *
 * @throws StoreRefused when there is no log, or it cannot be used; StoreUnavailable
 */
export async function openLogToRead(is: WhichLog): Promise<OpenedLog> {
  const kind = kindOfLog(is);
  const store = await kind.openToRead(is);
  return { ...kind, store, close: () => store.close() };
}
