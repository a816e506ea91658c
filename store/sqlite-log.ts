/**
 * The log's tables: appends a group in one transaction, reads in pages. Synchronous; runs in the worker thread.
 */

import type { Database, Statement } from './sqlite-api.ts';
import { resultCode, SQLITE_ERROR } from './sqlite-api.ts';
import type { AppendRequest, AppendResult, NewRow, Page, Row } from './sqlite-messages.ts';

const PAGE_EVENTS_MAX = 1_000;
/** A page ends with the event that fills it, so that memory is flat whatever the size of the events. */
const PAGE_BYTES_MAX = 1024 * 1024;
const NAMES_CACHED_MAX = 50_000;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

// CROSS JOIN keeps SQLite to this order: the events first, then their names.
const SELECT = `
  SELECT position, stream.name AS stream, version, type.name AS type, events.id AS id, at,
    actor.name AS actor, causation, correlation.name AS correlation, rest, data
  FROM events
    CROSS JOIN names AS stream ON stream.id = events.stream
    CROSS JOIN names AS type ON type.id = events.type
    CROSS JOIN names AS actor ON actor.id = events.actor
    CROSS JOIN names AS correlation ON correlation.id = events.correlation`;

interface StoredRow extends Omit<Row, 'id' | 'causation'> {
  id: Uint8Array;
  causation: Uint8Array | string;
}

export class SqliteLog {
  readonly #db: Database;
  readonly #statements: Record<
    'nameId' | 'addName' | 'streamEnd' | 'hasId' | 'range' | 'add' | 'stream' | 'all' | 'head',
    Statement
  >;
  /** Id of a name. Forgotten on rollback, and when it is full. */
  readonly #names = new Map<string, number>();

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
      add: db.prepare('INSERT INTO events VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
      stream: db.prepare(`${SELECT} WHERE stream = ? AND version > ? ORDER BY version`),
      all: db.prepare(`${SELECT} WHERE position > ? AND position <= ? ORDER BY position`),
      head: db.prepare('SELECT max(position) AS position FROM events'),
    };
  }

  /** Position of the last event; 0 when there is none. */
  head(): number {
    const row = this.#statements.head.get() as { position: number | null };
    return row.position ?? 0;
  }

  /**
   * Decides every append of the group in order, and commits once. A conflict is an answer to its caller and
   * leaves the others alone; an error of the disk undoes the whole group and is thrown.
   */
  append(group: readonly AppendRequest[]): AppendResult[] {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const results = group.map((request) => this.#appendOne(request));
      this.#db.exec('COMMIT');
      return results;
    } catch (error) {
      this.#names.clear();
      this.#rollback();
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
    const { lastInsertRowid } = this.#statements.add.run(
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
    return Number(lastInsertRowid);
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
    const streamId = this.#knownName(stream);
    if (streamId === undefined) return { rows: [], isLast: true };
    return pageOf(this.#statements.stream.iterate(streamId, after), Number.MAX_SAFE_INTEGER);
  }

  readAll(after: number, upTo: number, limit: number): Page {
    return pageOf(this.#statements.all.iterate(after, upTo), limit);
  }
}

function pageOf(stored: IterableIterator<unknown>, limit: number): Page {
  const rows: Row[] = [];
  let bytes = 0;
  for (const row of stored as IterableIterator<StoredRow>) {
    rows.push({
      ...row,
      id: uuidOf(row.id),
      causation: typeof row.causation === 'string' ? row.causation : uuidOf(row.causation),
    });
    bytes += row.data.length;
    if (rows.length >= limit) break;
    if (rows.length >= PAGE_EVENTS_MAX || bytes >= PAGE_BYTES_MAX) return { rows, isLast: false };
  }
  return { rows, isLast: true };
}

const bytesOf = (uuid: string): Uint8Array => Buffer.from(uuid.replaceAll('-', ''), 'hex');

function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
