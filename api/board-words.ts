/**
 * The shell dialect of the board's endpoints: one word a line in, a status line and data lines out. Parsed by
 * hand: this is the path that every message of every board takes.
 */
import type { BoardAnswer, BoardTrouble } from '../wire/board-answers.ts';
import { oneLine } from './parts.ts';

export const WORDS_CONTENT_TYPE = 'application/x-muster-words';

export const stopping: BoardTrouble = { status: 'retry', reason: 'the server is stopping' };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const PERCENT = 0x25;
const LF = 0x0a;

/** The words of a body: each ends with LF, and any byte of it may be written `%XX`. `undefined`: not UTF-8. */
export function readWordLines(body: Buffer): string[] | undefined {
  try {
    const words = body.includes(PERCENT)
      ? linesOf(body).map((line) => utf8.decode(percentDecoded(line)))
      : utf8.decode(body).split('\n');
    if (words.at(-1) === '') words.pop();
    return words;
  } catch {
    return undefined;
  }
}

function linesOf(body: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = body.indexOf(LF); end >= 0; end = body.indexOf(LF, start)) {
    lines.push(body.subarray(start, end));
    start = end + 1;
  }
  lines.push(body.subarray(start));
  return lines;
}

/** A `%` without two hexadecimal digits behind it stands for itself. */
function percentDecoded(line: Buffer): Buffer {
  const out = Buffer.allocUnsafe(line.length);
  let length = 0;
  for (let i = 0; i < line.length; i++) {
    let byte = line[i] ?? 0;
    if (byte === PERCENT) {
      const digits = line.toString('latin1', i + 1, i + 3);
      if (/^[0-9A-Fa-f]{2}$/.test(digits)) {
        byte = Number.parseInt(digits, 16);
        i += 2;
      }
    }
    out[length++] = byte;
  }
  return out.subarray(0, length);
}

/** An answer as text: the status and its words on the first line, then a line for each datum. */
export function answerText(answer: BoardAnswer | BoardTrouble): string {
  switch (answer.status) {
    case 'ok': {
      const status = answer.note === undefined ? 'ok' : `ok ${oneLine(answer.note)}`;
      return answer.lines.length === 0 ? `${status}\n` : `${status}\n${answer.lines.join('\n')}\n`;
    }
    case 'wait':
      return 'wait\n';
    default:
      return `${answer.status} ${oneLine(answer.reason)}\n`;
  }
}
