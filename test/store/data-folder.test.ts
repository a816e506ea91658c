/** The data folder is its owner's alone, and so is what is made of the log elsewhere. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { openServersLog } from '../../server/open-log.ts';
import { makePrivateFolder } from '../../store/data-folder.ts';
import { makeFile } from '../../store/durable-file.ts';
import { backupSqlite } from '../../store/sqlite/backup.ts';
import { type Undo, undoAll } from './events.ts';

const undo: Undo = [];
afterEach(() => undoAll(undo));

function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'muster-folder-'));
  undo.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

it('makes a new data folder for its owner alone, and its log and lock in it', async () => {
  const dir = join(newFolder(), 'deep', 'data');
  const log = await openServersLog({ dataDir: dir });
  expect(log.note).toBeUndefined();
  expect(modeOf(dir)).toBe('700');
  const files = readdirSync(dir).filter((name) => name.startsWith('muster.db'));
  expect(files.sort()).toEqual(['muster.db', 'muster.db-shm', 'muster.db-wal']);
  for (const name of files) expect(`${name} ${modeOf(join(dir, name))}`).toBe(`${name} 600`);
  await log.close();
});

it('takes the rights of others from a folder that is there, and says so once', async () => {
  const dir = newFolder();
  chmodSync(dir, 0o755);
  const first = await openServersLog({ dataDir: dir });
  expect(first.note).toBe(
    `${dir} could be looked into by others (mode 755): it is for its owner alone now (mode 700), as jobs, consoles and the boards' secret lie in it`,
  );
  await first.close();
  expect(modeOf(dir)).toBe('700');
  const second = await openServersLog({ dataDir: dir });
  expect(second.note).toBeUndefined();
  await second.close();
});

it("leaves a folder that is everybody's as it is, and says so", async () => {
  const dir = newFolder();
  chmodSync(dir, 0o1777);
  expect(await makePrivateFolder(dir)).toMatch(/\(mode 1777\), and stays so, since .*everybody/);
  expect(modeOf(dir)).toBe('1777');
  expect(await makePrivateFolder('/')).toMatch(/stays so, since it is the root of the machine/);
});

it('makes backups and exports for their owner alone, in a folder of everybody', async () => {
  const dir = newFolder();
  await (await openServersLog({ dataDir: join(dir, 'data') })).close();
  const open = join(dir, 'open');
  mkdirSync(open, { mode: 0o755 });
  const backup = join(open, 'backup.db');
  await backupSqlite(join(dir, 'data', 'muster.db'), backup);
  await makeFile(join(open, 'export'), 'the export', (file) => file.writeFile('{}'));
  expect([modeOf(backup), modeOf(join(open, 'export'))]).toEqual(['600', '600']);
  expect(existsSync(`${backup}.new`)).toBe(false);
});
