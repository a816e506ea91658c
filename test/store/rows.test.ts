/** Rows: what sqlite hands on as text says what reading the events says, or is not handed on at all. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rowText } from '../../api/history/pages.ts';
import { openMemoryStore } from '../../store/memory.ts';
import type { EventStore, Rows } from '../../store/port.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite.ts';
import { openDatabase } from '../../store/sqlite-api.ts';
import { histories, streamsOf } from '../web/histories.ts';
import { asNew, collect, many } from './events.ts';

const ROWS_MAX = 500;

let folder: string;
let file: string;
let store: EventStore;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-rows-'));
  file = join(folder, 'muster.db');
  store = await openSqliteStore({ file });
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Does something to the log behind the store's back. */
function damage(sql: string): void {
  const db = openDatabase(file);
  db.exec(sql);
  db.close();
}

/** All rows of a stream with their names resolved, page by page. */
async function rowsOf(stream: string) {
  const rows: unknown[][] = [];
  const pages: Rows[] = [];
  for (let after = 0; ; ) {
    const page = await store.readRows(stream, after);
    if (page === undefined) throw new Error(`no rows after ${after}`);
    const names = JSON.parse(page.names) as Record<string, string>;
    for (const [version, type, at, position, actor, ...rest] of JSON.parse(`[${page.rows}]`))
      rows.push([version, names[type], at, position, names[actor], ...rest]);
    pages.push(page);
    after = page.last;
    if (page.isLast) return { rows, pages };
  }
}

describe('rows of sqlite', () => {
  it.each(histories)('say what its events say, for every stream of %s', async (history) => {
    for (const [name, events] of streamsOf(history, '')) {
      const stream = `${history} ${name}`;
      // Histories share ids, and a log has each but once.
      const own = events.map((event) => ({ ...asNew(event), id: randomUUID() }));
      await store.append(stream, 0, own);
      const wanted = (await collect(store.read(stream))).map((event) => JSON.parse(rowText(event)));
      const { rows, pages } = await rowsOf(stream);
      expect(rows).toEqual(wanted);
      expect(pages.at(-1)).toMatchObject({ last: events.length, lastType: events.at(-1)?.type });
    }
  });

  it('come in pages, and from any place; of no stream there are none', async () => {
    await store.append('pages', 0, many(ROWS_MAX + 1));
    const { rows, pages } = await rowsOf('pages');
    expect(rows.map(([version]) => version)).toEqual(
      Array.from({ length: ROWS_MAX + 1 }, (_, n) => n + 1),
    );
    expect(pages.map(({ last, isLast }) => [last, isLast])).toEqual([
      [ROWS_MAX, false],
      [ROWS_MAX + 1, true],
    ]);
    const none = { last: 0, lastType: '', rows: '', isLast: true };
    expect(await store.readRows('pages', ROWS_MAX + 1)).toMatchObject(none);
    expect(await store.readRows('other', 0)).toMatchObject(none);
  });

  it.each([
    ['its text is damaged', `data = substr(data, 2)`],
    ['a line ends in its text', `data = data || char(10)`],
    ['a newer vocabulary wrote it', `rest = '{"schema":999}'`],
    ['its rarer parts are damaged', `rest = '{'`],
    ['its type is none that there is', `type = stream`],
    ['its type is no name', 'type = 999'],
    ['its actor is no name', 'actor = 999'],
  ])('are not handed on when %s, only before and after its page', async (what, set) => {
    await store.append(what, 0, many(2 * ROWS_MAX + 2));
    damage(`UPDATE events SET ${set} WHERE version = ${ROWS_MAX + 2}
      AND stream = (SELECT id FROM names WHERE name = '${what}')`);
    expect(await store.readRows(what, 0)).toMatchObject({ last: ROWS_MAX });
    expect(await store.readRows(what, ROWS_MAX)).toBeUndefined();
    expect(await store.readRows(what, ROWS_MAX + 2)).toMatchObject({
      last: 2 * ROWS_MAX + 2,
    });
  });
});

it('a store that has no text of its own has no rows', async () => {
  const memory = openMemoryStore();
  await memory.append('s', 0, many(1));
  expect(await memory.readRows('s', 0)).toBeUndefined();
});
