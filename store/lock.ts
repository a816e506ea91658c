/**
 * One Muster a data folder. The lock itself is the kernel's (an SQLite transaction that stays open on an empty
 * file): it goes with its process, however that ends, so there is no stale lock to judge, and of two processes
 * that race one wins. `lock.json` beside it only says who the holder is, for the message.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { lockFile, makePrivateFolder } from './data-folder.ts';
import { StoreRefused } from './port.ts';
import { type Database, notOpened, openDatabase, resultCode, SQLITE_BUSY } from './sqlite-api.ts';

/** How long a winner may need between taking the lock and saying who it is. */
const HOLDER_NAMED_WITHIN_MS = 2_000;
const HOLDER_ASKED_EVERY_MS = 50;

const Holder = z.object({ pid: z.int().positive(), startedAt: z.string(), command: z.string() });
type Holder = z.infer<typeof Holder>;

export interface FolderLock {
  /** What a person should know of the folder. */
  note?: string;
  release(): Promise<void>;
}

/**
 * Takes the data folder `dir` for this process, and makes the folder when there is none.
 *
 * @param command how the holder is called in the message to whoever comes second
 * @throws StoreRefused when another process has it (with its pid), or the folder cannot be written
 */
export async function lockFolder(dir: string, command = 'muster serve'): Promise<FolderLock> {
  const { db, note } = await openLock(dir);
  try {
    // MEMORY: without it SQLite leaves an empty journal beside the file.
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    nameHolder(dir, { pid: process.pid, startedAt: startOf(process.pid) ?? '', command });
  } catch (error) {
    db.close();
    throw resultCode(error) === SQLITE_BUSY ? await inUse(dir) : refused(dir, error);
  }
  let isHeld = true;
  return {
    ...(note !== undefined && { note }),
    release: async () => {
      if (isHeld) db.close();
      isHeld = false;
    },
  };
}

async function openLock(dir: string): Promise<{ db: Database; note: string | undefined }> {
  try {
    const note = await makePrivateFolder(dir);
    return { db: openDatabase(lockFile(dir)), note };
  } catch (error) {
    throw refused(dir, error);
  }
}

/** On a full disk the holder has no name; it has the folder all the same. */
function nameHolder(dir: string, holder: Holder): void {
  const file = join(dir, 'lock.json');
  try {
    writeFileSync(`${file}.new`, `${JSON.stringify(holder)}\n`);
    renameSync(`${file}.new`, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

/** The loser may read before the winner has written: it asks again until the name is that of a live process. */
async function inUse(dir: string): Promise<StoreRefused> {
  const deadline = performance.now() + HOLDER_NAMED_WITHIN_MS;
  let holder = liveHolder(dir);
  while (holder === undefined && performance.now() < deadline) {
    await sleep(HOLDER_ASKED_EVERY_MS);
    holder = liveHolder(dir);
  }
  const who = holder === undefined ? 'another process' : `${holder.command}, pid ${holder.pid}`;
  return new StoreRefused(`${dir} is in use by ${who}; stop it first or use another --data folder`);
}

/** Who `lock.json` names, unless that process is gone or its pid is another's by now. */
function liveHolder(dir: string): Holder | undefined {
  try {
    const holder = Holder.parse(JSON.parse(readFileSync(join(dir, 'lock.json'), 'utf8')));
    return startOf(holder.pid) === holder.startedAt ? holder : undefined;
  } catch {
    return undefined;
  }
}

/**
 * When a process was started, in clock ticks since boot (field 22 of /proc/PID/stat); undefined when there is
 * no such process. The second field is the program's name and may hold anything, so it is skipped from its end.
 */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function refused(dir: string, error: unknown): Error {
  if (resultCode(error) !== undefined) return notOpened(lockFile(dir), error);
  const message = error instanceof Error ? error.message : String(error);
  return new StoreRefused(
    `${dir} cannot be used as a data folder: it must be a folder that can be written (${message})`,
    { cause: error },
  );
}
