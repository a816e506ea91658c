/**
 * The log's tables: appends a group in one transaction, reads in pages. Synchronous; runs in the log's thread, and for
 * small appends to a fast disk in the deciding one.
 */
import type { Rows } from '../port.ts';
import {
  type Database,
  resultCode,
  SQLITE_CONSTRAINT,
  SQLITE_ERROR,
  type SqlValue,
  type Statement,
} from '../sqlite-api.ts';
import { type Group, idAt, ROW_CELLS } from './group.ts';
import { Pages, rowsOf } from './pages.ts';
import type { AppendResult, Page, Readable, Request } from './thread-messages.ts';

/** No limit. */
const ALL = Number.MAX_SAFE_INTEGER;
/** Names and ends of streams that are remembered. */
const CACHED_MAX = 50_000;
/** Rows are written so many at a time while there are so many: each call of SQLite has a price of its own. */
const ROWS_AT_ONCE = [16, 4, 1];
const ROWS_AT_ONCE_MAX = Math.max(...ROWS_AT_ONCE);
const COLUMNS = 11;
/** Not of the needless types (a JSON array), or written in a vocabulary above `?`, or damaged as far as its row tells. */
const NEEDED = `(CASE WHEN json_valid(rest) THEN coalesce(rest ->> '$.schema', 1) <= ? ELSE rest IS NULL END
  AND type IN (SELECT id FROM names WHERE name IN (SELECT value FROM json_each(?)))
  AND json_valid(data) AND stream IN (SELECT id FROM names) AND actor IN (SELECT id FROM names)
  AND correlation IN (SELECT id FROM names)) IS NOT TRUE`;

const OF_STREAM = 'stream = ? AND version > ? AND version <= ?';

export class SqliteLog {
  readonly #db: Database;
  readonly #vocabulary: number;
  readonly #statements: Record<
    | 'nameId'
    | 'addName'
    | 'streamEnd'
    | 'hasId'
    | 'range'
    | 'head'
    | 'keepHead'
    | 'remove'
    | 'typeOf',
    Statement
  >;
  /** The statements that add as many rows as `ROWS_AT_ONCE` says. */
  readonly #adds: readonly { values: number; statement: Statement }[];
  readonly #ofStream: Pages;
  readonly #ofLog: Pages;
  readonly #needed: Pages;
  readonly #rows: Pages;
  /** Id of a name. Forgotten on rollback, and when it is full. */
  readonly #names = new Map<string, number>();
  /** Version of a stream, by the id of its name. Forgotten likewise. */
  readonly #ends = new Map<number, number>();
  /** The values of rows that are decided and not yet written. */
  #unwritten: SqlValue[] = [];
  #head: number;

