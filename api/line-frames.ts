/**
 * The frames of a worker's line: what it may send, what it hears. Read by hand, as all that boards say.
 *
 * Every frame is JSON text: a list, of one message or of many.
 *
 *     worker  [{ "n": 7, "token": "mb1.12.panda01...", "verb": "sync", "words": ["ready"], "key": "b7c1-..." }, ...]
 *             [{ "n": 7, "gone": true }]
 *     server  [{ "n": 7, "status": "ok", "lines": [] }, ...]
 *
 * `n` is a number of the worker's own choosing, that none of its open requests has: it comes back with the answer, and
 * answers come in any order. `token` names the member that speaks, and `key` is its board's: the same on every retry, on
 * whatever line. `from`, which need not be there, is its header `Muster-From`. `gone` says that the board is no longer there for its wait: as when an HTTP request is closed,
 * nothing more is said of it. An answer has the status of the shell dialect (`ok`, `wait`, `fail`, `refused`, `retry`,
 * `denied`), with `lines` (and `note`) or with a `reason`. What cannot be told to any request has `n` null.
 */
import type { BoardAnswer, BoardTrouble } from '../wire/board-answers.ts';

/** Of one frame. One message of 64 KiB fits many times. */
export const FRAME_BYTES_MAX = 4 * 1024 * 1024;

export interface LineRequest {
  n: number;
  token: string;
  verb: string;
  words: string[];
  key?: string;
  /** Who called it on the board, as the header `Muster-From` says it. */
  from?: string;
}

export type LineMessage =
  | LineRequest
  | { n: number; gone: true }
  | { n: number | null; not: string };

export type LineAnswer = { n: number | null } & (BoardAnswer | BoardTrouble);

/** The messages of a frame; what cannot be read is a message that says why (`not`). */
export function readFrame(frame: Buffer, isBinary: boolean): LineMessage[] {
  if (isBinary) return [{ n: null, not: 'a frame is JSON text, not binary' }];
  try {
    const list: unknown = JSON.parse(frame.toString('utf8'));
    if (Array.isArray(list)) return list.map(readMessage);
  } catch {
    return [{ n: null, not: 'the frame is not JSON' }];
  }
  return [{ n: null, not: 'a frame is a list of messages' }];
}

function readMessage(raw: unknown): LineMessage {
  if (typeof raw !== 'object' || raw === null)
    return { n: null, not: 'a message is an object with "n"' };
  const { n, token, verb, words, key, from, gone, ...unknown }: Partial<Record<string, unknown>> = {
    ...raw,
  };
  if (typeof n !== 'number' || !Number.isSafeInteger(n) || n < 0)
    return { n: null, not: '"n" is not a number of 0 or more' };
  for (const name in unknown) return { n, not: `${JSON.stringify(name.slice(0, 60))} is unknown` };
  if (gone === true) return { n, gone };
  if (typeof token !== 'string') return { n, not: `"token" is not the member's token` };
  if (typeof verb !== 'string') return { n, not: '"verb" is not the name of a verb' };
  if (!isWords(words)) return { n, not: '"words" is not a list of strings' };
  if (key !== undefined && typeof key !== 'string') return { n, not: '"key" is not a string' };
  if (from !== undefined && typeof from !== 'string') return { n, not: '"from" is not a string' };
  const said = { ...(key !== undefined && { key }), ...(from !== undefined && { from }) };
  return { n, token, verb, words, ...said };
}

const isWords = (is: unknown): is is string[] =>
  Array.isArray(is) && is.every((word) => typeof word === 'string');
