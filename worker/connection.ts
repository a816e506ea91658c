/** One connection of a worker's line: the hello, the frames that come, and whether there is anybody at its other end. */
import { type ClientOptions, WebSocket } from 'ws';
import { messageOf } from '../dispatcher/failure.ts';
import { connectionWords } from '../wire/connection-words.ts';
import {
  FRAMES,
  FromServer,
  NotAFrame,
  PING_MS,
  readFrame,
  SERVER_FRAME_BYTES_MAX,
  SILENCE_MS_MAX,
} from '../wire/worker-frames.ts';
import { strangeServer } from './strange-server.ts';

const CONNECT_MS_MAX = 10_000;

export interface ConnectionOptions {
  token: string;
  instance: string;
  version: string;
  /** The certificate that signs the servers', in PEM. */
  ca?: string;
  pingMs?: number;
}

/** `isFinal`: asked again, the answer is the same, until a person has done something. */
export interface LineEnd {
  isFinal: boolean;
  why: string;
}

export class Connection {
  readonly #socket: WebSocket;
  readonly #is: ConnectionOptions;
  readonly #take: (message: FromServer) => void;
  readonly #end: LineEnd = { isFinal: false, why: '' };
  #heardAt = performance.now();
  /** What answers pings and never speaks is no server of ours. */
  #hasSpoken = false;
  /** Resolves when it is over, with why. */
  readonly ended: Promise<LineEnd>;

  constructor(server: string, is: ConnectionOptions, take: (message: FromServer) => void) {
    this.#is = is;
    this.#take = take;
    const options: ClientOptions = {
      maxPayload: SERVER_FRAME_BYTES_MAX,
      handshakeTimeout: CONNECT_MS_MAX,
      perMessageDeflate: false,
      ...(is.ca !== undefined && { ca: is.ca }),
    };
    this.#socket = new WebSocket(connectUrl(server), options);
    this.ended = this.#live();
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** What was given to it and not sent. */
  get unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** Nothing, when it is not open. @param sent called when it was given to the network */
  send(text: string, sent: () => void): void {
    if (this.isOpen) this.#socket.send(text, sent);
  }

  /** Ends it, because of this, where nothing else has ended it. */
  end(why: string, isFinal: boolean): void {
    if (this.#end.why === '') Object.assign(this.#end, { why, isFinal });
    this.#socket.close();
  }

  close(): void {
    this.#socket.close(1000, 'stopping');
  }

  cut(): void {
    this.#socket.terminate();
  }

  async #live(): Promise<LineEnd> {
    const socket = this.#socket;
    const timer = setInterval(() => this.#checkAlive(), this.#pingMs);
    const alive = () => {
      if (this.#hasSpoken) this.#heard();
    };
    socket.on('ping', alive).on('pong', alive);
    socket.on('error', (error) => {
      this.#end.why ||= connectionWords(error);
    });
    socket.on('unexpected-response', async (_request, response) => {
      this.#end.why ||= await strangeServer(response);
      socket.terminate();
    });
    socket.on('open', () => {
      this.#heard();
      const { token, instance, version } = this.#is;
      socket.send(JSON.stringify([{ hello: { frames: FRAMES, token, instance, version } }]));
    });
    socket.on('message', (frame: Buffer, isBinary) => this.#read(frame, isBinary));
    const code = await new Promise<number>((resolve) => socket.once('close', resolve));
    clearInterval(timer);
    this.#end.why ||= code === 1006 ? 'it was cut' : `it was closed (${code})`;
    return this.#end;
  }

  get #pingMs(): number {
    return this.#is.pingMs ?? PING_MS;
  }

  #heard(): void {
    this.#heardAt = performance.now();
  }

  #checkAlive(): void {
    const socket = this.#socket;
    if (performance.now() - this.#heardAt > this.#pingMs * (SILENCE_MS_MAX / PING_MS)) {
      this.#end.why ||= 'nothing was heard of it';
      socket.terminate();
    } else if (this.isOpen) socket.ping();
  }

  #read(frame: Buffer, isBinary: boolean): void {
    this.#hasSpoken = true;
    this.#heard();
    try {
      if (isBinary) throw new NotAFrame('it is binary');
      for (const message of readFrame(frame.toString('utf8'), FromServer)) this.#take(message);
    } catch (error) {
      this.#end.why ||= `it sent what cannot be read: ${messageOf(error)}`;
      this.#socket.terminate();
    }
  }
}

function connectUrl(server: string): string {
  const url = new URL(server);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/worker/v1/connect`;
  return url.href;
}
