/** Damaged logs: `muster verify` names the place, `muster serve` says what it cannot use, and neither makes it worse. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PastLab } from '../../bench/past-jobs.ts';
import { Engine } from '../../engine/engine.ts';
import { startServer } from '../../server/server.ts';
import { fileCheckpoints } from '../../store/checkpoints.ts';
import { FILE_VERSION } from '../../store/sqlite/file.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite.ts';
import { openDatabase } from '../../store/sqlite-api.ts';
import { type Undo, undoAll } from '../store/events.ts';
import { child, here, widest } from './fake-server.ts';

const undo: Undo = [];
afterEach(() => undoAll(undo));

const JANUARY = Date.UTC(2026, 0, 15);
const JOBS = 40;
const PAGE_BYTES = 4096;
/** What a page of a table, of an index begins with when rows lie in it: https://sqlite.org/fileformat2.html#b_tree_pages */
const TABLE_LEAF = 13;
const INDEX_LEAF = 10;

let sound = '';
/** A log of many pages as a server leaves it; each case damages a copy of it. */
beforeAll(async () => {
  sound = mkdtempSync(join(tmpdir(), 'muster-sound-'));
  const store = await openSqliteStore({ file: join(sound, 'muster.db') });
  const past = new PastLab(['panda01', 'panda02']);
  const appends = past.register(JANUARY);
  for (let id = 1; id <= JOBS; id += 1) appends.push(...past.finished(id, JANUARY + id));
  for (const { stream, expectedVersion, events } of appends)
    await store.append(stream, expectedVersion, events);
  const engine = new Engine({ store, checkpoints: fileCheckpoints(join(sound, 'checkpoints')) });
  await engine.start();
  await engine.stop();
  await store.close();
});
afterAll(() => rmSync(sound, { recursive: true, force: true }));

function damaged(damage: (file: string) => void): { dir: string; file: string } {
  const dir = mkdtempSync(join(tmpdir(), 'muster-damaged-'));
  undo.push(() => rmSync(dir, { recursive: true, force: true }));
  cpSync(sound, dir, { recursive: true });
  const file = join(dir, 'muster.db');
  damage(file);
  return { dir, file };
}

const sql = (text: string) => (file: string) => {
  const db = openDatabase(file);
  db.exec(text);
  db.close();
};

/** Where one of the pages that begin like this lies, in the middle of them. */
function pageOf(file: string, kind: number): number {
  const bytes = readFileSync(file);
  const pages = Array.from({ length: bytes.length / PAGE_BYTES }, (_, page) => page * PAGE_BYTES);
  const isOfEvents = (at: number) => bytes.subarray(at, at + PAGE_BYTES).includes('"member"');
  const those = pages.filter(
    (at) => at > 0 && bytes[at] === kind && (kind === INDEX_LEAF || isOfEvents(at)),
  );
  return those[those.length >> 1] ?? 0;
}

const garbage = (kind: number) => (file: string) =>
  overwrite(file, pageOf(file, kind), Buffer.alloc(PAGE_BYTES, 0xa5));
const ZEROS = Buffer.alloc(PAGE_BYTES / 2);

function overwrite(file: string, at: number, bytes: Buffer): void {
  const handle = openSync(file, 'r+');
  writeSync(handle, bytes, 0, bytes.length, at);
  closeSync(handle);
}

const hashOf = (file: string): string =>
  existsSync(file) && statSync(file).isFile()
    ? createHash('sha256').update(readFileSync(file)).digest('hex')
    : '';

const inOneLine = (text: string): string => text.replace(/\s+/g, ' ');

/** A server on the folder that folds the log from its beginning; why it was refused, or '' when it runs. */
async function servedCold(dir: string): Promise<string> {
  rmSync(join(dir, 'checkpoints'), { recursive: true, force: true });
  return served(dir);
}

