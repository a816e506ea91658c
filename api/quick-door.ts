/**
 * The quick way through the boards' door. A plain request of a board is taken from its socket and answered on it by
 * hand, in one write: most of what a message cost was Node's own way from the bytes to a request, and back. Whatever
 * else comes on a socket goes to Node's HTTP server, with the socket and all its bytes, and so does all that follows:
 * what is not written here about HTTP is answered there.
 */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { BoardAnswer, BoardTrouble } from '../wire/board-answers.ts';
import { troubleTeller } from './board-trouble.ts';
import { isVerb, runVerb, verbOf } from './board-verbs.ts';
import { answerText, readWordLines, stopping } from './board-words.ts';
import { KEEP_ALIVE_MS } from './http-server.ts';
import { DRAIN_MS_MAX, HELD_MS_MAX, type OpenRequest, openRequest } from './open-requests.ts';
import type { BoardParts } from './parts.ts';
import { type PlainRequest, readPlainRequest } from './plain-request.ts';
import { ApiProblem } from './problems.ts';
import { MemberTokens } from './tokens.ts';

/** Requests of one connection that were not answered yet; more are read when some are. */
const OPEN_MAX = 256;
/** Bytes that were read and not taken: above it no more are read. */
const REST_BYTES_PAUSE = 256 * 1024;
const NOTHING = Buffer.alloc(0);

/** Puts the quick way in front of an app that serves nothing but boards. It ends with the app. */
export function openQuickDoor(
  app: FastifyInstance,
  { heldMsMax = HELD_MS_MAX, ...parts }: BoardParts & { heldMsMax?: number },
): void {
  const { server } = app;
  const listeners = server.listeners('connection');
  server.removeAllListeners('connection');
  const door = new QuickDoor(parts, heldMsMax);
  server.on('connection', (socket: Socket) =>
    door.take(socket, () => {
      for (const listener of listeners) listener.call(server, socket);
    }),
  );
  app.addHook('preClose', () => door.stop());
}

class QuickDoor {
  readonly #parts: BoardParts;
  readonly #heldMsMax: number;
  readonly #tokens: MemberTokens;
  readonly #trouble = troubleTeller();
  readonly #connections = new Set<Connection>();
  /** Requests that are held. */
  readonly #held = new Set<OpenRequest>();
  #isStopping = false;