  constructor(db: Database, readable: Readable) {
    this.#db = db;
    this.#vocabulary = readable.vocabulary;
    const row = `(${Array(COLUMNS).fill('?')})`;
    this.#statements = {
      nameId: db.prepare('SELECT id FROM names WHERE name = ?'),
      addName: db.prepare('INSERT INTO names (name) VALUES (?)'),
      streamEnd: db.prepare('SELECT max(version) AS version FROM events WHERE stream = ?'),
      hasId: db.prepare('SELECT 1 FROM events WHERE id = ?'),
      range: db.prepare(
        'SELECT id, position FROM events WHERE stream = ? AND version > ? ORDER BY version LIMIT ?',
      ),
      head: db.prepare(
        'SELECT max(head, coalesce((SELECT max(position) FROM events), 0)) AS head FROM kept',
      ),
      keepHead: db.prepare('UPDATE kept SET head = ?'),
      remove: db.prepare('DELETE FROM events WHERE stream = ?'),
      typeOf: db.prepare(
        'SELECT name FROM events JOIN names ON names.id = type WHERE stream = ? AND version = ?',
      ),
    };
    this.#adds = ROWS_AT_ONCE.map((rows) => ({
      values: rows * COLUMNS,
      statement: db.prepare(`INSERT INTO events VALUES ${Array(rows).fill(row)}`),
    }));
    this.#ofStream = new Pages(db, 'version', OF_STREAM);
    this.#ofLog = new Pages(db, 'position', 'position > ? AND position <= ?');
    this.#needed = new Pages(db, 'position', `${NEEDED} AND position > ? AND position <= ?`, {
      isSparse: true,
    });
    this.#rows = new Pages(db, 'version', OF_STREAM, { form: rowsOf(readable) });
    this.#head = this.#readHead();
  }

  /** The highest position that was ever given; 0 when there is none. */
  get head(): number {
    return this.#head;
  }

  /** Another connection has written since: what is remembered of ends and of the head is its past. */
  takeOver(): void {
    this.#ends.clear();
    this.#head = this.#readHead();
  }

  #readHead(): number {
    return (this.#statements.head.get() as { head: number }).head;
  }

  /**
   * Decides every append of the group in order, and commits once. A conflict is an answer to its caller and
   * leaves the others alone; an error of the disk undoes the whole group and is thrown.
   */
  append(group: Group): AppendResult[] {
    try {
      return this.#inTransaction(() => this.#appendAll(group, false));
    } catch (error) {
      if (resultCode(error) !== SQLITE_CONSTRAINT) throw error;
      // An id is in the log already. Whose append has it, is told by asking for each: nobody pays for that before.
      return this.#inTransaction(() => this.#appendAll(group, true));
    }
  }

  #inTransaction<T>(write: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = write();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#names.clear();
      this.#ends.clear();
      this.#unwritten = [];
      this.#rollback();
      this.#head = this.#readHead();
      throw error;
    }
  }

  #rollback(): void {
    try {
      this.#db.exec('ROLLBACK');
    } catch (error) {
      // A full disk may have ended the transaction already: then there is none to roll back.
      if (resultCode(error) !== SQLITE_ERROR) throw error;
    }
  }

  #appendAll(group: Group, asksForIds: boolean): AppendResult[] {
    let from = 0;
    const results = group.sizes.map((size, append) => {
      const result = this.#appendOne(group, append, { from, to: from + size }, asksForIds);
      from += size;
      return result;
    });
    this.#write();
    return results;
  }

  /** Every check comes before the first row, so that a conflict has nothing to undo. */
  #appendOne(
    group: Group,
    append: number,
    rows: { from: number; to: number },
    asksForIds: boolean,
  ): AppendResult {
    const stream = group.streams[append] ?? '';
    const expected = group.expectedVersions[append] ?? 0;
    const known = this.#knownName(stream);
    const actual = known === undefined ? 0 : this.#endOf(known);
    if (known !== undefined && expected < actual) {
      const position = this.#repeated(known, expected, idsOf(group, rows));
      const version = expected + rows.to - rows.from;
      if (position !== undefined) return { isConflict: false, isNew: false, version, position };
    }
    if (expected !== actual || (asksForIds && this.#hasOneOf(idsOf(group, rows))))
      return { isConflict: true, actual };
    const streamId = this.#nameId(stream);
    for (let row = rows.from; row < rows.to; row++)
      this.#add(streamId, actual + row - rows.from + 1, group, row);
    const version = actual + rows.to - rows.from;
    remember(this.#ends, streamId, version);
    return { isConflict: false, isNew: true, version, position: this.#head };
  }

  #hasOneOf(ids: readonly Uint8Array[]): boolean {
    this.#write();
    return ids.some((id) => this.#statements.hasId.get(id) !== undefined);
  }

  /** The position of the last of these ids, when they are just what was appended at this version. */
  #repeated(streamId: number, after: number, ids: readonly Uint8Array[]): number | undefined {
    this.#write();
    const stored = [...this.#statements.range.iterate(streamId, after, ids.length)] as {
      id: Uint8Array;
      position: number;
    }[];
    const isSame = ids.every((id, index) => {
      const there = stored[index]?.id;
      return there !== undefined && Buffer.compare(id, there) === 0;
    });
    return isSame ? stored.at(-1)?.position : undefined;
  }

  #add(streamId: number, version: number, group: Group, row: number): void {
    this.#head += 1;
    const { cells } = group;
    const at = row * ROW_CELLS;
    this.#unwritten.push(
      this.#head,
      streamId,
      version,
      this.#nameId(cells[at] as string),
      idAt(group, 2 * row),
      cells[at + 1] as number,
      this.#nameId(cells[at + 2] as string),
      cells[at + 3] ?? idAt(group, 2 * row + 1),
      this.#nameId(cells[at + 4] as string),
      cells[at + 5] ?? null,
      cells[at + 6] as string,
    );
    if (this.#unwritten.length === ROWS_AT_ONCE_MAX * COLUMNS) this.#write();
  }

  #write(): void {
    const values = this.#unwritten;
    if (values.length === 0) return;
    this.#unwritten = [];
    let at = 0;
    for (const add of this.#adds)
      for (; values.length - at >= add.values; at += add.values)
        add.statement.run(...values.slice(at, at + add.values));
  }

  #endOf(streamId: number): number {
    const known = this.#ends.get(streamId);
    if (known !== undefined) return known;
    this.#write();
    const { version } = this.#statements.streamEnd.get(streamId) as { version: number | null };
    remember(this.#ends, streamId, version ?? 0);
    return version ?? 0;
  }

  #knownName(name: string): number | undefined {
    const cached = this.#names.get(name);
    if (cached !== undefined) return cached;
    const row = this.#statements.nameId.get(name) as { id: number } | undefined;
    if (row !== undefined) remember(this.#names, name, row.id);
    return row?.id;
  }

  #nameId(name: string): number {
    const known = this.#knownName(name);
    if (known !== undefined) return known;
    const id = Number(this.#statements.addName.run(name).lastInsertRowid);
    remember(this.#names, name, id);
    return id;
  }

  readStream(stream: string, after: number): Page {
    return this.#ofStream.read([this.#knownName(stream) ?? 0, after], ALL, ALL);
  }

  /** `undefined`: one of them is not for a reader who does not check. */
  readRows(stream: string, after: number): Rows | undefined {
    const id = this.#knownName(stream) ?? 0;
    const { count, written, last, lines, names, isLast } = this.#rows.read([id, after], ALL, ALL);
    if (written < count) return undefined;
    const type = this.#statements.typeOf.get(id, last) as { name: string } | undefined;
    return { last, lastType: type?.name ?? '', rows: lines, names, isLast };
  }

  readAll({
    after,
    upTo,
    limit,
    needless,
  }: Omit<Extract<Request, { do: 'read-all' }>, 'do'>): Page {
    if (needless.length === 0) return this.#ofLog.read([after], upTo, limit);
    return this.#needed.read([this.#vocabulary, JSON.stringify(needless), after], upTo, limit);
  }

  /** Takes a stream out for good. Its positions are never given again, not even those at the end of the log. */
  remove(stream: string): void {
    const streamId = this.#knownName(stream);
    if (streamId === undefined) return;
    this.#inTransaction(() => {
      this.#statements.keepHead.run(this.#head);
      this.#statements.remove.run(streamId);
    });
    this.#ends.delete(streamId);
  }
}

function remember<K>(cache: Map<K, number>, key: K, value: number): void {
  if (cache.size >= CACHED_MAX) cache.clear();
  cache.set(key, value);
}

const idsOf = (group: Group, { from, to }: { from: number; to: number }): Uint8Array[] =>
  Array.from({ length: to - from }, (_, row) => idAt(group, 2 * (from + row)));
