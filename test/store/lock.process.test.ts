/** One process a data folder, however the one before it ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, it } from 'vitest';
import { lockFolder } from '../../store/lock.ts';
import { StoreRefused } from '../../store/port.ts';
import { childArgs, type FoundFolder, mountSmallDisk, remountReadOnly } from './disks.ts';
import { skipBecause, type Undo, undoAll } from './events.ts';

const undo: Undo = [];
afterEach(() => undoAll(undo));

function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'muster-lock-'));
  undo.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

interface Contender {
  child: ChildProcess;
  said: { pid: number } | { refused: string };
}

/** Another process that takes the lock, or is refused; it holds the lock until it is let go or killed. */
async function contender(dir: string): Promise<Contender> {
  const child = spawn(process.execPath, childArgs('lock', dir), {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  undo.push(() => ended(child));
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, said: JSON.parse(line) };
}

async function ended(child: ChildProcess, how: 'SIGKILL' | 'let-go' = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  if (how === 'SIGKILL') child.kill('SIGKILL');
  else child.stdin?.end();
  await exited;
}

const inUse = (dir: string, pid: number | undefined) =>
  `${dir} is in use by muster serve, pid ${pid}; stop it first or use another --data folder`;

type Lock = typeof lockFolder;

async function refusesASecondInTheSameProcess(lock: Lock, dir: string): Promise<void> {
  const first = await lock(dir);
  undo.push(() => first.release());
  const refused = await lock(dir).catch((error) => error);
  expect(refused).toBeInstanceOf(StoreRefused);
  expect(refused.message).toBe(inUse(dir, process.pid));
}

it('refuses a second lock of one process, and names it', () =>
  refusesASecondInTheSameProcess(lockFolder, newFolder()));

it('has a check that catches a lock that refuses nobody', async () => {
  const open: Lock = async () => ({ release: async () => {} });
  await expect(refusesASecondInTheSameProcess(open, newFolder())).rejects.toThrow();
});

it('refuses a second process with the pid of the first, until the first lets go', async () => {
  const dir = newFolder();
  const first = await contender(dir);
  expect(first.said).toEqual({ pid: first.child.pid });
  await expect(lockFolder(dir)).rejects.toMatchObject({
    code: 'store-refused',
    message: inUse(dir, first.child.pid),
  });
  await ended(first.child, 'let-go');
  await (await lockFolder(dir)).release();
});

it('is free again after its release, which may come twice', async () => {
  const dir = join(newFolder(), 'made', 'when', 'missing');
  const first = await lockFolder(dir);
  await first.release();
  await first.release();
  await (await lockFolder(dir)).release();
});

it('is free after a kill -9 of its holder, and one of four racers takes it', async () => {
  const dir = newFolder();
  const first = await contender(dir);
  await ended(first.child);
  const racers = await Promise.all([1, 2, 3, 4].map(() => contender(dir)));
  const winners = racers.filter(({ said }) => 'pid' in said);
  expect(winners).toHaveLength(1);
  const losers = racers.filter(({ said }) => 'refused' in said);
  for (const { said } of losers)
    expect(said).toEqual({ refused: inUse(dir, winners[0]!.child.pid) });
});

it('is not fooled by a pid that belongs to another process by now', async () => {
  const dir = newFolder();
  const reused = { pid: process.ppid, startedAt: '1', command: 'muster serve' };
  writeFileSync(join(dir, 'lock.json'), JSON.stringify(reused));
  const held = await lockFolder(dir);
  undo.push(() => held.release());
  writeFileSync(join(dir, 'lock.json'), JSON.stringify(reused));
  await expect(lockFolder(dir)).rejects.toMatchObject({
    message: `${dir} is in use by another process; stop it first or use another --data folder`,
  });
});

it('refuses a folder that is a file, with the reason', async () => {
  const file = join(newFolder(), 'file');
  writeFileSync(file, '');
  await expect(lockFolder(file)).rejects.toMatchObject({
    code: 'store-refused',
    message: expect.stringContaining('cannot be used as a data folder'),
  });
});

it.each(['/proc/muster', '/proc/muster/data'])(
  'refuses %s at once, where nobody can make a folder',
  async (dir) => {
    const { said } = await contender(dir);
    expect(said).toEqual({
      refused: expect.stringContaining(`${dir} cannot be used as a data folder`),
    });
  },
);

it('refuses a folder that cannot be written, with the reason', async (context) => {
  const found = readOnlyFolder();
  if ('lacks' in found) return skipBecause(context, found.lacks);
  await expect(lockFolder(found.dir)).rejects.toMatchObject({
    code: 'store-refused',
    message: expect.stringContaining('must exist and be writable'),
  });
});

function readOnlyFolder(): FoundFolder {
  const dir = newFolder();
  if (process.getuid?.() !== 0) {
    chmodSync(dir, 0o555);
    return { dir };
  }
  const found = mountSmallDisk(dir, 256);
  if ('lacks' in found) return found;
  undo.push(found.unmount);
  remountReadOnly(dir);
  return { dir };
}
