/**
 * The log's tables: appends a group in one transaction, reads in pages. Synchronous; runs in the worker thread.
 */
import {
  type Database,
  resultCode,
  SQLITE_ERROR,
  type SqlValue,
  type Statement,
} from './sqlite-api.ts';
import type { AppendRequest, AppendResult, NewRow, Page } from './sqlite-messages.ts';

/** Small enough for a page to be dead when the garbage is collected: one of a thousand takes four times as long. */
const PAGE_EVENTS_MAX = 200;
/** Of data. A larger event is a page of its own: memory is flat whatever the size of the events. */
const PAGE_BYTES_MAX = 1024 * 1024;
const NAMES_CACHED_MAX = 50_000;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** One event as a `Line`, made by SQLite itself: to hand over each row as an object takes three times as long. */
const LINE = `format('[%d,%d,%d,%d,"%s",%d,%d,%s,%d,%s,%s]', position, stream, version, type,
  lower(hex(id)), at, actor,
  CASE typeof(causation) WHEN 'blob' THEN '"' || lower(hex(causation)) || '"' ELSE json_array(causation) END,
  correlation, coalesce(rest, 'null'), data)`;

/** Reads pages of the events that `where` gives, by their `key`; the `where` ends with `key > ? AND key <= ?`. */
class Pages {
  readonly #end: Statement;
  readonly #lines: Statement;
  readonly #names: Statement;

