/**
 * The frames of a board that speaks over its console, and the sum that each carries; board/lib/line.sh has the other
 * end, and tells the format. Pure: bytes that somebody printed are read or they are not, and nothing here throws.
 */

/** A character counts by its place here, from 1; what is not in it counts as the place behind the last one. */
const ALPHABET =
  'eatnsriold0123456789bcfghjkmpquvwxyz/-_.,+=:%' +
  'ABCDEFGHIJKLMNOPQRSTUVWXYZ&;~@?!"\'#$()*[]\\^`{|} <>';
const PLACES = new Map([...ALPHABET].map((character, index) => [character, index + 1]));
const OTHER_PLACE = ALPHABET.length + 1;

/** What a frame of the board begins with, on whatever line it stands; it ends with `>`. */
export const BOARD_MARK = '<MUSTER_LINE ';
/** What is typed for the board begins with it: a comment for a shell that reads it instead. */
export const WORKER_MARK = '#MUSTER_LINE:';

/** Of a call or an answer. */
export const PARTS_MAX = 2_048;
/** Of one part, as it is written. */
export const PART_CHARS_MAX = 1_024;
/** What the worker writes in one part: a line of a console holds 4,095 characters, and several are on the way. */
export const ANSWER_PART_CHARS = 400;

export type BoardFrame = { id: string } & (
  | { is: 'part'; part: number; parts: number; data: string }
  /** It has the parts of the answer before `from`. */
  | { is: 'ask'; from: number }
);

export type WorkerFrame = { id: string } & (
  | { is: 'part'; part: number; parts: number; data: string }
  /** Send this part and those behind it. */
  | { is: 'want'; from: number }
);

const ID = '[0-9a-f-]{13}';
const NUMBER = '[1-9][0-9]{0,3}';
const PART = new RegExp(`^(${ID}) (${NUMBER})/(${NUMBER}) ([!-;=?-~]{1,${PART_CHARS_MAX}})$`);
const ASK = new RegExp(`^(${ID}) \\?(${NUMBER})$`);
const ANSWER = new RegExp(`^(${ID}):(${NUMBER})/(${NUMBER}):([!-~]{1,${PART_CHARS_MAX}})$`);
const WANT = new RegExp(`^(${ID}):want/(${NUMBER}):$`);

/** The sum of a frame's text within one job's session: 32 bits, in steps that a shell with 32-bit numbers can do. */
export function sumOf(session: string, text: string): string {
  let a = 7;
  let b = 13;
  for (const character of `${session} ${text}`) {
    const place = PLACES.get(character) ?? OTHER_PLACE;
    a = (a * 61 + place) % 65_521;
    b = (b * 97 + place) % 65_519;
  }
  return `${a}.${b}`;
}

/** @param text what stands between `BOARD_MARK` and `>`. `undefined`: it is none of this session, or not whole. */
export function readBoardFrame(session: string, text: string): BoardFrame | undefined {
  const end = text.lastIndexOf(' ');
  const frame = text.slice(0, Math.max(0, end));
  const read = boardFrame(frame);
  return read !== undefined && text.slice(end + 1) === sumOf(session, frame) ? read : undefined;
}

function boardFrame(text: string): BoardFrame | undefined {
  const [, id, part, parts, data] = PART.exec(text) ?? [];
  if (id !== undefined && data !== undefined)
    return partOf({ id, part: Number(part), parts: Number(parts), data });
  const [, asker, from] = ASK.exec(text) ?? [];
  return asker === undefined ? undefined : { id: asker, is: 'ask', from: Number(from) };
}

const partOf = (of: { id: string; part: number; parts: number; data: string }) =>
  of.part <= of.parts && of.parts <= PARTS_MAX ? { is: 'part' as const, ...of } : undefined;

/** As a board writes it, its line's end included. */
export function boardLine(session: string, frame: BoardFrame): string {
  const text =
    frame.is === 'part'
      ? `${frame.id} ${frame.part}/${frame.parts} ${frame.data}`
      : `${frame.id} ?${frame.from}`;
  return `\n${BOARD_MARK}${text} ${sumOf(session, text)}>\n`;
}

/** What is typed, without an end of line. */
export function workerLine(session: string, frame: WorkerFrame): string {
  const text =
    frame.is === 'part'
      ? `${frame.id}:${frame.part}/${frame.parts}:${frame.data}`
      : `${frame.id}:want/${frame.from}:`;
  return `${WORKER_MARK}${text}:${sumOf(session, text)}`;
}

/** As the board reads a line that was typed. */
export function readWorkerLine(session: string, line: string): WorkerFrame | undefined {
  const start = line.lastIndexOf(WORKER_MARK);
  if (start < 0) return undefined;
  const end = line.lastIndexOf(':');
  const text = line.slice(start + WORKER_MARK.length, end);
  if (line.slice(end + 1) !== sumOf(session, text)) return undefined;
  const [, id, part, parts, data] = ANSWER.exec(text) ?? [];
  if (id !== undefined && data !== undefined)
    return partOf({ id, part: Number(part), parts: Number(parts), data });
  const [, wanter, from] = WANT.exec(text) ?? [];
  return wanter === undefined ? undefined : { id: wanter, is: 'want', from: Number(from) };
}

// what the parts carry

const LF = 10;

/** The bytes that a board wrote: a blank is `+`, a newline a comma, and any byte may be `%XX`. */
export function decoded(data: string): Buffer {
  const text = data
    .replaceAll('+', ' ')
    .replaceAll(',', '\n')
    .replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    );
  return Buffer.from(text, 'latin1');
}

/** What a shell may read as a command is not in it, should it come to one, in pieces too. */
const PLAIN = /^[A-Za-z0-9_./:@-]$/;

export function encoded(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    if (byte === LF) text += ',';
    else if (character === ' ') text += '+';
    else if (PLAIN.test(character)) text += character;
    else text += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

/** In parts of at most so many characters; nothing is one empty part. */
export function inParts(data: string, chars: number): string[] {
  const parts: string[] = [];
  for (let at = 0; at < data.length; at += chars) parts.push(data.slice(at, at + chars));
  return parts.length === 0 ? [''] : parts;
}

/** One call, as its parts say it. */
export interface FramedCall {
  /** With the query of a file's name, perhaps. */
  verb: string;
  key: string;
  /** Who called, as in the header `Muster-From`; empty: the board does not say. */
  from: string;
  body: Buffer;
}

const VERB = /^\*?([a-z-]{1,20}(?:\?[!-~]{1,1024})?)$/;

/** `undefined`: it is none. */
export function readCall(data: string): FramedCall | undefined {
  const bytes = decoded(data);
  const ends: number[] = [];
  for (let at = bytes.indexOf(LF); at >= 0 && ends.length < 3; at = bytes.indexOf(LF, at + 1))
    ends.push(at);
  const [first, second, third] = ends;
  if (first === undefined || second === undefined || third === undefined) return undefined;
  const marked = bytes.toString('latin1', 0, first);
  const verb = VERB.exec(marked)?.[1];
  const key = bytes.toString('latin1', first + 1, second);
  const from = bytes.toString('latin1', second + 1, third);
  if (verb === undefined || !/^[!-~]{1,64}$/.test(key) || !/^[ -~]*$/.test(from)) return undefined;
  const rest = bytes.subarray(third + 1);
  const body = marked.startsWith('*') ? Buffer.from(rest.toString('latin1'), 'base64url') : rest;
  return { verb, key, from, body };
}
