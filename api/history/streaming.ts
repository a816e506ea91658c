/** A response that is written bit by bit: it waits for a slow client, and drops one that stands still. */
import type { FastifyReply } from 'fastify';
import { ApiProblem } from '../problems.ts';
import { Turns } from './turns.ts';
import { Unsent } from './unsent.ts';

/** A client that takes nothing for so long is dropped; it can resume where it was. */
const STALLED_MS_MAX = 60_000;
const STREAMS_OPEN_MAX = 2_000;
/** Written at once: what a socket has no room for is written as it gets some, outside of any turn. */
const PIECE_BYTES_MAX = 32 * 1024;

/** All streams of one server. */
export class Streams {
  readonly turns = new Turns();
  readonly unsent = new Unsent();
  #open = 0;

  /**
   * Takes a reply over from Fastify and sends the head.
   *
   * @param signal ends the stream
   * @throws ApiProblem `too-many-streams`
   */
  open(reply: FastifyReply, signal: AbortSignal, head: Record<string, string>): Streaming {
    if (this.#open >= STREAMS_OPEN_MAX)
      throw new ApiProblem('too-many-streams', `${STREAMS_OPEN_MAX} streams are open already`, {
        headers: { 'retry-after': '5' },
      });
    this.#open++;
    reply.raw.once('close', () => this.#open--);
    return new Streaming(reply, signal, head, this);
  }
}

export class Streaming {
  readonly #raw: FastifyReply['raw'];
  readonly signal: AbortSignal;
  readonly #streams: Streams;

  constructor(
    reply: FastifyReply,
    signal: AbortSignal,
    head: Record<string, string>,
    streams: Streams,
  ) {
    reply.hijack();
    this.#raw = reply.raw;
    this.signal = signal;
    this.#streams = streams;
    this.#raw.writeHead(200, { ...head, 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    this.#raw.flushHeaders();
  }

  get isOpen(): boolean {
    return !this.signal.aborted && !this.#raw.destroyed;
  }

  /**
   * Writes in its turns, and resolves once the client can take more; what is unsent is never more than one piece and a
   * socket's buffer.
   */
  async write(...chunks: readonly (string | Uint8Array)[]): Promise<void> {
    for (const pieces of inPieces(chunks)) {
      const [first] = pieces;
      if (first === undefined || !this.isOpen) return;
      // `drain` may come before whoever waits for the turn hears of its end: it is listened for at once.
      await this.#streams.turns.run(this.signal, () => {
        if (!this.isOpen) return;
        const isTaken = pieces.map(({ bytes }) => this.#raw.write(bytes)).every(Boolean);
        return isTaken ? undefined : this.#taken(first.of);
      });
    }
  }

  #taken(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      const drop = () => this.#raw.destroy();
      const stalled = setTimeout(drop, STALLED_MS_MAX);
      const go = () => {
        clearTimeout(stalled);
        release();
        this.#raw.off('drain', go).off('close', go);
        this.signal.removeEventListener('abort', go);
        resolve();
      };
      this.#raw.once('drain', go).once('close', go);
      this.signal.addEventListener('abort', go, { once: true });
      const release = this.#streams.unsent.hold(chunk, drop);
    });
  }

  /**
   * Sleeps until it is woken, the time is over or the stream ends; whether it was woken.
   *
   * @param onStart is handed the way to wake it, and returns the way to forget that
   */
  sleep(ms: number, onStart: (wake: () => void) => () => void = () => () => {}): Promise<boolean> {
    if (!this.isOpen) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (isWoken: boolean) => {
        clearTimeout(timer);
        forget();
        this.signal.removeEventListener('abort', abort);
        resolve(isWoken);
      };
      const abort = () => end(false);
      const timer = setTimeout(end, ms, false);
      this.signal.addEventListener('abort', abort, { once: true });
      const forget = onStart(() => end(true));
    });
  }

  /** Ends the response, after what was written. */
  end(): void {
    if (!this.#raw.destroyed) this.#raw.end();
  }
}

interface Piece {
  bytes: Uint8Array;
  /** What it is a part of. */
  of: Uint8Array;
}

/** Cuts chunks into pieces, and gathers small ones: what is written in one turn. */
function* inPieces(chunks: readonly (string | Uint8Array)[]): Iterable<Piece[]> {
  let pieces: Piece[] = [];
  let room = PIECE_BYTES_MAX;
  for (const chunk of chunks) {
    const of = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    for (let at = 0; at < of.length; ) {
      const bytes = of.subarray(at, at + room);
      pieces.push({ bytes, of });
      at += bytes.length;
      room -= bytes.length;
      if (room > 0) continue;
      yield pieces;
      pieces = [];
      room = PIECE_BYTES_MAX;
    }
  }
  yield pieces;
}