  constructor(db: Database, key: 'position' | 'version', where: string) {
    this.#end = db.prepare(`
      SELECT count(*) AS count, max(${key}) AS last, total(octet_length(data)) AS bytes
      FROM (SELECT ${key}, data FROM events WHERE ${where} ORDER BY ${key} LIMIT ?)`);
    this.#lines = db.prepare(`
      SELECT group_concat(line, ',' || char(10)) AS lines
      FROM (SELECT ${LINE} AS line FROM events WHERE ${where} ORDER BY ${key})`);
    const ids = ['stream', 'type', 'actor', 'correlation'].map(
      (name) => `SELECT ${name} FROM events WHERE ${where}`,
    );
    this.#names = db.prepare(`
      SELECT json_group_object(id, name) AS names FROM names WHERE id IN (${ids.join(' UNION ')})`);
  }

  /** `from`: what the `where` asks for first, up to the value after which the page begins. */
  read(from: readonly SqlValue[], upTo: number, limit: number): Page {
    for (let size = Math.min(PAGE_EVENTS_MAX, limit); ; size = Math.ceil(size / 2)) {
      const { count, last, bytes } = this.#end.get(...from, upTo, size) as PageEnd;
      if (last === null) return { count: 0, last: 0, lines: '', names: '{}', isLast: true };
      if (bytes > PAGE_BYTES_MAX && count > 1) continue;
      const range = [...from, last];
      const { lines } = this.#lines.get(...range) as { lines: string };
      const { names } = this.#names.get(...range, ...range, ...range, ...range) as {
        names: string;
      };
      return { count, last, lines, names, isLast: count < size || count === limit };
    }
  }
}

interface PageEnd {
  count: number;
  last: number | null;
  bytes: number;
}

export class SqliteLog {
  readonly #db: Database;
  readonly #statements: Record<
    'nameId' | 'addName' | 'streamEnd' | 'hasId' | 'range' | 'add' | 'head' | 'keepHead' | 'remove',
    Statement
  >;
  readonly #ofStream: Pages;
  readonly #ofLog: Pages;
  /** Id of a name. Forgotten on rollback, and when it is full. */
  readonly #names = new Map<string, number>();
  #head: number;

  constructor(db: Database) {
    this.#db = db;
    this.#statements = {
      nameId: db.prepare('SELECT id FROM names WHERE name = ?'),
      addName: db.prepare('INSERT INTO names (name) VALUES (?)'),
      streamEnd: db.prepare(
        'SELECT version, position FROM events WHERE stream = ? ORDER BY version DESC LIMIT 1',
      ),
      hasId: db.prepare('SELECT 1 FROM events WHERE id = ?'),
      range: db.prepare(
        'SELECT id, position FROM events WHERE stream = ? AND version > ? ORDER BY version LIMIT ?',
      ),
      add: db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
      head: db.prepare(
        'SELECT max(head, coalesce((SELECT max(position) FROM events), 0)) AS head FROM kept',
      ),
      keepHead: db.prepare('UPDATE kept SET head = ?'),
      remove: db.prepare('DELETE FROM events WHERE stream = ?'),
    };
    this.#ofStream = new Pages(db, 'version', 'stream = ? AND version > ? AND version <= ?');
    this.#ofLog = new Pages(db, 'position', 'position > ? AND position <= ?');
    this.#head = this.#readHead();
  }

  /** The highest position that was ever given; 0 when there is none. */
  get head(): number {
    return this.#head;
  }

  #readHead(): number {
    return (this.#statements.head.get() as { head: number }).head;
  }

  /**
   * Decides every append of the group in order, and commits once. A conflict is an answer to its caller and
   * leaves the others alone; an error of the disk undoes the whole group and is thrown.
   */
  append(group: readonly AppendRequest[]): AppendResult[] {
    return this.#inTransaction(() => group.map((request) => this.#appendOne(request)));
  }

  #inTransaction<T>(write: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = write();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#names.clear();
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

  /** Every check comes before the first write, so that a conflict has nothing to undo. */
  #appendOne({ stream, expectedVersion, rows }: AppendRequest): AppendResult {
    const known = this.#knownName(stream);
    const end =
      known === undefined
        ? undefined
        : (this.#statements.streamEnd.get(known) as { version: number } | undefined);
    const actual = end?.version ?? 0;
    const ids = rows.map((row) => bytesOf(row.id));
    if (known !== undefined && expectedVersion < actual) {
      const position = this.#repeated(known, expectedVersion, ids);
      if (position !== undefined)
        return { isConflict: false, isNew: false, version: expectedVersion + ids.length, position };
    }
    if (expectedVersion !== actual || ids.some((id) => this.#statements.hasId.get(id)))
      return { isConflict: true, actual };
    const streamId = this.#nameId(stream);
    let position = 0;
    rows.forEach((row, index) => {
      position = this.#add(streamId, actual + index + 1, row, ids[index] ?? bytesOf(row.id));
    });
    return { isConflict: false, isNew: true, version: actual + rows.length, position };
  }

  /** The position of the last of these ids, when they are just what was appended at this version. */
  #repeated(streamId: number, after: number, ids: readonly Uint8Array[]): number | undefined {
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

  #add(streamId: number, version: number, row: NewRow, id: Uint8Array): number {
    this.#head += 1;
    this.#statements.add.run(
      this.#head,
      streamId,
      version,
      this.#nameId(row.type),
      id,
      row.at,
      this.#nameId(row.actor),
      UUID.test(row.causation) ? bytesOf(row.causation) : row.causation,
      this.#nameId(row.correlation),
      row.rest,
      row.data,
    );
    return this.#head;
  }

  #knownName(name: string): number | undefined {
    const cached = this.#names.get(name);
    if (cached !== undefined) return cached;
    const row = this.#statements.nameId.get(name) as { id: number } | undefined;
    if (row !== undefined) this.#remember(name, row.id);
    return row?.id;
  }

  #nameId(name: string): number {
    const known = this.#knownName(name);
    if (known !== undefined) return known;
    const id = Number(this.#statements.addName.run(name).lastInsertRowid);
    this.#remember(name, id);
    return id;
  }

  #remember(name: string, id: number): void {
    if (this.#names.size >= NAMES_CACHED_MAX) this.#names.clear();
    this.#names.set(name, id);
  }

  readStream(stream: string, after: number): Page {
    return this.#ofStream.read(
      [this.#knownName(stream) ?? 0, after],
      Number.MAX_SAFE_INTEGER,
      Number.MAX_SAFE_INTEGER,
    );
  }

  readAll(after: number, upTo: number, limit: number): Page {
    return this.#ofLog.read([after], upTo, limit);
  }

  /** Takes a stream out for good. Its positions are never given again, not even those at the end of the log. */
  remove(stream: string): void {
    const streamId = this.#knownName(stream);
    if (streamId === undefined) return;
    this.#inTransaction(() => {
      this.#statements.keepHead.run(this.#head);
      this.#statements.remove.run(streamId);
    });
  }
}

const bytesOf = (uuid: string): Uint8Array => Buffer.from(uuid.replaceAll('-', ''), 'hex');
