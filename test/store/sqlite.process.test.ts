/** The sqlite adapter: the contract, and what only a file on a disk can show. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { NewEvent, RecordedEvent } from '../../machines/events.ts';
import type { Checked } from '../../store/edge.ts';
import {
  ConcurrencyConflict,
  type EventStore,
  StoreRefused,
  StoreUnavailable,
} from '../../store/port.ts';
import { FILE_VERSION, openLogFile } from '../../store/sqlite/file.ts';
import { groupOf } from '../../store/sqlite/group.ts';
import { openSqliteStore, readable } from '../../store/sqlite/sqlite.ts';
import { SqliteLog } from '../../store/sqlite/tables.ts';
import { openDatabase } from '../../store/sqlite-api.ts';
import { describeEventStore } from './contract.ts';
import { childArgs, type FoundFolder, mountSmallDisk, remountReadOnly } from './disks.ts';
import { collect, idsOf, many, sent, skipBecause, type Undo, undoAll } from './events.ts';
import { everyPlacing, placesInTurn } from './placings.ts';

const undo: Undo = [];
afterEach(() => undoAll(undo));

function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'muster-store-'));
  undo.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function opened(file: string, placing = placesInTurn('here', 'there')): Promise<EventStore> {
  const store = await openSqliteStore({ file, placing });
  undo.push(() => store.close());
  return store;
}

for (const [where, placing] of Object.entries(everyPlacing))
  describeEventStore(`sqlite, committing ${where}`, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'muster-store-'));
    const file = join(dir, 'log.db');
    const open = () => openSqliteStore({ file, placing: placing() });
    return {
      store: await open(),
      reopen: open,
      dispose: async () => rmSync(dir, { recursive: true, force: true }),
    };
  });

it('refuses an id that is anywhere in the log', async () => {
  const store = await opened(join(newFolder(), 'log.db'));
  const event = sent();
  await store.append('job-1', 0, [event]);
  await expect(store.append('job-2', 0, [event])).rejects.toBeInstanceOf(ConcurrencyConflict);
  await expect(store.append('job-1', 1, [event])).rejects.toBeInstanceOf(ConcurrencyConflict);
});

it('commits the others of a group when one of them is a conflict', async () => {
  const store = await opened(join(newFolder(), 'log.db'));
  await store.append('job-1', 0, [sent()]);
  const results = await Promise.allSettled([
    store.append('job-2', 0, [sent()]),
    store.append('job-1', 0, [sent()]),
    store.append('job-2', 1, [sent()]),
    store.append('job-3', 7, [sent()]),
    store.append('job-3', 0, [sent()]),
  ]);
  const outcomes = results.map(({ status }) => status);
  expect(outcomes).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
  expect(await collect(store.readAll())).toHaveLength(4);
});

it('reads in pages that are bounded by their events and by their bytes', () => {
  const db = openLogFile(join(newFolder(), 'log.db'));
  undo.push(() => db.close());
  const log = new SqliteLog(db, readable);
  const row = (data: string): Checked => ({ ...sent(), data, parsed: null });
  const small = Array.from({ length: 2_500 }, () => row('{}'));
  const big = Array.from({ length: 12 }, () => row('x'.repeat(400_000)));
  log.append(groupOf([{ stream: 's', expectedVersion: 0, checked: [...small, ...big] }]));
  const pages: number[] = [];
  for (let after = 0; after < log.head; ) {
    const page = log.readAll({
      after,
      upTo: log.head,
      limit: Number.MAX_SAFE_INTEGER,
      needless: [],
    });
    pages.push(page.count);
    after = page.last;
  }
  expect(pages.slice(0, 12)).toEqual(Array(12).fill(200));
  expect(pages.reduce((sum, count) => sum + count)).toBe(2_512);
  // The last of the small ones and two big ones fit into a megabyte; then it is two big ones at most.
  expect(Math.max(...pages.slice(13))).toBeLessThanOrEqual(2);
});

it('lets go of its side files when it is closed', async () => {
  const dir = newFolder();
  const store = await openSqliteStore({ file: join(dir, 'log.db') });
  await store.append('job-1', 0, [sent()]);
  await store.close();
  expect(readdirSync(dir)).toEqual(['log.db']);
});

it('tells a reader which event is damaged or from a newer version', async () => {
  const file = join(newFolder(), 'log.db');
  const store = await openSqliteStore({ file });
  await store.append('job-1', 0, many(3));
  await store.close();
  const db = openDatabase(file);
  db.exec(`UPDATE events SET data = '{"torn' WHERE version = 2`);
  db.close();
  const again = await opened(file);
  await expect(collect(again.read('job-1'))).rejects.toMatchObject({
    code: 'unreadable-event',
    stream: 'job-1',
    version: 2,
  });
  await expect(again.subscribeAll(0, () => {}).caughtUp).rejects.toMatchObject({
    code: 'unreadable-event',
  });
});

it.each([
  ['that a newer version wrote', `UPDATE events SET rest = '{"schema":99}' WHERE version = 2`],
  ['whose envelope is damaged', `UPDATE events SET rest = '{"torn' WHERE version = 2`],
])('tells a reader that has no need of it of an event %s', async (_, damage) => {
  const file = join(newFolder(), 'log.db');
  const store = await openSqliteStore({ file });
  await store.append('job-1', 0, many(3));
  await store.close();
  const db = openDatabase(file);
  db.exec(damage);
  db.close();
  const again = await opened(file);
  const needless = new Set(['MessageSent'] as const);
  await expect(again.subscribeAll(0, () => {}, needless).caughtUp).rejects.toMatchObject({
    code: 'unreadable-event',
    version: 2,
  });
});

const hashOf = (file: string): string =>
  createHash('sha256').update(readFileSync(file)).digest('hex');

async function expectRefusedUntouched(dir: string, file: string, says: RegExp): Promise<void> {
  const before = { names: readdirSync(dir), hash: hashOf(file), changed: statSync(file).mtimeMs };
  const refused = await openSqliteStore({ file }).catch((error) => error);
  expect(refused).toBeInstanceOf(StoreRefused);
  expect(refused.message).toMatch(says);
  const after = { names: readdirSync(dir), hash: hashOf(file), changed: statSync(file).mtimeMs };
  expect(after).toEqual(before);
}

it('refuses a log that a newer version wrote, and does not touch it', async () => {
  const dir = newFolder();
  const file = join(dir, 'log.db');
  const store = await openSqliteStore({ file });
  await store.append('job-1', 0, [sent()]);
  await store.close();
  const db = openDatabase(file);
  db.exec(`PRAGMA journal_mode = DELETE; PRAGMA user_version = ${FILE_VERSION + 1}`);
  db.close();
  await expectRefusedUntouched(dir, file, /newer version of Muster \(format \d/);
});

it('refuses a file that is no log of Muster, and does not touch it', async () => {
  const dir = newFolder();
  const text = join(dir, 'notes.txt');
  writeFileSync(text, 'shopping list');
  await expectRefusedUntouched(dir, text, /is not a log of Muster/);
  const foreign = join(dir, 'other.db');
  const db = openDatabase(foreign);
  db.exec('CREATE TABLE t (x)');
  db.close();
  await expectRefusedUntouched(dir, foreign, /is not a log of Muster/);
});

it('refuses a write-ahead log whose file is gone', async () => {
  const dir = newFolder();
  writeFileSync(join(dir, 'log.db-wal'), 'frames');
  await expect(openSqliteStore({ file: join(dir, 'log.db') })).rejects.toMatchObject({
    code: 'store-refused',
    message: expect.stringContaining('part of a log is missing'),
  });
  expect(readdirSync(dir)).toEqual(['log.db-wal']);
});

it('refuses a folder that is not there, with the reason', async () => {
  const file = join(newFolder(), 'nowhere', 'log.db');
  await expect(openSqliteStore({ file })).rejects.toMatchObject({
    code: 'store-refused',
    message: expect.stringContaining('its folder must exist and be writable'),
  });
});

it('refuses a folder that cannot be written, with the reason', async (context) => {
  const found = readOnlyFolder();
  if ('lacks' in found) return skipBecause(context, found.lacks);
  await expect(openSqliteStore({ file: join(found.dir, 'log.db') })).rejects.toMatchObject({
    code: 'store-refused',
    message: expect.stringMatching(/must exist and be writable|folder writable/),
  });
});

function readOnlyFolder(): FoundFolder {
  if (process.getuid?.() !== 0) {
    const dir = newFolder();
    chmodSync(dir, 0o555);
    return { dir };
  }
  const found = mountSmallDisk(newFolder(), 1024);
  if ('dir' in found) {
    undo.push(found.unmount);
    remountReadOnly(found.dir);
  }
  return found;
}

it('makes a log anew where a crash left an empty file and a half-made one', async () => {
  const dir = newFolder();
  writeFileSync(join(dir, 'log.db'), '');
  writeFileSync(join(dir, 'log.db.new'), 'half');
  const store = await opened(join(dir, 'log.db'));
  await store.append('job-1', 0, [sent()]);
  expect(readdirSync(dir)).not.toContain('log.db.new');
});

for (const [where, placing] of Object.entries(everyPlacing))
  it(`on a full disk, committing ${where}, refuses the append whole, tells nobody, and goes on when there is room`, async (context) => {
    const found = mountSmallDisk(newFolder(), 2_048);
    if ('lacks' in found) return skipBecause(context, found.lacks);
    undo.push(found.unmount);
    const file = join(found.dir, 'log.db');
    const ballast = join(found.dir, 'ballast');
    writeFileSync(ballast, Buffer.alloc(900 * 1024));
    const store = await opened(file, placing());
    const heard: RecordedEvent[] = [];
    await store.subscribeAll(0, (events) => heard.push(...events)).caughtUp;

    const stored: NewEvent[] = [];
    let refused: { version: number; batch: NewEvent[]; error: unknown } | undefined;
    while (refused === undefined) {
      const batch = [sent('a'), sent('b', [['big', 'x'.repeat(40_000)]]), sent('c')];
      const version = stored.length;
      await store.append('job-1', version, batch).then(
        () => stored.push(...batch),
        (error) => {
          refused = { version, batch, error };
        },
      );
    }
    expect(refused.error).toBeInstanceOf(StoreUnavailable);
    expect((refused.error as Error).message).toMatch(/log\.db: the disk .*make room/);
    const big = () => [sent('x', [['big', 'x'.repeat(200_000)]])];
    const together = await Promise.allSettled(
      [1, 2, 3].map((lane) => store.append(`job-full-${lane}`, 0, big())),
    );
    expect(together.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(idsOf(await collect(store.readAll()))).toEqual(idsOf(stored));
    expect(idsOf(heard)).toEqual(idsOf(stored));

    rmSync(ballast);
    await store.append('job-1', refused.version, refused.batch);
    stored.push(...refused.batch);
    expect(idsOf(heard)).toEqual(idsOf(stored));
    await store.close();
    const again = await opened(file);
    expect(idsOf(await collect(again.readAll()))).toEqual(idsOf(stored));
  });

it('closes on a full disk, and keeps all', async (context) => {
  const found = mountSmallDisk(newFolder(), 2_048);
  if ('lacks' in found) return skipBecause(context, found.lacks);
  undo.push(found.unmount);
  const file = join(found.dir, 'log.db');
  const ballast = join(found.dir, 'ballast');
  const store = await opened(file);
  const events = many(3_000);
  await store.append('job-1', 0, events);
  expect(() => writeFileSync(ballast, Buffer.alloc(4 * 1024 * 1024))).toThrow(/ENOSPC/);
  await store.close();
  rmSync(ballast);
  const again = await opened(file);
  expect(idsOf(await collect(again.read('job-1')))).toEqual(idsOf(events));
});

it('waits for another program that writes to the log without keeping this thread', async () => {
  const file = join(newFolder(), 'log.db');
  const store = await opened(file, placesInTurn('here'));
  await store.append('job-1', 0, [sent()]);
  const other = openDatabase(file);
  undo.push(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  const appended = store.append('job-1', 1, [sent()]);
  // It has been tried here, and is with the log's thread: this one goes on.
  const from = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(performance.now() - from).toBeLessThan(1_000);
  other.exec('COMMIT');
  expect(await appended).toMatchObject({ version: 2 });
});

it('sees in either thread what the other one has written and removed, at once', async () => {
  const store = await opened(join(newFolder(), 'log.db'), placesInTurn('here', 'there'));
  const positions: number[] = [];
  for (let version = 0; version < 20; version += 1) {
    positions.push((await store.append('job-1', version, [sent()])).position);
    expect(await collect(store.read('job-1', version))).toHaveLength(1);
  }
  expect(positions).toEqual(positions.map((_, index) => index + 1));
  const [other, , again] = await Promise.allSettled([
    store.append('job-2', 0, many(3)),
    store.remove('job-2'),
    store.append('job-1', 20, [sent()]),
  ]);
  expect(other.status).toBe('fulfilled');
  expect(again).toMatchObject({ value: { version: 21 } });
  expect(await collect(store.read('job-1'))).toHaveLength(21);
});

it('has one copy of SQLite in the process, made for threads, so that its locks hold between them', async (context) => {
  await opened(join(newFolder(), 'log.db'));
  if (!existsSync('/proc/self/maps'))
    return skipBecause(context, 'only Linux lists what is loaded');
  const sqlites = readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => /sqlite[^/]*\.(node|so)/.test(line) && line.split(/ +/)[2] === '00000000');
  const isBuiltIn = process.getBuiltinModule('node:sqlite') !== undefined;
  expect(sqlites).toHaveLength(isBuiltIn ? 0 : 1);
});

it('syncs the disk for every append, and once for the appends of a group', (context) => {
  if (spawnSync('strace', ['-qq', '-e', 'trace=none', 'true']).status !== 0)
    return skipBecause(context, 'strace is not installed, or may not trace here');
  const dir = newFolder();
  const trace = join(dir, 'trace');
  const count = 40;
  const traced = ['-f', '-qq', '-e', 'trace=fsync,fdatasync,mkdir,mkdirat', '-o', trace];
  const child = childArgs('syncs', dir, String(count));
  const run = spawnSync('strace', [...traced, process.execPath, ...child], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  const lines = readFileSync(trace, 'utf8').split('\n');
  const markAt = (mark: string) => lines.findIndex((line) => line.includes(mark));
  const syncs = (from: string, to: string) =>
    lines.slice(markAt(from), markAt(to)).filter((line) => /\bf(data)?sync\(/.test(line)).length;
  expect(syncs('mark-sequential', 'mark-concurrent')).toBeGreaterThanOrEqual(count);
  const grouped = syncs('mark-concurrent', 'mark-end');
  expect(grouped).toBeGreaterThanOrEqual(1);
  expect(grouped).toBeLessThanOrEqual(count / 8);
});

it('runs from the compiled files', (context) => {
  const compiled = new URL('../../dist/store/sqlite/sqlite.js', import.meta.url);
  if (!existsSync(compiled)) return skipBecause(context, 'dist/ is not built; npm test builds it');
  const file = join(newFolder(), 'log.db');
  const script = `
    const { openSqliteStore } = await import(${JSON.stringify(compiled.href)});
    const store = await openSqliteStore({ file: ${JSON.stringify(file)} });
    const event = ${JSON.stringify(sent())};
    console.log(JSON.stringify(await store.append('job-1', 0, [event])));
    await store.close();`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect(run.stderr).toBe('');
  expect(JSON.parse(run.stdout)).toEqual({ version: 1, position: 1 });
});
