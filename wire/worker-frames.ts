/**
 * The frames of a worker's line, `GET /worker/v1/connect` as a WebSocket: all that a worker on another machine and a
 * server say to each other. A frame is JSON text: a list of messages, one or many.
 *
 *     worker  [{ "hello": {...} }]                      who it is, and which frames it speaks: alone, and first
 *     server  [{ "welcome": {...} }]                    or { "bye": {...} }, and the line ends
 *     worker  [{ "n": 7, "ask": "report", ... }, ...]   asked, each with a number of its own
 *     server  [{ "n": 7, "ok": {...} }, ...]            or { "n": 7, "not": {...} }, in any order
 *     worker  [{ "gone": 8 }]                           nobody waits for the answer to 8 any more
 *     server  [{ "changed": true }]                     ask what is owed
 *     server  [{ "board": { "order": "8c...", ... } }]  do this with a board for an operator, and say with this name what became of it
 *     server  [{ "reload": "5f..." }]                   read the lab's file again, and say with this name what became of it
 *
 * An answer acknowledges its question: what it did is durable. What has no answer when a line breaks is asked again on
 * the next one, with any server of the log, and every question that changes something changes it once (the keys of
 * reports and verbs, the offsets of consoles, the digests of contents). So neither side has to remember a line.
 *
 * A field or a question that is added takes the next number of FRAMES, and is written only where both sides speak that:
 * each says the first and the last number that it speaks, and the highest common one counts.
 */
import { isAscii } from 'node:buffer';
import { z } from 'zod';
import { MemberCommand } from '../machines/commands.ts';
import { Power } from '../machines/events.ts';
import { DeviceName, JobId } from '../machines/names.ts';
import { HandsTrouble } from './board-hands.ts';
import { LabChange } from './lab-change.ts';
import { BoardRegistration, Ended, Owed } from './server-port.ts';

export const FRAMES = { first: 1, last: 1 } as const;
/** Of one frame that a worker sends: a body of a board's request fits, in base64. */
export const WORKER_FRAME_BYTES_MAX = 8 * 1024 * 1024;
/** Of one frame that a server sends: what is owed to a whole lab fits. */
export const SERVER_FRAME_BYTES_MAX = 64 * 1024 * 1024;
/** Each side asks the other so often whether it is there, and gives the line up after so long a silence. */
export const PING_MS = 5_000;
export const SILENCE_MS_MAX = 15_000;

/** Bytes: as the text that they are in printable ASCII, else in base64; no longer than twice as many in a frame. */
export const Body = z.union([
  z.strictObject({ text: z.string() }),
  z.strictObject({ base64: z.string() }),
]);
export type Body = z.infer<typeof Body>;

const n = z.int().positive();
const member = { job: JobId, device: DeviceName };
const bytes = z.int().nonnegative();
const question = <T extends string, S extends z.ZodRawShape>(ask: T, shape: S) =>
  z.strictObject({ n, ask: z.literal(ask), ...shape });

export const OpenSet = z.strictObject({
  open: z.string().optional(),
  opened: z.array(z.string()).optional(),
});

export const Question = z.discriminatedUnion('ask', [
  /** The boards that it has; again when its lab's file changed. */
  question('register', {
    boards: z.array(BoardRegistration),
    jobLimit: z.int().positive().optional(),
  }),
  question('owed', {}),
  question('ended', member),
  question('report', {
    job: JobId,
    command: MemberCommand,
    key: z.string(),
    console: bytes.optional(),
  }),
  /** Which of these contents are not kept yet. */
  question('missing', { digests: z.array(z.string()) }),
  question('keep', { digest: z.string(), body: Body }),
  /** A request of a board at the worker's own door. `console`, `set`: how its console stood as it came. */
  question('board', {
    ...member,
    method: z.string(),
    url: z.string(),
    type: z.string().optional(),
    key: z.string().optional(),
    from: z.string().optional(),
    body: Body,
    console: bytes,
    set: OpenSet,
  }),
  /** What a console printed from byte `at` on. `times`: by when so many of its bytes had come, by the worker's clock. */
  question('console', {
    ...member,
    at: bytes,
    body: Body,
    times: z.array(z.tuple([bytes, z.int()])),
    /** The worker's clock now. */
    clock: z.int(),
  }),
  /** Nothing more comes of a console of so many bytes. */
  question('console-end', { ...member, size: bytes }),
  /** What became of the lab's file, which a server wished to be read again; `refused`: why nothing has changed. */
  question('reloaded', {
    reload: z.string(),
    change: LabChange.optional(),
    refused: z.string().optional(),
  }),
  /** What became of a server's order to a board: it is done, or `refused`. */
  question('ordered', { order: z.string(), refused: HandsTrouble.optional() }),
  /** What a board printed on the console that an operator has, in order; answered when there is room for more. */
  question('printed', { console: z.string(), body: Body }),
  /** An operator's console is over, and its board given back. */
  question('console-over', { console: z.string(), reason: z.string() }),
]);
export type Question = z.infer<typeof Question>;
export type Ask = Question['ask'];