async function served(dir: string, write: (line: string) => void = () => {}): Promise<string> {
  const log = pino({ level: 'warn' }, { write });
  try {
    const server = await startServer({ dataDir: dir, host: '127.0.0.1', port: 0, log });
    await server.stop();
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const RUNS = /^$/;
const at = (sql: string) => `${sql} WHERE position = 1010`;

/** `serve`: what it says when it has to read all of the log. */
const cases: {
  name: string;
  damage: (file: string) => void;
  verify: RegExp;
  exit?: number;
  serve: RegExp;
}[] = [
  {
    name: 'garbage in a page of the events',
    damage: garbage(TABLE_LEAF),
    verify: /the file is damaged: .*nothing after position \d+ can be read: .*restore/,
    serve: /is damaged; stop Muster and restore/,
  },
  {
    name: 'garbage in a page of an index',
    damage: garbage(INDEX_LEAF),
    verify: /the file is damaged: Tree \d+ page \d+/,
    serve: RUNS,
  },
  {
    name: 'garbage in the first page',
    damage: (file) => overwrite(file, 1_000, Buffer.alloc(3_000, 0xa5)),
    verify: /is damaged; stop Muster and restore the file from a backup/,
    exit: 2,
    serve: /is damaged; stop Muster and restore/,
  },
  {
    name: 'zeros in half a page of the events',
    damage: (file) => overwrite(file, pageOf(file, TABLE_LEAF) + PAGE_BYTES / 2, ZEROS),
    verify: /the file is damaged: .*Tree \d+ page \d+/,
    serve: /damaged/,
  },
  {
    name: 'half of the file',
    damage: (file) => truncateSync(file, statSync(file).size >> 1),
    verify: /is damaged; stop Muster and restore the file from a backup/,
    exit: 2,
    serve: /is damaged; stop Muster and restore/,
  },
  {
    name: 'a file without its last bytes',
    damage: (file) => truncateSync(file, statSync(file).size - 1_000),
    verify: /the file is damaged: /,
    serve: /^$|damaged/,
  },
  {
    name: 'an empty file',
    damage: (file) => truncateSync(file),
    verify: /is empty: what was in it is lost; restore a backup/,
    exit: 2,
    serve: RUNS,
  },
  {
    name: 'a text',
    damage: (file) => writeFileSync(file, 'shopping list\n'),
    verify: /is not a log of Muster; move it away/,
    exit: 2,
    serve: /is not a log of Muster; move it away/,
  },
  {
    name: 'a folder',
    damage: (file) => {
      rmSync(file);
      mkdirSync(file);
    },
    verify: /is not a log of Muster; move it away/,
    exit: 2,
    serve: /is not a log of Muster; move it away/,
  },
  {
    name: 'a database of another program',
    damage: (file) => {
      rmSync(file);
      sql('CREATE TABLE notes (text)')(file);
    },
    verify: /is not a log of Muster; move it away/,
    exit: 2,
    serve: /is not a log of Muster; move it away/,
  },
  {
    name: 'a database without the events',
    damage: sql('DROP VIEW log; DROP TABLE events'),
    verify: /is damaged; stop Muster and restore the file from a backup \(no such table/,
    exit: 2,
    serve: /is damaged; stop Muster and restore the file from a backup \(no such table/,
  },
  {
    name: 'a log of a newer version',
    damage: sql(`PRAGMA journal_mode = DELETE; PRAGMA user_version = ${FILE_VERSION + 1}`),
    verify: /was written by a newer version of Muster .*it was not touched/,
    exit: 2,
    serve: /was written by a newer version of Muster .*it was not touched/,
  },
  {
    name: 'garbage as write-ahead log',
    damage: (file) => writeFileSync(`${file}-wal`, Buffer.alloc(10_000, 0xa5)),
    verify: /muster\.db-wal is damaged, and the newest events were in it; restore a backup/,
    exit: 2,
    serve: /muster\.db-wal is damaged, and the newest events were in it; restore a backup/,
  },
  {
    name: 'a write-ahead log that was cut off within its header',
    damage: (file) => writeFileSync(`${file}-wal`, Buffer.from([0x37, 0x7f, 0x06])),
    verify: /all is well/,
    exit: 0,
    serve: RUNS,
  },
  {
    name: 'a row that is there twice',
    damage: sql(`DROP INDEX events_by_id; DROP INDEX events_by_stream;
      INSERT INTO events SELECT 9000, stream, version, type, id, at, actor, causation, correlation, rest, data
        FROM events ${at('')};
      CREATE INDEX events_by_id ON events (id); CREATE INDEX events_by_stream ON events (stream, version)`),
    verify:
      /job-21 event 5 \(MemberBooted\) at position 9000: event 46 .* not in its place.*was there before/,
    serve: RUNS,
  },
  {
    name: 'two positions that were swapped',
    damage: sql(`UPDATE events SET position = -1 WHERE position = 1010;
      UPDATE events SET position = 1010 WHERE position = 1011;
      UPDATE events SET position = 1011 WHERE position = -1`),
    verify: /job-21 event 6 \(ActionStarted\) at position 1010: event 5 of its stream should come/,
    serve: RUNS,
  },
  {
    name: 'an event that is gone',
    damage: sql(at('DELETE FROM events')),
    verify: /job-21 event 6 \(ActionStarted\) at position 1011: event 5 of .*: events are missing/,
    serve: RUNS,
  },
  {
    name: 'a gap in the versions of a stream',
    damage: sql(at('UPDATE events SET version = version + 100')),
    verify: /job-21 event 105 \(MemberBooted\) at position 1010: event 5 of .*are missing/,
    serve: RUNS,
  },
  {
    name: 'a type that there is not',
    damage: sql(`INSERT INTO names (name) VALUES ('Martian');
      ${at(`UPDATE events SET type = (SELECT id FROM names WHERE name = 'Martian')`)}`),
    verify: /job-21 event 5 at position 1010: .*\(Martian\): no version of Muster has such a type/,
    serve: /job-21 event 5 \(Martian\): no version of Muster has such a type/,
  },
  {
    name: 'an event in the stream of another job',
    damage: sql(
      at(`UPDATE events SET stream = (SELECT id FROM names WHERE name = 'job-1'), version = 46`),
    ),
    verify: /job-1 event 46 \(MemberBooted\) at position 1010: job: MemberBooted is not legal/,
    serve: RUNS,
  },
  {
    name: 'a time before all times',
    damage: sql(at('UPDATE events SET at = -5')),
    verify: /the file is damaged: the event at position 1010 has no time/,
    serve: RUNS,
  },
  {
    name: 'a time that is no number',
    damage: sql(at(`UPDATE events SET at = 'noon'`)),
    verify: /the file is damaged: the event at position 1010 has no time/,
    serve: RUNS,
  },
  {
    name: 'an id that is none',
    damage: sql(at(`UPDATE events SET id = x'0102'`)),
    verify: /job-21 event 5 \(MemberBooted\) at position 1010: its id 0102---- is not a UUID/,
    serve: RUNS,
  },
  {
    name: 'data that is no text',
    damage: sql(at(`UPDATE events SET data = x'ff00fe'`)),
    verify: /job-21 event 5 at position 1010: .*its text is damaged/,
    serve: /job-21 event 5 \(MemberBooted\): its text is damaged/,
  },
  {
    name: 'an actor whose name is gone',
    damage: sql(at('UPDATE events SET actor = 999999')),
    verify: /job-21 event 5 at position 1010: .*expected string, received undefined → at actor/,
    serve: /job-21 event 5 \(MemberBooted\): .*→ at actor/,
  },
];

describe('of a log with', () => {
  it.each(cases)(
    '$name: the place and what to do are named, and nothing is made worse',
    async (is) => {
      const { dir, file } = damaged(is.damage);
      const before = hashOf(file);
      const { exit, out, err } = await here(['verify', '--data', dir]);
      expect(inOneLine(out + err)).toMatch(is.verify);
      expect(exit).toBe(is.exit ?? 1);
      expect(widest(out + err)).toBeLessThanOrEqual(80);
      expect(hashOf(file)).toBe(before);

      const refused = await servedCold(dir);
      expect(inOneLine(refused)).toMatch(is.serve);
      if (refused !== '' && !refused.includes('no such table')) expect(hashOf(file)).toBe(before);
    },
  );
});

describe('of a data folder', () => {
  it.each([
    ['is empty', (file: string) => truncateSync(file)],
    ['is gone', (file: string) => rmSync(file)],
  ])('whose log %s, none is begun anew while its checkpoint is there', async (_, damage) => {
    const { dir, file } = damaged(damage);
    expect(await served(dir)).toMatch(
      /there is nothing in .*muster\.db, and .*checkpoints says that a log was there; restore a backup/,
    );
    expect(existsSync(file) && statSync(file).size > 0).toBe(false);
    expect(await servedCold(dir)).toBe('');
  });

  it('without its write-ahead log, verify says what the checkpoint knows and the log does not', async () => {
    const { dir, file } = damaged(() => {});
    const store = await openSqliteStore({ file });
    undo.push(() => store.close());
    const past = new PastLab(['beagle01', 'beagle02']);
    for (const { stream, expectedVersion, events } of past.register(JANUARY + JOBS))
      await store.append(stream, expectedVersion, events);
    const engine = new Engine({ store, checkpoints: fileCheckpoints(join(dir, 'checkpoints')) });
    await engine.start();
    await engine.stop();
    const copy = damaged((is) => cpSync(file, is));
    cpSync(join(dir, 'checkpoints'), join(copy.dir, 'checkpoints'), { recursive: true });
    const { exit, out } = await here(['verify', '--data', copy.dir]);
    expect(inOneLine(out)).toMatch(
      /note: the checkpoint of the directory knows position 2004 and the log ends at 2002: .* the newest events of this one are lost/,
    );
    expect(exit).toBe(0);
    const warned: string[] = [];
    expect(await served(copy.dir, (line) => warned.push(line))).toBe('');
    expect(warned.join('')).toMatch(/the newest events of this one are lost/);
  });

  it('serve ends with the place of what it cannot read, and no stack', async () => {
    const { dir } = damaged(sql(at(`UPDATE events SET data = '{"torn'`)));
    rmSync(join(dir, 'checkpoints'), { recursive: true });
    const { exit, err } = await child(['serve', '--data', dir, '--listen', '127.0.0.1:0']);
    expect(inOneLine(err)).toMatch(
      /^muster: job-21 event 5 \(MemberBooted\): its text is damaged; "muster verify" names all/,
    );
    expect(err).not.toContain('    at ');
    expect(exit).toBe(1);
  });
});
