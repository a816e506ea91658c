/**
 * Between a board that is a program of the worker and its console: what it prints goes into the console's file, what is
 * typed comes out of a pipe. Both stand outside the dispatcher, so that a board and its console survive it.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { follow } from '../console.ts';
import { codeOf, StepFailure } from '../failure.ts';
import { parseSignal } from '../signals.ts';

const TYPE_RETRY_MS = 5;
const TYPE_TRIES_MAX = 2_000;
const ULIMIT_BLOCK_BYTES = 512;

/** The size of a console's file, in the blocks of `PUMP`. */
export const consoleBlocks = (bytes: number): string =>
  String(Math.ceil(bytes / ULIMIT_BLOCK_BYTES));

/**
 * For sh, in the folder in which the pipe `in` shall be. Needs: console, blocks (of 512 bytes that its file may have).
 * $@: the program. The appender stands outside the board: nothing there can kill it or cut the file
 * short, and it survives the server. A console at its limit takes no more, and the board does not notice; while the disk
 * is full the board waits.
 */
export const PUMP = `
rm -f in
mkfifo -m 600 in || exit 1
"$@" 2>&1 </dev/null | {
  exec 3>&-
  trap '' XFSZ
  ulimit -f "$blocks"
  until cat >>"$console"; do
    [ "$(wc -c <"$console")" -lt $((blocks * 512)) ] || exec cat >/dev/null
    sleep 1
  done
}
`;

/**
 * For sh on a board whose shell ended while tests ran: what reads the console for them (board/lib/ears.sh) would take
 * parts of what is typed for the next shell. Without a single quote.
 */
export const END_READER =
  '{ read -r r_pid <"$MUSTER_HOME/line/reader"&&kill -9 "$r_pid"; } 2>/dev/null';

/** What a pipe takes at once, or not at all. */
export const TYPED_BYTES_MAX = 512;

/**
 * Types one line, or less, into the pipe, or at most `TYPED_BYTES_MAX`. Resolves to `false` when the board ended before
 * somebody read it, or nobody reads it.
 */
export async function typeText(
  pipe: string,
  text: string | Uint8Array,
  isAlive: () => boolean,
): Promise<boolean> {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  for (let tried = 0; tried < TYPE_TRIES_MAX; tried += 1) {
    if (typeOnce(pipe, bytes)) return true;
    if (!isAlive()) break;
    await delay(TYPE_RETRY_MS);
  }
  return false;
}

/** `false`: nobody has the other end open, or it takes no more now. A line is written whole or not at all. */
function typeOnce(pipe: string, bytes: Uint8Array): boolean {
  let fd: number | undefined;
  try {
    fd = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    return writeSync(fd, bytes) === bytes.length;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENXIO' || code === 'EAGAIN' || code === 'ENOENT') return false;
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** A line for the console's shell: it says `boot`, for `untilReady`. */
export const readyLine = (boot: string): string =>
  // A script that signals its whole process group shall not end the console's shell with it.
  `trap : HUP INT TERM; echo '<MUSTER_BOARD_READY ${boot}>'`;

/**
 * Resolves when the shell answered `readyLine` on its console.
 *
 * @throws StepFailure `board-gone` when the board ends before; StepAborted; as `follow`
 */
export async function untilReady(
  consoleFile: string,
  from: number,
  boot: string,
  is: { bytesMax: number; signal: AbortSignal; isAlive(): boolean },
): Promise<void> {
  let gone = false;
  const onIdle = () => {
    // The last words of a board are read before its end is believed.
    if (gone) throw new StepFailure('board-gone', 'its first process ended');
    gone = !is.isAlive();
  };
  const { bytesMax, signal } = is;
  for await (const line of follow(consoleFile, from, { bytesMax, signal, onIdle })) {
    const found = parseSignal(line.text);
    if (found?.is === 'board-ready' && found.boot === boot) return;
  }
}
