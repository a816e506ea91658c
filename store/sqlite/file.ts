/**
 * The log's file: how it is made, recognised and opened. Runs in the log's thread, but for `openLogBeside`.
 *
 * A rule for later versions: raise `FILE_VERSION` with the file out of WAL mode (`PRAGMA journal_mode=DELETE`),
 * so that the number stands in the file itself, where an older Muster reads it without touching anything.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { StoreRefused } from '../port.ts';
import { type Database, openDatabase } from '../sqlite-api.ts';

/** 'Must', in the file's header: https://sqlite.org/fileformat2.html#application_id */
const APPLICATION_ID = 0x4d757374;
export const FILE_VERSION = 2;
const BUSY_TIMEOUT_MS = 5_000;
/**
 * Pages in the write-ahead log before they go to the file: an append waits for that. Four times SQLite's own number:
 * the pages of the indexes come again and again, and go once.
 */
const CHECKPOINT_PAGES = 4_000;
/** What the write-ahead log is cut back to after a checkpoint. */
const WAL_KEPT_BYTES_MAX = 64 * 1024 * 1024;
const PAGE_CACHE_KIB = 64 * 1024;
/** Of the connection that only appends: the ends of the tables and of their indexes. */
const APPEND_CACHE_KIB = 8 * 1024;

/** Either order of bytes, https://sqlite.org/fileformat2.html#walformat; or it was made, and nothing written yet. */
const WAL_BEGINS_WITH = [0x377f0682, 0x377f0683, 0];
const WAL_HEADER_BYTES = 32;

/** Since version 2. `head`: the highest position given when a stream was last removed; its events may be gone. */
const KEPT = 'CREATE TABLE kept (head INTEGER NOT NULL); INSERT INTO kept VALUES (0);';

/**
 * `names`: every string that comes again (streams, event types, actors, correlations), stored once.
 * `causation`: a UUID as 16 bytes, anything else as text. `rest`: the rare parts of `meta`, as JSON.
 * `log` is for people with an SQLite shell; Muster does not read it.
 */
const SCHEMA = `
  CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    version INTEGER NOT NULL,
    type INTEGER NOT NULL,
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    actor INTEGER NOT NULL,
    causation BLOB NOT NULL,
    correlation INTEGER NOT NULL,
    rest TEXT,
    data TEXT NOT NULL
  );
  CREATE UNIQUE INDEX events_by_stream ON events (stream, version);
  CREATE UNIQUE INDEX events_by_id ON events (id);
  ${KEPT}
  CREATE VIEW log AS
    SELECT position, stream.name AS stream, version, type.name AS type,
      strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS time, actor.name AS actor, data
    FROM events
      JOIN names AS stream ON stream.id = events.stream
      JOIN names AS type ON type.id = events.type
      JOIN names AS actor ON actor.id = events.actor;
`;

/**
 * Opens the log's file, or makes it; brings an older one up to date. Nothing is touched when it is refused.
 *
 * @throws StoreRefused when it is not Muster's, or a newer version wrote it
 */
