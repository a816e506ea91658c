/**
 * The drive on which the worker lays files for a board that runs: archives, one behind the other and never twice in one
 * place, because a board keeps what it has read. They lie far apart: it reads ahead.
 */
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BoardFolder } from '../board-folder.ts';

/** How the board knows it among its drives. */
export const SHARE_SERIAL = 'muster';
const BLOCK_BYTES = 1_048_576;
const GAP_BLOCKS = 16;
/** Nothing is there that was not written: the file is as large as what is on it. */
const DRIVE_BLOCKS = 1_048_576;

export const driveFile = (folder: BoardFolder): string => join(folder.volume, 'drive');
const nextFile = (folder: BoardFolder): string => join(folder.volume, 'drive.next');

/** An empty drive, for a board that is off. */
export async function makeDrive(folder: BoardFolder): Promise<void> {
  const file = await open(driveFile(folder), 'w', 0o600);
  await file.truncate(DRIVE_BLOCKS * BLOCK_BYTES);
  await file.close();
  await writeFile(nextFile(folder), '0');
}

/**
 * Lays an archive on the drive.
 *
 * @returns the command of the board that prints it; `undefined` when the drive is full
 */
export async function layOnDrive(
  folder: BoardFolder,
  archive: string,
): Promise<string | undefined> {
  const bytes = await readFile(archive);
  const at = Number(await readFile(nextFile(folder), 'utf8'));
  const blocks = Math.ceil(bytes.length / BLOCK_BYTES);
  if (at + blocks > DRIVE_BLOCKS) return undefined;
  await writeFile(nextFile(folder), String(at + blocks + GAP_BLOCKS));
  const file = await open(driveFile(folder), 'r+');
  try {
    await file.write(bytes, 0, bytes.length, at * BLOCK_BYTES);
  } finally {
    await file.close();
  }
  return (
    `d=;for b in /sys/block/*;do [ "$(cat $b/serial 2>/dev/null)" != ${SHARE_SERIAL} ]||d=/dev/\${b##*/};done;` +
    `dd if=$d bs=${BLOCK_BYTES} skip=${at} count=${blocks} 2>/dev/null`
  );
}
