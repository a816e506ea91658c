/** The log's tables, read in pages. Synchronous; runs in the log's thread. */
import type { Database, SqlValue, Statement } from '../sqlite-api.ts';
import type { Page, Readable } from './thread-messages.ts';

/** Small enough for a page to be dead when the garbage is collected: one of a thousand takes four times as long. */
const PAGE_EVENTS_MAX = 200;
/** Of text that nobody takes apart. */
const PAGE_ROWS_MAX = 500;
/** Of data. A larger event is a page of its own: memory is flat whatever the size of the events. */
const PAGE_BYTES_MAX = 1024 * 1024;

/** How a page is written: SQLite itself makes its text; to hand over each row as an object takes three times as long. */
interface Form {
  /** An expression: the text of one event; NULL where it is not to be written. */
  line: string;
  /** Between two of them, an expression. */
  separator: string;
  /** The columns whose names the lines speak of by their ids. */
  names: readonly string[];
  eventsMax: number;
}

const LINE = `format('[%d,%d,%d,%d,"%s",%d,%d,%s,%d,%s,%s]', position, stream, version, type,
  lower(hex(id)), at, actor,
  CASE typeof(causation) WHEN 'blob' THEN '"' || lower(hex(causation)) || '"' ELSE json_array(causation) END,
  correlation, coalesce(rest, 'null'), data)`;

/** Each event as a `Line`. */
export const LINES: Form = {
  line: LINE,
  separator: `',' || char(10)`,
  names: ['stream', 'type', 'actor', 'correlation'],
  eventsMax: PAGE_EVENTS_MAX,
};

const quoted = (names: readonly string[]) => names.map((name) => `'${name}'`).join(', ');

/** Each event as `Rows` of the port has it: whole, known, in one line, and meaning what is written there. */
export const rowsOf = ({ vocabulary, readAsWritten }: Readable): Form => ({
  line: `CASE WHEN json_valid(data) AND instr(data, char(10)) = 0
      AND (rest IS NULL OR json_valid(rest) AND coalesce(rest ->> '$.schema', 1) <= ${vocabulary})
      AND type IN (SELECT id FROM names WHERE name IN (${quoted(readAsWritten)}))
      AND actor IN (SELECT id FROM names)
    THEN format('[%d,%d,%d,%d,%d,%s%s]', version, type, at, position, actor, data, coalesce(',' || rest, '')) END`,
  separator: `','`,
  names: ['type', 'actor'],
  eventsMax: PAGE_ROWS_MAX,
});

/** Reads pages of the events that `where` gives, by their `key`; the `where` ends with `key > ? AND key <= ?`. */
export class Pages {
  /** Most rows are left out: those of a page are looked for once, and then named by their keys. */
  readonly #isSparse: boolean;
  readonly #eventsMax: number;
  readonly #end: Statement;
  readonly #lines: Statement;
  readonly #names: Statement;
  readonly #nameCount: number;

  constructor(
    db: Database,
    key: 'position' | 'version',
    where: string,
    { form = LINES, isSparse = false }: { form?: Form; isSparse?: boolean } = {},
  ) {
    this.#isSparse = isSparse;
    this.#eventsMax = form.eventsMax;
    const rows = isSparse ? `${key} IN (SELECT value FROM json_each(?))` : where;
    this.#end = db.prepare(`
      SELECT count(*) AS count, max(${key}) AS last, total(octet_length(data)) AS bytes,
        ${isSparse ? `json_group_array(${key})` : 'NULL'} AS keys
      FROM (SELECT ${key}, data FROM events WHERE ${where} ORDER BY ${key} LIMIT ?)`);
    this.#lines = db.prepare(`
      SELECT coalesce(group_concat(line, ${form.separator}), '') AS lines, count(line) AS written
      FROM (SELECT ${form.line} AS line FROM events WHERE ${rows} ORDER BY ${key})`);
    const ids = form.names.map((name) => `SELECT ${name} FROM events WHERE ${rows}`);
    this.#nameCount = ids.length;
    this.#names = db.prepare(`
      SELECT json_group_object(id, name) AS names FROM names WHERE id IN (${ids.join(' UNION ')})`);
  }

  /** `from`: what the `where` asks for first, up to the value after which the page begins. */
  read(from: readonly SqlValue[], upTo: number, limit: number): Page {
    for (let size = Math.min(this.#eventsMax, limit); ; size = Math.ceil(size / 2)) {
      const { count, last, bytes, keys } = this.#end.get(...from, upTo, size) as PageEnd;
      if (last === null) return NOTHING;
      if (bytes > PAGE_BYTES_MAX && count > 1) continue;
      const range = this.#isSparse ? [keys] : [...from, last];
      const text = this.#lines.get(...range) as Pick<Page, 'lines' | 'written'>;
      const ranges = Array.from({ length: this.#nameCount }, () => range).flat();
      const { names } = this.#names.get(...ranges) as { names: string };
      return { count, last, ...text, names, isLast: count < size || count === limit };
    }
  }
}

const NOTHING: Page = { count: 0, written: 0, last: 0, lines: '', names: '{}', isLast: true };

interface PageEnd {
  count: number;
  last: number | null;
  bytes: number;
  /** A JSON array; `null`: all from the first to the last. */
  keys: string | null;
}
