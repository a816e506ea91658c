/** One person, or one pipe, at the console of a board: bytes both ways until one of them has enough. */
import { setTimeout as delay } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import type { Typed } from './io.ts';

/** Ctrl-], as telnet has it. */
const LEAVE = 0x1d;
/** For the board to be given back. */
const LEAVE_MS_MAX = 20_000;
/** After the end of a pipe the board is listened to until it has said nothing for so long. */
export const QUIET_MS = 3_000;

const Said = z.union([
  z.object({ opened: z.object({ number: z.number() }) }),
  z.object({ ended: z.string() }),
]);

export interface Ends {
  /** `left`: by this side, and the board is given back. `ended`: by the other side. `broke`: nobody has said why. */
  how: 'left' | 'ended' | 'broke';
  /** Of the other side. */
  reason: string;
}

export interface ConversationOptions {
  socket: WebSocket;
  typed: Typed;
  /** Ends it from outside. */
  told: AbortSignal;
  out(bytes: Uint8Array): Promise<void>;
  opened(number: number): void;
}

/** Resolves when it is over. @throws what `out` throws; the board is given back by then */
export async function converse(is: ConversationOptions): Promise<Ends> {
  const { socket, typed, told } = is;
  const state = { isLeaving: false, ended: undefined as string | undefined, saidAt: 0 };
  let writing: Promise<void> = Promise.resolve();
  let failure: unknown;
  const leave = () => {
    if (state.isLeaving) return;
    state.isLeaving = true;
    socket.send(JSON.stringify({ leave: true }));
    setTimeout(() => socket.terminate(), LEAVE_MS_MAX).unref();
  };
  socket.on('message', (bytes: Buffer, isBinary) => {
    if (isBinary) {
      state.saidAt = performance.now();
      socket.pause();
      writing = writing
        .then(() => (failure === undefined ? is.out(bytes) : undefined))
        .catch((error: unknown) => {
          failure = error;
          leave();
        })
        .finally(() => socket.resume());
      return;
    }
    const said = Said.safeParse(jsonOf(bytes));
    if (!said.success) return;
    if ('opened' in said.data) is.opened(said.data.opened.number);
    else state.ended = said.data.ended;
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  told.addEventListener('abort', leave, { once: true });
  if (told.aborted) leave();
  socket.resume();
  void type(is, state).then(leave, leave);
  await closed;
  typed.close();
  await writing;
  told.removeEventListener('abort', leave);
  if (failure !== undefined) throw failure;
  const { isLeaving, ended } = state;
  if (isLeaving && ended !== undefined) return { how: 'left', reason: ended };
  return { how: ended === undefined ? 'broke' : 'ended', reason: ended ?? '' };
}

/** Types what comes until somebody leaves, or the board has been quiet after all of it. */
async function type(
  { socket, typed }: ConversationOptions,
  state: { saidAt: number; isLeaving: boolean },
): Promise<void> {
  for await (const bytes of typed.bytes) {
    const end = typed.isTerminal ? bytes.indexOf(LEAVE) : -1;
    await send(socket, end === -1 ? bytes : bytes.subarray(0, end));
    if (end !== -1 || socket.readyState !== socket.OPEN) return;
  }
  if (typed.isTerminal) return;
  state.saidAt = performance.now();
  for (let left = QUIET_MS; left > 0; left = QUIET_MS - (performance.now() - state.saidAt)) {
    await delay(left);
    if (state.isLeaving || socket.readyState !== socket.OPEN) return;
  }
}

async function send(socket: WebSocket, bytes: Uint8Array): Promise<void> {
  if (bytes.length === 0) return;
  await new Promise<void>((resolve) => socket.send(bytes, { binary: true }, () => resolve()));
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
