/** The commands that work on a log itself: backup, verify, export, import. */

import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import picocolors from 'picocolors';
import { afterEach, describe, expect, it } from 'vitest';
import { PastLab } from '../../bench/past-jobs.ts';
import { run } from '../../cli/program.ts';
import { directoryProjection } from '../../engine/directory-projection.ts';
import { applyToDirectory, directoryToJson, emptyDirectory } from '../../projections/directory.ts';
import { archiveJobs } from '../../store/archive/archive.ts';
import { fileCheckpoints } from '../../store/checkpoints.ts';
import { openEventStoreDb } from '../../store/eventstoredb/eventstoredb.ts';
import { lockFolder } from '../../store/lock.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite.ts';
import { openDatabase } from '../../store/sqlite-api.ts';
import { collect, sent, type Undo, undoAll } from '../store/events.ts';
import { startStandIn } from '../store/eventstore-grpc-server.ts';

const undo: Undo = [];
afterEach(() => undoAll(undo));

const JANUARY = Date.UTC(2026, 0, 15);

function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'muster-log-'));
  undo.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A data folder with finished jobs, and a checkpoint as a server leaves it. */
async function lab(jobs = 2): Promise<string> {
  const dir = newFolder();
  const store = await openSqliteStore({ file: join(dir, 'muster.db') });
  const past = new PastLab(['panda01', 'panda02']);
  const appends = past.register(JANUARY);
  for (let id = 1; id <= jobs; id += 1) appends.push(...past.finished(id, JANUARY + id));
  for (const { stream, expectedVersion, events } of appends)
    await store.append(stream, expectedVersion, events);
  const directory = emptyDirectory();
  const events = await collect(store.readAll());
  for (const event of events) applyToDirectory(directory, event);
  const last = events.at(-1)!;
  const state = directoryToJson(directory);
  const saved = {
    version: directoryProjection.version,
    position: last.position,
    last: { stream: last.stream, version: last.version, id: last.id },
    state,
  };
  await fileCheckpoints(join(dir, 'checkpoints')).save('directory', saved);
  await store.close();
  return dir;
}

/** The log of a lab as a file, and an empty EventStoreDB for it. */
async function exportedLab() {
  const standIn = await startStandIn();
  undo.push(() => standIn.stop());
  const dir = await lab();
  const file = join(dir, 'log.jsonl');
  await muster('export', '--data', dir, '--all', file);
  return { standIn, address: `esdb://127.0.0.1:${standIn.port}?tls=false`, file };
}

const muster = (...words: string[]) => musterUntil(new AbortController().signal, ...words);

async function musterUntil(interrupt: AbortSignal, ...words: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const exit = await run(words, {
    env: {},
    columns: 80,
    colors: picocolors.createColors(false),
    errColors: picocolors.createColors(false),
    out: async (chunk) => void out.push(String(chunk)),
    err: (text) => void err.push(text),
    stdin: async () => Buffer.alloc(0),
    keys: () => undefined,
    typed: () => ({ isTerminal: false, bytes: (async function* () {})(), close: () => {} }),
    told: () => new AbortController().signal,
    interrupt: () => interrupt,
  });
  // Where a line breaks is not what these tests are about.
  const oneLine = (text: string[]) => text.join('').replace(/\s+/g, ' ');
  return { exit, out: oneLine(out), err: oneLine(err), raw: out.join('') };
}

function damage(dir: string, sql: string): void {
  const db = openDatabase(join(dir, 'muster.db'));
  db.exec(sql);
  db.close();
}

