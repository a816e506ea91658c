/** The log's tables, read in pages. Synchronous; runs in the log's thread. */
import type { Database, SqlValue, Statement } from '../sqlite-api.ts';
import type { Page } from './thread-messages.ts';

/** Small enough for a page to be dead when the garbage is collected: one of a thousand takes four times as long. */
const PAGE_EVENTS_MAX = 200;
/** Of data. A larger event is a page of its own: memory is flat whatever the size of the events. */
const PAGE_BYTES_MAX = 1024 * 1024;

/** One event as a `Line`, made by SQLite itself: to hand over each row as an object takes three times as long. */
const LINE = `format('[%d,%d,%d,%d,"%s",%d,%d,%s,%d,%s,%s]', position, stream, version, type,
  lower(hex(id)), at, actor,
  CASE typeof(causation) WHEN 'blob' THEN '"' || lower(hex(causation)) || '"' ELSE json_array(causation) END,
  correlation, coalesce(rest, 'null'), data)`;

/** Reads pages of the events that `where` gives, by their `key`; the `where` ends with `key > ? AND key <= ?`. */
export class Pages {
  /** Most rows are left out: those of a page are looked for once, and then named by their keys. */
  readonly #isSparse: boolean;
  readonly #end: Statement;
  readonly #lines: Statement;
  readonly #names: Statement;

  constructor(db: Database, key: 'position' | 'version', where: string, isSparse = false) {
    this.#isSparse = isSparse;
    const rows = isSparse ? `${key} IN (SELECT value FROM json_each(?))` : where;
    this.#end = db.prepare(`
      SELECT count(*) AS count, max(${key}) AS last, total(octet_length(data)) AS bytes,
        ${isSparse ? `json_group_array(${key})` : 'NULL'} AS keys
      FROM (SELECT ${key}, data FROM events WHERE ${where} ORDER BY ${key} LIMIT ?)`);
    this.#lines = db.prepare(`
      SELECT group_concat(line, ',' || char(10)) AS lines
      FROM (SELECT ${LINE} AS line FROM events WHERE ${rows} ORDER BY ${key})`);
    const ids = ['stream', 'type', 'actor', 'correlation'].map(
      (name) => `SELECT ${name} FROM events WHERE ${rows}`,
    );
    this.#names = db.prepare(`
      SELECT json_group_object(id, name) AS names FROM names WHERE id IN (${ids.join(' UNION ')})`);
  }

  /** `from`: what the `where` asks for first, up to the value after which the page begins. */
  read(from: readonly SqlValue[], upTo: number, limit: number): Page {
    for (let size = Math.min(PAGE_EVENTS_MAX, limit); ; size = Math.ceil(size / 2)) {
      const { count, last, bytes, keys } = this.#end.get(...from, upTo, size) as PageEnd;
      if (last === null) return { count: 0, last: 0, lines: '', names: '{}', isLast: true };
      if (bytes > PAGE_BYTES_MAX && count > 1) continue;
      const range = this.#isSparse ? [keys] : [...from, last];
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
  /** A JSON array; `null`: all from the first to the last. */
  keys: string | null;
}