  constructor(parts: BoardParts, heldMsMax: number) {
    this.#parts = parts;
    this.#heldMsMax = heldMsMax;
    this.#tokens = new MemberTokens(parts.tokenKeys);
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** @param handOver gives the socket to Node's HTTP server */
  take(socket: Socket, handOver: () => void): void {
    if (this.#isStopping) {
      handOver();
      return;
    }
    const connection = new Connection(this, socket, handOver, () =>
      this.#connections.delete(connection),
    );
    this.#connections.add(connection);
  }

  /** `undefined`: nobody is there to hear it. Up to its first `await` it is in the order of the bytes. */
  async answer(
    { verb, token, key, from, body }: PlainRequest,
    onHold: (held: OpenRequest) => void,
  ): Promise<BoardAnswer | BoardTrouble | undefined> {
    const open: { held?: OpenRequest } = {};
    const hold = () => {
      open.held ??= this.#hold(onHold);
      return open.held.signal;
    };
    let end: BoardAnswer | BoardTrouble;
    try {
      const member = this.#tokens.read(token);
      if (member === undefined) throw new ApiProblem('token-refused', 'this token is none of ours');
      const words = readWordLines(body);
      if (words === undefined) return { status: 'refused', reason: 'the words are not UTF-8' };
      end = await runVerb(this.#parts, verbOf(verb), { member, words, key, from, hold });
    } catch (error) {
      end = this.#trouble(error, () =>
        this.#parts.log.error({ err: error, path: `/board/v1/${verb}` }, 'request failed'),
      );
    }
    const { held } = open;
    if (held === undefined) return end;
    held.close();
    this.#held.delete(held);
    if (held.ending() === 'gone') return undefined;
    return end.status === 'wait' && held.ending() === 'stopping' ? stopping : end;
  }

  #hold(onHold: (held: OpenRequest) => void): OpenRequest {
    const held = openRequest(this.#heldMsMax);
    this.#held.add(held);
    onHold(held);
    if (this.#isStopping) held.end('stopping');
    return held;
  }

  /** Ends what is held, and lets every answer that is under way go out, for a bounded time. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const held of this.#held) held.end('stopping');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, DRAIN_MS_MAX);
    });
    const connections = [...this.#connections];
    await Promise.race([late, Promise.all(connections.map((each) => each.drained()))]);
    clearTimeout(timer);
    for (const connection of connections) connection.destroy();
  }
}

/** One request of a connection; answers go out in the order of the requests. */
interface Asked {
  /** Its answer, once it has one. */
  text?: string;
  held?: OpenRequest;
}

class Connection {
  readonly #door: QuickDoor;
  readonly #socket: Socket;
  readonly #handOver: () => void;
  readonly #leave: () => void;
  readonly #asked: Asked[] = [];
  #rest: Buffer = NOTHING;
  #drained: (() => void) | undefined;
  #isFlushing = false;

  constructor(door: QuickDoor, socket: Socket, handOver: () => void, leave: () => void) {
    this.#door = door;
    this.#socket = socket;
    this.#handOver = handOver;
    this.#leave = leave;
    socket.setNoDelay(true);
    socket.setTimeout(KEEP_ALIVE_MS);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    socket.on('error', this.#onError);
    socket.on('timeout', this.#onTimeout);
    socket.on('drain', this.#onDrain);
  }

  /** Resolves when nothing is left to answer. */
  drained(): Promise<void> {
    if (this.#asked.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#take();
    if (this.#rest.length > REST_BYTES_PAUSE) this.#socket.pause();
  };
  /** Whoever ends the connection hears nothing more, and its waits have nobody on the line: as in Node's own. */
  readonly #onEnd = (): void => {
    this.#socket.end();
  };
  readonly #onClose = (): void => {
    this.#leave();
    for (const { held } of this.#asked) held?.end('gone');
    this.#asked.length = 0;
    this.#drained?.();
  };
  /** It is followed by `close`. */
  readonly #onError = (): void => {};
  readonly #onTimeout = (): void => {
    if (this.#asked.length === 0) this.#socket.destroy();
  };
  readonly #onDrain = (): void => {
    this.#socket.resume();
  };

  /** Takes what can be taken; what is not for this door waits until all before it was answered. */
  #take(): void {
    while (this.#rest.length > 0 && this.#asked.length < OPEN_MAX && !this.#door.isStopping) {
      const request = readPlainRequest(this.#rest);
      if (request === undefined || !isVerb(request.verb)) break;
      this.#rest = this.#rest.subarray(request.length);
      void this.#answer(request);
    }
    if (this.#rest.length > 0 && this.#asked.length === 0) this.#giveAway();
  }

  async #answer(request: PlainRequest): Promise<void> {
    const asked: Asked = {};
    this.#asked.push(asked);
    const end = await this.#door.answer(request, (held) => {
      asked.held = held;
      if (this.#socket.destroyed) held.end('gone');
    });
    if (end === undefined) return;
    asked.text = responseOf(answerText(end), end === stopping);
    if (this.#asked[0] !== asked) return;
    // Alone it goes out at once; of several, all that are answered in this turn go out in one write.
    if (this.#asked.length === 1) this.#flush();
    else if (!this.#isFlushing) {
      this.#isFlushing = true;
      process.nextTick(() => this.#flush());
    }
  }

  #flush(): void {
    this.#isFlushing = false;
    let out = '';
    while (this.#asked[0]?.text !== undefined) out += this.#asked.shift()?.text;
    if (out !== '' && !this.#socket.write(out)) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
    if (this.#asked.length === 0) this.#drained?.();
    if (this.#rest.length > 0) this.#take();
  }

  #giveAway(): void {
    const socket = this.#socket;
    const rest = this.#rest;
    this.#rest = NOTHING;
    this.#leave();
    socket.setTimeout(0);
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClose);
    socket.off('error', this.#onError);
    socket.off('timeout', this.#onTimeout);
    socket.off('drain', this.#onDrain);
    this.#handOver();
    socket.unshift(rest);
    socket.resume();
  }
}

let date = '';
let dateSecond = 0;

/** As Node writes it. An answer that is the last one says so. */
function responseOf(text: string, isLast: boolean): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== dateSecond) {
    dateSecond = now;
    date = new Date(now * 1000).toUTCString();
  }
  const connection = isLast ? 'close' : `keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_MS / 1000}`;
  return `HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\nDate: ${date}\r\nConnection: ${connection}\r\n\r\n${text}`;
}