describe('muster verify', () => {
  it('finds a sound log sound, also while a server holds it', async () => {
    const dir = await lab();
    const lock = await lockFolder(dir);
    const store = await openSqliteStore({ file: join(dir, 'muster.db') });
    undo.push(
      () => lock.release(),
      () => store.close(),
    );
    const { exit, out } = await muster('verify', '--data', dir);
    expect(out).toContain('102 events in 5 streams, 2 jobs over, up to position 102');
    expect(out).toContain('all is well');
    expect(exit).toBe(0);
  });

  it.each([
    [
      'an illegal event',
      `UPDATE events SET type = (SELECT id FROM names WHERE name = 'JobCompleted'), data = '{}'
      WHERE version = 3 AND stream = (SELECT id FROM names WHERE name = 'job-1')`,
      /job-1 event 4 \(MemberBooting\) at position \d+: job: MemberBooting is not legal in state complete/,
    ],
    [
      'a missing event',
      `DELETE FROM events WHERE version = 4 AND stream = (SELECT id FROM names WHERE name = 'job-1')`,
      /job-1 event 5 .*events are missing/,
    ],
    [
      'damaged text',
      `UPDATE events SET data = '{"torn' WHERE version = 4 AND stream = (SELECT id FROM names WHERE name = 'job-1')`,
      /job-1 event 4 at position \d+: .*damaged/,
    ],
    [
      'a stream of nobody',
      `UPDATE names SET name = 'nobody-1' WHERE name = 'job-2'`,
      /Muster has no such stream/,
    ],
  ])('reports %s with its place, and reads on', async (_, sql, says) => {
    const dir = await lab();
    damage(dir, sql);
    const { exit, out } = await muster('verify', '--data', dir);
    expect(out).toMatch(says);
    expect(out).toMatch(/10\d events in 5 streams/);
    expect(exit).toBe(1);
  });

  it('reports an id that is twice in the log', async () => {
    const dir = await lab();
    damage(
      dir,
      `DROP INDEX events_by_id;
      UPDATE events SET id = (SELECT id FROM events WHERE position = 5) WHERE position = 50`,
    );
    const { exit, out } = await muster('verify', '--data', dir, '--json');
    const { faults } = JSON.parse(out);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({
      position: 50,
      reason: expect.stringContaining('was there before'),
    });
    expect(exit).toBe(1);
  });

  it.each([
    ['a later event', 50],
    ['itself', 20],
  ])('reports a cause that does not come before its effect: %s', async (_, cause) => {
    const dir = await lab();
    damage(
      dir,
      `UPDATE events SET causation = (SELECT id FROM events WHERE position = ${cause}) WHERE position = 20`,
    );
    const { exit, out } = await muster('verify', '--data', dir, '--json');
    const { faults } = JSON.parse(out);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({
      position: 20,
      reason: expect.stringMatching(
        /^its cause is event \d+ of .*, which does not come before it$/,
      ),
    });
    expect(exit).toBe(1);
  });

  it('reports a stream that was deleted in EventStoreDB, where the log still has its events', async () => {
    const { standIn, address, file } = await exportedLab();
    await muster('import', '--store', address, file);
    const before = await muster('verify', '--data', newFolder(), '--store', address);
    expect([before.exit, before.out]).toEqual([0, expect.stringContaining('all is well')]);
    standIn.log.bury('job-1', standIn.log.eventsOf('job-1').length);
    const { exit, out } = await muster('verify', '--data', newFolder(), '--store', address);
    expect(out).toContain('fault: job-1: read alone it has no event: it was deleted or cut in');
    expect(exit).toBe(1);
  });

  it('compares a log elsewhere with no folder that was not named, not even the one that it finds where it runs', async () => {
    const { address, file } = await exportedLab();
    await muster('import', '--store', address, file);
    const from = process.cwd();
    const here = newFolder();
    renameSync(await lab(3), join(here, 'muster-data'));
    undo.unshift(() => process.chdir(from));
    process.chdir(here);
    const alone = await muster('verify', '--store', address);
    expect([alone.exit, alone.out]).toEqual([0, expect.stringContaining('were not compared')]);
    const named = await muster('verify', '--store', address, '--data', 'muster-data');
    expect(named.out.replace(/\s+/g, ' ')).toContain('note: the checkpoint of the directory is of');
  });

  it('reports where a checkpoint differs from a cold rebuild', async () => {
    const dir = await lab();
    const checkpoints = fileCheckpoints(join(dir, 'checkpoints'));
    const saved = (await checkpoints.load('directory')) as { state: { jobCount: number } };
    saved.state.jobCount = 7;
    await checkpoints.save('directory', saved);
    const { exit, out } = await muster('verify', '--data', dir);
    expect(out).toMatch(/directory\.jobCount is 7, rebuilt 2/);
    expect(exit).toBe(1);
  });

  it('ends with 2 where there is no log', async () => {
    const { exit, err } = await muster('verify', '--data', newFolder());
    expect(err).toContain('there is no log');
    expect(exit).toBe(2);
  });
});

describe('muster backup', () => {
  it('copies the log beside a running server; the copy is a log', async () => {
    const dir = await lab();
    const lock = await lockFolder(dir);
    undo.push(() => lock.release());
    const restored = newFolder();
    const { exit, out } = await muster('backup', '--data', dir, join(restored, 'muster.db'));
    expect(out).toContain('102 events');
    expect(exit).toBe(0);
    expect((await muster('verify', '--data', restored)).exit).toBe(0);
    const again = await muster('backup', '--data', dir, join(restored, 'muster.db'));
    expect(again.err).toContain('not overwritten');
    expect(again.exit).toBe(2);
  });
});

