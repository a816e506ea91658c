/**
 * What is wrong with the log's file itself, and not with what an event says: `muster verify`. Every page of it, and
 * how many entries each index has; not each entry, which would be looked up one by one for hours in a log of years.
 */
import { type Database, notOpened } from '../sqlite-api.ts';
import { openLogSnapshot } from './file.ts';

const FAULTS_MAX = 20;

/**
 * The faults of the file, each in words with its place; none: it is sound.
 *
 * @throws StoreRefused when there is no such log, or it cannot be opened as one
 */
export function checkSqliteFile(file: string): string[] {
  const db = opened(file);
  try {
    return faultsOf(db).map((fault) => `the file is damaged: ${fault}`);
  } catch (error) {
    return [`the file is damaged: ${error instanceof Error ? error.message : String(error)}`];
  } finally {
    db.close();
  }
}

function opened(file: string): Database {
  try {
    return openLogSnapshot(file);
  } catch (error) {
    throw notOpened(file, error);
  }
}

function faultsOf(db: Database): string[] {
  const rows = [...db.prepare(`PRAGMA quick_check(${FAULTS_MAX})`).iterate()];
  const pages = (rows as { quick_check: string }[])
    .flatMap((row) => row.quick_check.split('\n'))
    .filter((line) => line !== 'ok' && !line.startsWith('***'));
  // What else is asked of broken pages fails.
  if (pages.length > 0) return pages;
  return timeFaults(db);
}

/** Whatever is no number comes out of the page that a reader gets as one. */
function timeFaults(db: Database): string[] {
  const wrong = db
    .prepare(
      `SELECT position FROM events WHERE typeof(at) <> 'integer' OR at < 0 LIMIT ${FAULTS_MAX}`,
    )
    .iterate();
  return [...(wrong as Iterable<{ position: number }>)].map(
    ({ position }) => `the event at position ${position} has no time`,
  );
}