export const Hello = z.strictObject({
  frames: z.strictObject({ first: n, last: n }),
  token: z.string(),
  /** The same as long as it works in the same folder: two workers of one name are told apart by it. */
  instance: z.string(),
  /** Of its Muster. */
  version: z.string(),
});
export type Hello = z.infer<typeof Hello>;

export const FromWorker = z.union([
  Question,
  z.strictObject({ gone: n }),
  z.strictObject({ hello: Hello }),
]);
export type FromWorker = z.infer<typeof FromWorker>;

/** What is owed, the members of each group once. */
export const OwedAnswer = z.strictObject({
  owed: z.array(Owed.omit({ group: true })),
  groups: z.array(z.strictObject({ job: JobId, group: Owed.shape.group })),
});
export type OwedAnswer = z.infer<typeof OwedAnswer>;

export const BoardReply = z.strictObject({
  status: z.int(),
  type: z.string(),
  body: Body,
});
export type BoardReply = z.infer<typeof BoardReply>;

/** What the answer to each question says. */
export const answers = {
  register: z.strictObject({}),
  owed: OwedAnswer,
  ended: z.strictObject({ ended: Ended.optional() }),
  report: z.strictObject({}),
  missing: z.strictObject({ digests: z.array(z.string()) }),
  keep: z.strictObject({}),
  board: BoardReply,
  /** How many bytes of the console are there: where the next part begins. */
  console: z.strictObject({ size: bytes }),
  'console-end': z.strictObject({ size: bytes }),
  reloaded: z.strictObject({}),
  ordered: z.strictObject({}),
  printed: z.strictObject({}),
  'console-over': z.strictObject({}),
} satisfies Record<Ask, z.ZodType>;
export type Answer<A extends Ask> = z.infer<(typeof answers)[A]>;

/**
 * What a server wants of a board for an operator; `order`: the name of this one. A console has a name of its own, from its
 * opening to its end; every console of a line ends with the line.
 */
export const BoardOrder = z.discriminatedUnion('do', [
  z.strictObject({ order: z.string(), do: z.literal('power'), device: DeviceName, power: Power }),
  z.strictObject({
    order: z.string(),
    do: z.literal('open-console'),
    device: DeviceName,
    console: z.string(),
    user: z.string(),
  }),
  z.strictObject({ order: z.string(), do: z.literal('type'), console: z.string(), body: Body }),
  z.strictObject({ order: z.string(), do: z.literal('leave'), console: z.string() }),
]);
export type BoardOrder = z.infer<typeof BoardOrder>;

/** Why a question has no answer. `again`: it may have one later. */
export const Not = z.strictObject({ code: z.string(), reason: z.string(), again: z.boolean() });
export type Not = z.infer<typeof Not>;

export const ByeCode = z.enum(['token-refused', 'worker-here', 'version', 'frame', 'stopping']);
export type ByeCode = z.infer<typeof ByeCode>;

export const FromServer = z.union([
  z.strictObject({ n, ok: z.unknown() }),
  z.strictObject({ n, not: Not }),
  z.strictObject({ changed: z.literal(true) }),
  z.strictObject({ reload: z.string() }),
  z.strictObject({ board: BoardOrder }),
  z.strictObject({
    welcome: z.strictObject({ frames: n, worker: z.string(), version: z.string() }),
  }),
  z.strictObject({ bye: z.strictObject({ code: ByeCode, reason: z.string() }) }),
]);
export type FromServer = z.infer<typeof FromServer>;

/** A frame that is none: what is wrong with it, in a line. */
export class NotAFrame extends Error {
  override readonly name = 'NotAFrame';
  readonly code = 'not-a-frame';
}

const LIST = z.array(z.unknown()).min(1);

/** @throws NotAFrame */
export function readFrame<T>(text: string, message: z.ZodType<T>): T[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new NotAFrame(`it is not JSON: ${JSON.stringify(text.slice(0, 60))}`);
  }
  const list = LIST.safeParse(json);
  if (!list.success) throw new NotAFrame('it is not a list of messages');
  return list.data.map((raw, at) => {
    const read = message.safeParse(raw);
    if (read.success) return read.data;
    const why = z.prettifyError(read.error).replaceAll(/\s*\n\s*/g, ' ');
    throw new NotAFrame(`message ${at + 1} cannot be read: ${why}`);
  });
}

/** The number of the frames that two sides speak; `undefined`: they have none in common. */
export function commonFrames(a: Hello['frames'], b: Hello['frames'] = FRAMES): number | undefined {
  const last = Math.min(a.last, b.last);
  return last >= Math.max(a.first, b.first) ? last : undefined;
}

/** What JSON writes with six characters each. */
const UNPRINTABLE = /(?![\b\t\n\f\r\x7f-\x9f])\p{Cc}/u;

export function bodyOf(content: Uint8Array): Body {
  const buffer = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const text = isAscii(buffer) ? buffer.toString('latin1') : undefined;
  return text === undefined || UNPRINTABLE.test(text)
    ? { base64: buffer.toString('base64') }
    : { text };
}

export const bytesOf = (body: Body): Buffer =>
  'text' in body ? Buffer.from(body.text, 'latin1') : Buffer.from(body.base64, 'base64');
