/** Files that are whole or not there, whatever happens in between: made aside, synced, renamed, and the folder synced. */
import { existsSync, statSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StoreRefused, StoreUnavailable } from './port.ts';

/** They hold jobs as they were written: they are for their owner alone. */
const PRIVATE = 0o600;

/**
 * Puts a file in the place of the one before it.
 *
 * @throws StoreUnavailable when it cannot be written; the file before it is still there
 */
export async function replaceFile(
  file: string,
  what: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const aside = `${file}.new`;
  try {
    await makeFolder(dirname(file));
    await writeDurably(aside, 'w', write);
    await rename(aside, file);
    await syncFolder(dirname(file));
  } catch (error) {
    await rm(aside, { force: true }).catch(() => {});
    throw notWritten(file, what, error);
  }
}

/**
 * Makes a file that was not there.
 *
 * @throws StoreRefused when it is there already; StoreUnavailable when it cannot be written, and then there is none
 */
export async function makeFile(
  file: string,
  what: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  refuseToOverwrite(file);
  await replaceFile(file, what, write);
}

/** @throws StoreRefused */
export function refuseToOverwrite(file: string): void {
  if (existsSync(file))
    throw new StoreRefused(`${file} is there already and is not overwritten; give another name`);
}

/** Writes at the end of a file, or makes it, and comes back when that is durable. */
export async function appendDurably(file: string, what: string, text: string): Promise<void> {
  try {
    await writeDurably(file, 'a', (handle) => handle.writeFile(text));
    await syncFolder(dirname(file));
  } catch (error) {
    throw notWritten(file, what, error);
  }
}

async function writeDurably(
  file: string,
  flags: 'w' | 'a',
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const handle = await open(file, flags, PRIVATE);
  try {
    await write(handle);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Makes a folder, and those that it is in. Node's own way (`recursive`) goes round for ever in a folder that takes no
 * folders, such as /proc.
 */
export async function makeFolder(dir: string): Promise<void> {
  if (!existsSync(dirname(dir))) await makeFolder(dirname(dir));
  await mkdir(dir).catch((error: unknown) => {
    if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  });
}

/** A new name in a folder is durable once the folder is. */
export async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What the writer itself refuses (an event that cannot be read) is no fault of the file. */
function notWritten(file: string, what: string, error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  return new StoreUnavailable(
    `${file}: ${what} could not be written; make room, or make its folder writable (${error.message})`,
    { cause: error },
  );
}