export function openLogFile(file: string): Database {
  const is = statSync(file, { throwIfNoEntry: false });
  const isThere = is !== undefined && (is.size > 0 || !is.isFile());
  const version = isThere ? versionInHeader(file) : makeLogFile(file);
  const db = openDatabase(file);
  try {
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    if (version === 1) upgradeFromOne(db);
    setPragmas(db);
    // The number could be newer in the write-ahead log than in the file.
    checkVersion(file, numberOf(db, 'user_version'));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Opens the log's file as it is now and will stay for this connection, whoever writes to it meanwhile.
 * Nothing of the log is changed.
 *
 * @throws StoreRefused when there is none, or another version wrote it
 */
export function openLogSnapshot(file: string): Database {
  // Throws for a folder that may not be looked into.
  const is = statSync(file, { throwIfNoEntry: false });
  if (is === undefined)
    throw new StoreRefused(`there is no log ${file}; name the data folder of a server with --data`);
  if (is.size === 0)
    throw new StoreRefused(`${file} is empty: what was in it is lost; restore a backup`);
  versionInHeader(file);
  const db = openDatabase(file, { readOnly: true });
  try {
    db.exec(
      `PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}; PRAGMA cache_size = -${PAGE_CACHE_KIB}; BEGIN`,
    );
    const version = numberOf(db, 'user_version');
    checkVersion(file, version);
    if (version < FILE_VERSION)
      throw new StoreRefused(
        `${file} was written by an older version of Muster; run "muster serve" on it once, which brings it up to date`,
      );
    // The snapshot is taken by the first read.
    db.prepare('SELECT head FROM kept').get();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Opens a log on a disk that is full, to be read: without the index of the write-ahead log that all connections share,
 * for which there is no room. It keeps other programs from the file; close it to open the log as usual.
 *
 * The log is attached to a database in memory: SQLite lets go of an attached file when it is told to, and of one that was
 * opened only when all its statements were collected as garbage.
 *
 * @throws StoreRefused when there is no log in it that this version reads
 */
export function openLogWithoutRoom(file: string): Database {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0)
    throw new StoreRefused(`there is no log ${file}, and no room to make one`);
  versionInHeader(file);
  const db = openDatabase(':memory:');
  const close = () => {
    db.exec('DETACH log');
    db.close();
  };
  try {
    // For what is attached from now on.
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    db.prepare('ATTACH ? AS log').run(file);
    const { user_version } = db.prepare('PRAGMA log.user_version').get() as Record<string, number>;
    checkVersion(file, user_version ?? 0);
    db.prepare('SELECT head FROM kept').get();
    return { exec: (sql) => db.exec(sql), prepare: (sql) => db.prepare(sql), close };
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * A second connection of this process to a log that `openLogFile` has opened, for appends alone. It waits for nobody
 * and never makes a checkpoint: what may take long is for the first connection, in its own thread.
 *
 * SQLite keeps one list of the files that a process has open, under a mutex, so that its locks (which belong to the
 * process) hold between connections of several threads; as long as there is one copy of it in the process, compiled
 * for threads. Nothing else may open and close the file by itself: that drops the locks of the process.
 *
 * The log is attached to a database in memory: SQLite lets go of an attached file when it is told to, and of one that
 * was opened only when all statements were collected as garbage, which `@photostructure/sqlite` leaves to chance.
 */
export function openLogBeside(file: string): Database {
  const db = openDatabase(':memory:');
  try {
    refuseWithoutThreads(db);
    db.prepare('ATTACH ? AS log').run(file);
    db.exec('PRAGMA busy_timeout = 0');
    db.exec('PRAGMA log.synchronous = FULL');
    db.exec('PRAGMA wal_autocheckpoint = 0');
    db.exec(`PRAGMA log.cache_size = -${APPEND_CACHE_KIB}`);
  } catch (error) {
    db.close();
    throw error;
  }
  return {
    exec: (sql) => db.exec(sql),
    prepare: (sql) => db.prepare(sql),
    close() {
      db.exec('DETACH log');
      db.close();
    },
  };
}

function refuseWithoutThreads(db: Database): void {
  for (const is of db.prepare('PRAGMA compile_options').iterate())
    if ((is as { compile_options: string }).compile_options === 'THREADSAFE=0')
      throw new StoreRefused('this build of SQLite is not made for threads');
}

/** Out of WAL mode, so that the new number stands in the file itself. */
function upgradeFromOne(db: Database): void {
  db.exec('PRAGMA journal_mode = DELETE');
  db.exec('PRAGMA synchronous = FULL');
  db.exec(`BEGIN EXCLUSIVE; ${KEPT} PRAGMA user_version = 2; COMMIT`);
}

/** On every connection: some builds of SQLite sync less by default than they say. */
function setPragmas(db: Database): void {
  db.exec('PRAGMA journal_mode = WAL');
  db.exec('PRAGMA synchronous = FULL');
  db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  db.exec(`PRAGMA journal_size_limit = ${WAL_KEPT_BYTES_MAX}`);
  db.exec(`PRAGMA cache_size = -${PAGE_CACHE_KIB}`);
}

/** Read with plain file calls: to open a file with SQLite may already write beside it. */
function headerOf(file: string, bytes: number): Buffer {
  const header = Buffer.alloc(bytes);
  const handle = openSync(file, 'r');
  try {
    readSync(handle, header, 0, bytes, 0);
  } finally {
    closeSync(handle);
  }
  return header;
}

function versionInHeader(file: string): number {
  const header = statSync(file).isFile() ? headerOf(file, 100) : Buffer.alloc(100);
  const isSqlite = header.toString('latin1', 0, 16) === 'SQLite format 3\0';
  if (!isSqlite || header.readUInt32BE(68) !== APPLICATION_ID)
    throw new StoreRefused(
      `${file} is not a log of Muster; move it away, or use another --data folder`,
    );
  const version = header.readUInt32BE(60);
  checkVersion(file, version);
  refuseBrokenWal(`${file}-wal`);
  return version;
}

/** SQLite takes one that it does not understand for an empty one, and overwrites it. */
function refuseBrokenWal(wal: string): void {
  // Cut off within its own header, no event was in it.
  if ((statSync(wal, { throwIfNoEntry: false })?.size ?? 0) < WAL_HEADER_BYTES) return;
  if (WAL_BEGINS_WITH.includes(headerOf(wal, 4).readUInt32BE())) return;
  throw new StoreRefused(
    `${wal} is damaged, and the newest events were in it; restore a backup, or move it away to go on without them`,
  );
}

function checkVersion(file: string, version: number): void {
  if (version > FILE_VERSION)
    throw new StoreRefused(
      `${file} was written by a newer version of Muster (format ${version}, this one reads up to ` +
        `${FILE_VERSION}); it was not touched. Use that version, or another --data folder`,
    );
}

/** Made aside and renamed, so that a crash leaves the whole file or none. */
function makeLogFile(file: string): number {
  if (existsSync(`${file}-wal`))
    throw new StoreRefused(
      `${file}-wal is there without ${file}: part of a log is missing. Bring ${file} back, or move both away`,
    );
  const aside = `${file}.new`;
  for (const leftover of [aside, `${aside}-journal`]) rmSync(leftover, { force: true });
  makePrivateFile(aside);
  const db = openDatabase(aside);
  try {
    db.exec('PRAGMA synchronous = FULL');
    db.exec(`BEGIN;
      PRAGMA application_id = ${APPLICATION_ID};
      PRAGMA user_version = ${FILE_VERSION};
      ${SCHEMA}
      COMMIT`);
  } finally {
    db.close();
  }
  renameSync(aside, file);
  syncFolder(dirname(file));
  return FILE_VERSION;
}

/** For its owner alone: SQLite gives what it makes beside a file, and a copy into an empty one, the rights of that file. */
export function makePrivateFile(file: string): void {
  closeSync(openSync(file, 'wx', 0o600));
}

/** A new name in a folder is durable once the folder is. */
export function syncFolder(dir: string): void {
  const folder = openSync(dir, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function numberOf(db: Database, pragma: string): number {
  const row = db.prepare(`PRAGMA ${pragma}`).get() as Record<string, number>;
  return row[pragma] ?? 0;
}
