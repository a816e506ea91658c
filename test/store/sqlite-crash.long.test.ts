/** What a crash leaves of the sqlite log. The long version is `npm run torture`. */
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { fileCheckpoints } from '../../store/checkpoints.ts';
import { backupSqlite } from '../../store/sqlite/backup.ts';
import { openSqliteSnapshot, openSqliteStore } from '../../store/sqlite/sqlite.ts';
import { openDatabase } from '../../store/sqlite-api.ts';
import { killRound, logOf, randomOf, tornWal } from './crash.ts';
import { mountSmallDisk } from './disks.ts';
import { collect, idsOf, many, sent, skipBecause, type Undo, undoAll } from './events.ts';
import { everyPlacing } from './placings.ts';

const undo: Undo = [];
afterEach(() => undoAll(undo));

function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'muster-crash-'));
  undo.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const KILL_ROUNDS = 4;
const TORN_COPIES = 25;

for (const where of Object.keys(everyPlacing))
  it(`loses nothing acknowledged and tells nothing unsaved in ${KILL_ROUNDS} rounds of kill -9, committing ${where}`, async () => {
    const file = join(newFolder(), 'log.db');
    for (let round = 0; round < KILL_ROUNDS; round += 1)
      expect(await killRound(file, round, 50 + round * 37, where)).toBeGreaterThan(50);
  }, 120_000);

it(`opens with a prefix of what was acknowledged, whatever byte its write-ahead log is cut or damaged at, in ${TORN_COPIES} copies`, async () => {
  const seed = Date.now();
  try {
    for (const where of Object.keys(everyPlacing))
      await tornWal(newFolder(), randomOf(seed), TORN_COPIES, where);
  } catch (error) {
    throw new Error(`seed ${seed}`, { cause: error });
  }
});

it('would notice a log that lost an acknowledged event', async () => {
  const dir = newFolder();
  const file = join(dir, 'log.db');
  const store = await openSqliteStore({ file });
  await store.append('job-1', 0, many(4));
  await store.close();
  const db = openDatabase(file);
  db.exec('DELETE FROM events WHERE version = 2');
  db.close();
  expect(() => logOf(file)).toThrow('has no event before 3');
});

it('refuses a file that was cut off, in words, and does not touch it', async () => {
  const dir = newFolder();
  const file = join(dir, 'log.db');
  const store = await openSqliteStore({ file });
  await store.append('job-1', 0, many(2_000));
  await store.close();
  truncateSync(file, 50_000);
  const before = readFileSync(file);
  const opened = await openSqliteStore({ file })
    .then(
      async (cut) => collect(cut.readAll()).finally(() => cut.close()),
      (error: unknown) => Promise.reject(error),
    )
    .catch((error: unknown) => error);
  expect(opened).toMatchObject({ message: expect.stringMatching(/damaged.*backup/) });
  expect(readFileSync(file).equals(before)).toBe(true);
  writeFileSync(file, before.subarray(0, 60));
  await expect(openSqliteStore({ file })).rejects.toMatchObject({
    code: 'store-refused',
    message: expect.stringContaining('is not a log of Muster'),
  });
});

it('brings a log of the first version up to date', async () => {
  const file = join(newFolder(), 'log.db');
  const store = await openSqliteStore({ file });
  const events = many(3);
  await store.append('job-1', 0, events);
  await store.close();
  const db = openDatabase(file);
  db.exec('PRAGMA journal_mode = DELETE; DROP TABLE kept; PRAGMA user_version = 1');
  db.close();
  await expect(openSqliteSnapshot({ file })).rejects.toMatchObject({
    code: 'store-refused',
    message: expect.stringContaining('older version'),
  });
  const again = await openSqliteStore({ file });
  undo.push(() => again.close());
  expect(idsOf(await collect(again.readAll()))).toEqual(idsOf(events));
  await again.append('job-1', 3, [sent()]);
});

