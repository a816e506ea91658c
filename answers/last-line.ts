/** The last line that a board had printed by a place of its console: what somebody reads first when it hangs. */
import { plainText } from '../submission/quoting.ts';
import type { ConsoleReader } from './evidence.ts';

export interface LastLine {
  text: string;
  /** Where it begins, in bytes. */
  offset: number;
  /** When it had come, in milliseconds since the epoch; absent: nobody knows. */
  at?: number;
}

/** A longer line is cut, and what stands before so many bytes is not looked at. */
const LOOK_BYTES = 16 * 1024;
const CHARACTERS_MAX = 200;
const LF = 0x0a;
/** Lines of ours, and what a test says to Muster: neither tells what the board does. */
const NOT_THE_BOARDS = /^(?:muster: |<(?:LAVA_|MUSTER_))/;

/**
 * @param to where the console ends for whoever asks; absent: where it ends
 * @returns `undefined` where the board printed nothing of its own lately
 */
export async function lastLine(
  console: ConsoleReader,
  to = console.bytes,
): Promise<LastLine | undefined> {
  const from = Math.max(0, to - LOOK_BYTES);
  const bytes = await console.read(from, to);
  for (let end = bytes.length; end > 0; ) {
    const start = bytes.lastIndexOf(LF, end - 1) + 1;
    // The rest of a line that begins before is told where there is nothing else.
    if (start === 0 && from > 0 && end < bytes.length - 1) break;
    const text = plain(bytes.toString('utf8', start, end));
    if (text !== '' && !NOT_THE_BOARDS.test(text)) {
      const at = await console.timeAt(from + end - 1);
      return {
        text: text.slice(0, CHARACTERS_MAX),
        offset: from + start,
        ...(at !== undefined && { at }),
      };
    }
    end = start - 1;
  }
  return undefined;
}

/** What stands on a line in the end: what a progress bar wrote over is gone. */
function plain(line: string): string {
  const parts = plainText(line).split('\r');
  return parts.findLast((part) => part.trim() !== '')?.trim() ?? '';
}
