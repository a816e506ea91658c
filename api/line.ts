/**
 * One worker's line: its boards' messages over one WebSocket, many at a time, each answered when it is done. What
 * is answered in one turn goes out in one frame. What each message does is `board-verbs.ts`, as over HTTP.
 */
import type { FastifyBaseLogger } from 'fastify';
import type { WebSocket } from 'ws';
import type { BoardAnswer, BoardTrouble } from '../wire/board-answers.ts';
import { troubleTeller } from './board-trouble.ts';
import { runVerb, verbOf } from './board-verbs.ts';
import { stopping } from './board-words.ts';
import { type LineAnswer, type LineMessage, type LineRequest, readFrame } from './line-frames.ts';
import { DRAIN_MS_MAX, type Ending, type OpenRequest, openRequest } from './open-requests.ts';
import type { BoardParts } from './parts.ts';
import { ApiProblem } from './problems.ts';
import type { MemberTokens } from './tokens.ts';

/** Open requests of one line: every board of a large lab waits, and some. */
const OPEN_MAX = 16_384;
/** Answers that a slow worker has not taken: above it nothing more of it is read until it has. */
const UNSENT_BYTES_PAUSE = 1024 * 1024;
/** Above this it is cut off: its waits end by themselves, and their answers would pile up. */
const UNSENT_BYTES_MAX = 64 * 1024 * 1024;
/** A worker that says nothing for twice as long, not even to a ping, is gone. */
const PING_MS = 20_000;
/** The close codes of RFC 6455 that are used here. */
const GOING_AWAY = 1001;

export interface LineParts extends BoardParts {
  tokens: MemberTokens;
  heldMsMax: number;
  log: FastifyBaseLogger;
}

export class Line {
  readonly #socket: WebSocket;
  readonly #parts: LineParts;
  readonly #trouble = troubleTeller();
  readonly #open = new Map<number, OpenRequest | undefined>();
  readonly #ping: NodeJS.Timeout;
  #answers: LineAnswer[] = [];
  #isHeard = true;
  #isStopping = false;
  #drained: (() => void) | undefined;

  constructor(socket: WebSocket, parts: LineParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#ping = setInterval(() => this.#checkAlive(), PING_MS);
    socket.on('message', (frame: Buffer, isBinary) => {
      for (const message of readFrame(frame, isBinary)) this.#take(message);
    });
    socket.on('pong', () => {
      this.#isHeard = true;
    });
    // A frame that is too large or none at all: ws says why in its close code, and closes.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(this.#ping);
      this.#endAll('gone');
    });
  }

  /** Ends held waits, lets what is under way be answered for a bounded time, and closes. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#endAll('stopping');
    if (this.#open.size > 0) await this.#drain();
    this.#flush();
    await new Promise<void>((resolve) => {
      if (this.#socket.readyState === this.#socket.CLOSED) return resolve();
      const timer = setTimeout(() => this.#socket.terminate(), DRAIN_MS_MAX);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#socket.close(GOING_AWAY, 'the server is stopping');
    });
  }

  #drain(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, DRAIN_MS_MAX);
      this.#drained = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #endAll(why: Ending): void {
    for (const held of this.#open.values()) held?.end(why);
  }

  #checkAlive(): void {
    if (!this.#isHeard) this.#socket.terminate();
    this.#isHeard = false;
    this.#socket.ping();
  }

  #take(message: LineMessage): void {
    const { n } = message;
    if ('not' in message) this.#say(n, { status: 'refused', reason: message.not });
    else if ('gone' in message) this.#open.get(message.n)?.end('gone');
    else if (this.#open.has(message.n))
      this.#say(n, { status: 'refused', reason: `request ${n} is open already` });
    else if (this.#open.size >= OPEN_MAX)
      this.#say(n, { status: 'retry', reason: `${OPEN_MAX} requests are open on this line` });
    else void this.#answer(message);
  }

  /** Answers one request when it is done. Up to its first `await` it is in the order of the frame. */
  async #answer(request: LineRequest): Promise<void> {
    const { n, verb } = request;
    let held: OpenRequest | undefined;
    let end: BoardAnswer | BoardTrouble;
    try {
      this.#open.set(n, undefined);
      const known = verbOf(verb);
      const member = this.#parts.tokens.read(request.token);
      if (member === undefined) throw new ApiProblem('token-refused', 'this token is none of ours');
      const { words, key, from } = request;
      const hold = () => {
        held ??= this.#hold(n);
        return held.signal;
      };
      end = await runVerb(this.#parts, known, { member, words, key, from, hold });
    } catch (error) {
      end = this.#trouble(error, () =>
        this.#parts.log.error({ err: error, verb }, 'request of a line failed'),
      );
    }
    held?.close();
    this.#open.delete(n);
    const ending = held?.ending();
    if (end.status === 'wait' && ending === 'stopping') this.#say(n, stopping);
    else if (ending !== 'gone') this.#say(n, end);
    if (this.#open.size === 0) this.#drained?.();
  }

  #hold(n: number): OpenRequest {
    const held = openRequest(this.#parts.heldMsMax);
    this.#open.set(n, held);
    if (this.#isStopping) held.end('stopping');
    return held;
  }

  #say(n: number | null, answer: BoardAnswer | BoardTrouble): void {
    // After the microtasks of this turn: all that one commit answers goes out in one frame.
    if (this.#answers.length === 0) process.nextTick(() => this.#flush());
    this.#answers.push({ n, ...answer });
  }

  #flush(): void {
    const answers = this.#answers.splice(0);
    const socket = this.#socket;
    if (answers.length === 0 || socket.readyState !== socket.OPEN) return;
    socket.send(JSON.stringify(answers), () => {
      if (socket.isPaused && socket.bufferedAmount < UNSENT_BYTES_PAUSE) socket.resume();
    });
    if (socket.bufferedAmount > UNSENT_BYTES_MAX) socket.terminate();
    else if (socket.bufferedAmount > UNSENT_BYTES_PAUSE) socket.pause();
  }
}