describe('muster export and import', () => {
  it('carries a whole log to another folder', async () => {
    const dir = await lab();
    const other = newFolder();
    const file = join(other, 'log.jsonl');
    expect((await muster('export', '--data', dir, '--all', file)).out).toContain('102 events');
    const { out, exit } = await muster('import', '--data', other, file);
    expect(out).toContain('102 events of 5 streams');
    expect(exit).toBe(0);
    const back = join(other, 'back.jsonl');
    await muster('export', '--data', other, '--all', back);
    expect(readFileSync(back, 'utf8')).toBe(readFileSync(file, 'utf8'));
  });

  it('exports one job; of an archived one it says where it is', async () => {
    const dir = await lab();
    const file = join(dir, 'job-1.jsonl');
    expect((await muster('export', '--data', dir, '1', file)).out).toContain('45 events');
    const store = await openSqliteStore({ file: join(dir, 'muster.db') });
    const isInUse = () => false;
    await archiveJobs(store, { dataDir: dir, jobCount: 2, endedBefore: JANUARY + 2, isInUse });
    await store.close();
    const { exit, err } = await muster('export', '--data', dir, '1', join(dir, 'again.jsonl'));
    expect(err).toMatch(/job 1 was archived/);
    expect(exit).toBe(1);
    expect((await muster('export', '--data', dir, '9', join(dir, '9.jsonl'))).err).toContain(
      'there is no job 9',
    );
    expect(existsSync(join(dir, 'again.jsonl'))).toBe(false);
    expect((await muster('verify', '--data', dir)).out).toContain('all is well');
  }, 120_000);

  it.each([
    ['backup', 'copying 300 MB'],
    ['verify', 'checking the pages of 300 MB'],
  ])('%s of a large log says first what it is about to do', async (command, says) => {
    const dir = await lab();
    const said = async () => {
      const to = command === 'backup' ? [join(newFolder(), 'b.db')] : [];
      return (await muster(command, '--data', dir, ...to)).err;
    };
    expect(await said()).not.toContain('MB');
    truncateSync(join(dir, 'muster.db'), 300_000_000);
    expect(await said()).toContain(says);
  });

  it('leaves nothing behind when Ctrl-C ends the export', async () => {
    const dir = await lab();
    const file = join(newFolder(), 'log.jsonl');
    const words = ['export', '--data', dir, '--all', file];
    const { exit, err } = await musterUntil(AbortSignal.abort(), ...words);
    expect([exit, err]).toEqual([130, `muster: ${file} was not made `]);
    expect(readdirSync(dirname(file))).toEqual([]);
  });

  it('brings a job back from the archive, and verify takes it for no fault', async () => {
    const dir = await lab();
    damage(
      dir,
      `UPDATE events SET causation = (SELECT cause.id FROM events AS cause WHERE cause.position =
         (SELECT max(position) FROM log WHERE stream = 'job-1'))
       WHERE position = (SELECT max(position) FROM log WHERE stream LIKE 'device-%')`,
    );
    const store = await openSqliteStore({ file: join(dir, 'muster.db') });
    const isInUse = () => false;
    await archiveJobs(store, { dataDir: dir, jobCount: 2, endedBefore: JANUARY + 2, isInUse });
    await store.close();
    await muster('import', '--data', dir, join(dir, 'archive', 'jobs-2026-01.jsonl'));
    const { exit, out } = await muster('verify', '--data', dir);
    expect(out).toContain('back from the archive, and so behind what they caused: 1 job');
    expect(out).toContain('all is well');
    expect(exit).toBe(0);
    rmSync(join(dir, 'archive'), { recursive: true });
    const without = await muster('verify', '--data', dir);
    expect(without.out).toContain('which does not come before it');
    expect(without.exit).toBe(1);
  });

  it('refuses to import into a folder that a server has', async () => {
    const dir = await lab();
    const file = join(dir, 'log.jsonl');
    await muster('export', '--data', dir, '--all', file);
    const lock = await lockFolder(dir);
    undo.push(() => lock.release());
    const { exit, err } = await muster('import', '--data', dir, file);
    expect(err).toContain('is in use by muster serve, pid');
    expect(exit).toBe(2);
  });

  it('refuses to import into the log of servers while one of them is there', async () => {
    const { standIn, address, file } = await exportedLab();
    const store = await openEventStoreDb({ connection: address });
    undo.push(() => store.close());
    const said = { ...sent(), type: 'WorkerConnected' } as const;
    const until = Date.now() + 60_000;
    await store.append('worker-a', 0, [{ ...said, data: { boards: [], until } }]);
    const { exit, err } = await muster('import', '--store', address, file);
    expect(err.replaceAll(/\s+/g, ' ')).toContain('with the boards of worker-a: stop it first');
    expect(exit).toBe(2);
    expect(standIn.log.eventsOf('job-1')).toEqual([]);
    const lost = { ...sent(), type: 'WorkerLost', data: { reason: 'it was stopped' } } as const;
    await store.append('worker-a', 1, [lost]);
    expect((await muster('import', '--store', address, file)).exit).toBe(0);
  });

  it.each(['backup', 'verify', 'export', 'import'])(
    '%s refuses an empty name of the folder: it would be the one that one is in',
    async (command) => {
      const { exit, err } = await muster(command, '--data', '', 'file');
      expect([exit, err]).toEqual([2, expect.stringContaining('Expected a folder.')]);
    },
  );

  it.each(['backup', 'verify', 'export', 'import'])(
    '%s shows an example, in 80 columns',
    async (command) => {
      const { raw } = await muster(command, '--help');
      expect(raw).toContain(`$ muster ${command} `);
      expect(Math.max(...raw.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    },
  );
});
