/**
 * A raw connection whose answers come in the order of its requests: the same thin client for every peer with such
 * a protocol, so that the load generator's own work is small and alike.
 */
import { connect, type Socket } from 'node:net';

/** Reads one answer at the start of `bytes`; `undefined`: it is not whole yet. */
export type ReadAnswer<T> = (bytes: Buffer) => { answer: T; length: number } | undefined;

export class Pipe<T> {
  readonly #socket: Socket;
  readonly #read: ReadAnswer<T>;
  readonly #waiting: ((answer: T) => void)[] = [];
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, read: ReadAnswer<T>) {
    this.#socket = socket;
    this.#read = read;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#take(bytes));
    socket.on('error', () => {});
  }

  static open<T>(port: number, read: ReadAnswer<T>): Promise<Pipe<T>> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(new Pipe(socket, read)));
      socket.once('error', reject);
    });
  }

  ask(request: string): Promise<T> {
    this.#socket.write(request);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    let rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    for (let read = this.#read(rest); read !== undefined; read = this.#read(rest)) {
      rest = rest.subarray(read.length);
      this.#waiting.shift()?.(read.answer);
    }
    this.#rest = rest;
  }
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const CONTENT_LENGTH = Buffer.from('content-length: ');

/** An HTTP/1.1 answer with a content length; its body. */
export function readHttp(bytes: Buffer): { answer: string; length: number } | undefined {
  const end = bytes.indexOf(END_OF_HEAD);
  if (end < 0) return undefined;
  let length = 0;
  // As Muster writes it: other answers have no body here.
  const at = bytes.indexOf(CONTENT_LENGTH) + CONTENT_LENGTH.length;
  for (let digit = at; bytes[digit] !== 13; digit++)
    length = 10 * length + Number(bytes[digit]) - 48;
  length += end + END_OF_HEAD.length;
  return bytes.length < length
    ? undefined
    : { answer: bytes.toString('utf8', end + 4, length), length };
}

/** A Redis answer as it stands, without reading its parts: `:1`, `+OK`, `$5..`, or a list of such. */
export function readRedis(bytes: Buffer): { answer: string; length: number } | undefined {
  const length = redisLength(bytes, 0);
  return length === undefined ? undefined : { answer: bytes.toString('utf8', 0, length), length };
}

function redisLength(bytes: Buffer, from: number): number | undefined {
  const end = bytes.indexOf('\r\n', from);
  if (end < 0) return undefined;
  const kind = String.fromCharCode(bytes[from] ?? 0);
  const count = Number(bytes.toString('latin1', from + 1, end));
  let at = end + 2;
  if (kind === '$' && count >= 0) at += count + 2;
  if (kind === '*')
    for (let i = 0; i < count; i++) {
      const next = redisLength(bytes, at);
      if (next === undefined) return undefined;
      at = next;
    }
  return at <= bytes.length ? at : undefined;
}
