/**
 * One SQLite for all runtimes: `node:sqlite` where the runtime has it (Node >= 22.13), else
 * `@photostructure/sqlite`, which has the same shape. Only what is used here is named.
 */
import { createRequire } from 'node:module';
import { StoreRefused, StoreUnavailable } from './port.ts';

export type SqlValue = string | number | null | Uint8Array;

export interface Statement {
  run(...values: SqlValue[]): { lastInsertRowid: number | bigint };
  get(...values: SqlValue[]): unknown;
  iterate(...values: SqlValue[]): IterableIterator<unknown>;
}

export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface SqliteModule {
  DatabaseSync: new (file: string, options?: { readOnly: boolean }) => Database;
}

let loaded: SqliteModule | undefined;

/** Opens a database file, or makes it unless it is only to be read. The caller sets its pragmas. */
export function openDatabase(file: string, options = { readOnly: false }): Database {
  loaded ??= (process.getBuiltinModule('node:sqlite') ??
    createRequire(import.meta.url)('@photostructure/sqlite')) as SqliteModule;
  return new loaded.DatabaseSync(file, options);
}

/** Primary result codes of SQLite, https://sqlite.org/rescode.html */
export const SQLITE_ERROR = 1;
export const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
export const SQLITE_CONSTRAINT = 19;
const SQLITE_NOTADB = 26;

/** The primary result code of an error that SQLite threw; undefined for any other error. */
export function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  // The upper bits of an extended code say more; the lowest byte is the kind.
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

/** What the system said of a file that we make ourselves, as SQLite would have said it. */
const ofSystem: Partial<Record<string, number>> = {
  ENOSPC: SQLITE_FULL,
  EDQUOT: SQLITE_FULL,
  EIO: SQLITE_IOERR,
  ENOENT: SQLITE_CANTOPEN,
  ENOTDIR: SQLITE_CANTOPEN,
  EACCES: SQLITE_CANTOPEN,
  EPERM: SQLITE_CANTOPEN,
  EROFS: SQLITE_CANTOPEN,
};

function kindOf(error: unknown): number | undefined {
  const said = error instanceof Error && 'code' in error ? String(error.code) : '';
  return resultCode(error) ?? ofSystem[said];
}

const whatToDo: Partial<Record<number, string>> = {
  [SQLITE_FULL]: 'the disk is full; make room, then try again',
  [SQLITE_IOERR]: 'the disk failed or is full; make room or look at the disk, then try again',
  [SQLITE_BUSY]: 'another program holds the file; close it, then try again',
  [SQLITE_READONLY]: 'it cannot be written; make the file and its folder writable',
  [SQLITE_CANTOPEN]: 'it cannot be opened; its folder must exist and be writable',
  [SQLITE_CORRUPT]: 'it is damaged; stop Muster and restore the file from a backup',
  [SQLITE_NOTADB]: 'it is not an SQLite database; use another folder',
};

const describe = (file: string, error: unknown, code = kindOf(error)): string => {
  const message = error instanceof Error ? error.message : String(error);
  const hint = whatToDo[code ?? -1];
  return hint === undefined ? `${file}: ${message}` : `${file}: ${hint} (${message})`;
};

/** Why a read or a write of an open file failed, and what to do. */
export function unavailable(file: string, error: unknown): StoreUnavailable {
  return new StoreUnavailable(describe(file, error), { cause: error });
}

/** Why a file was not opened: what may pass (disk, busy) is unavailable, the rest is refused. */
export function notOpened(file: string, error: unknown): StoreRefused | StoreUnavailable {
  if (error instanceof StoreRefused || error instanceof StoreUnavailable) return error;
  const code = kindOf(error);
  if (code === SQLITE_FULL || code === SQLITE_IOERR || code === SQLITE_BUSY)
    return unavailable(file, error);
  // A table or a column that should be there is not.
  const isDamaged = code === SQLITE_ERROR;
  return new StoreRefused(describe(file, error, isDamaged ? SQLITE_CORRUPT : code), {
    cause: error,
  });
}