it('never gives a position twice, not even after the last stream was removed and the log opened again', async () => {
  const file = join(newFolder(), 'log.db');
  const store = await openSqliteStore({ file });
  await store.append('job-1', 0, many(2));
  const { position } = await store.append('job-2', 0, many(3));
  await store.remove('job-2');
  expect(await store.head()).toBe(position);
  await store.close();
  const again = await openSqliteStore({ file });
  undo.push(() => again.close());
  expect(await again.head()).toBe(position);
  expect((await again.append('job-3', 0, [sent()])).position).toBe(position + 1);
  expect(await collect(again.readAll())).toHaveLength(3);
});

it('reads a snapshot that stays as it was while others write, and takes no append', async () => {
  const file = join(newFolder(), 'log.db');
  const store = await openSqliteStore({ file });
  undo.push(() => store.close());
  const events = many(3);
  await store.append('job-1', 0, events);
  const snapshot = await openSqliteSnapshot({ file });
  undo.push(() => snapshot.close());
  await store.append('job-1', 3, [sent()]);
  await store.append('job-2', 0, [sent()]);
  await store.remove('job-1');
  expect(idsOf(await collect(snapshot.readAll()))).toEqual(idsOf(events));
  expect(await collect(snapshot.read('job-2'))).toEqual([]);
  await expect(snapshot.append('job-9', 0, [sent()])).rejects.toMatchObject({
    code: 'store-unavailable',
  });
});

it('makes a whole backup while it is written, and refuses to overwrite one', async () => {
  const dir = newFolder();
  const file = join(dir, 'log.db');
  const store = await openSqliteStore({ file });
  undo.push(() => store.close());
  let isOver = false;
  const writing = (async () => {
    for (let version = 0; !isOver; version += 2) await store.append('job-1', version, many(2));
  })();
  await store.append('job-2', 0, many(4_000));
  const target = join(dir, 'backup.db');
  const made = await backupSqlite(file, target);
  isOver = true;
  await writing;
  const all = idsOf(await collect(store.readAll()));
  const copied = idsOf(logOf(target));
  expect(copied).toHaveLength(made.events);
  expect(copied.length).toBeGreaterThanOrEqual(4_000);
  expect(copied).toEqual(all.slice(0, copied.length));
  await expect(backupSqlite(file, target)).rejects.toMatchObject({
    code: 'store-refused',
    message: expect.stringContaining('not overwritten'),
  });
  const leftByKills = ['b.db.new', 'b.db.new-journal'];
  for (const name of leftByKills) writeFileSync(join(dir, name), 'half');
  await expect(backupSqlite(join(dir, 'nowhere.db'), join(dir, 'b.db'))).rejects.toMatchObject({
    code: 'store-refused',
    message: expect.stringContaining('there is no log'),
  });
  for (const name of leftByKills) expect(readdirSync(dir)).not.toContain(name);
});

it('leaves no half of a backup or a checkpoint on a full disk, and goes on when there is room', async (context) => {
  const dir = newFolder();
  const file = join(dir, 'log.db');
  const store = await openSqliteStore({ file });
  undo.push(() => store.close());
  await store.append('job-1', 0, many(3_000));
  const small = mountSmallDisk(mkdtempSync(join(dir, 'disk-')), 256);
  if ('lacks' in small) return skipBecause(context, small.lacks);
  undo.push(small.unmount);
  await expect(backupSqlite(file, join(small.dir, 'b.db'))).rejects.toMatchObject({
    code: 'store-unavailable',
    message: expect.stringMatching(/make room/),
  });
  expect(readdirSync(small.dir)).toEqual([]);
  const checkpoints = fileCheckpoints(small.dir);
  await checkpoints.save('directory', 1);
  await expect(checkpoints.save('directory', 'x'.repeat(400_000))).rejects.toMatchObject({
    code: 'store-unavailable',
    message: expect.stringMatching(/make room/),
  });
  expect(await checkpoints.load('directory')).toBe(1);
  await checkpoints.save('directory', 2);
  expect(await checkpoints.load('directory')).toBe(2);
});
