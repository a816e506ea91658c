// A board's server that does as it is told: it records every request of the shell dialect and answers
// from a plan, or drops, resets, fails or says nothing.
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Recorded {
  readonly verb: string;
  readonly words: readonly string[];
  readonly key: string;
  readonly token: string;
  readonly contentType: string;
  /** Who called, as the board says it. */
  readonly from: string;
  /** True once the client has closed its connection or has its whole answer. */
  closed: boolean;
  /** Answers a request that was held by `silent`. */
  answer(text: string): void;
}

/** The bytes of a file, sent as such. */
export interface Upload {
  readonly method: string;
  readonly name: string;
  readonly key: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/** `{ text }` is a whole reply; the others are ways to fail. */
export type Answer =
  | { readonly text: string }
  | 'drop before an answer'
  | 'reset in mid-answer'
  | 'status 500'
  | 'silent';

/** Decodes one line of a body: every %XX is a byte. */
export function decodeWord(line: Buffer): string {
  const bytes: number[] = [];
  for (let at = 0; at < line.length; at++) {
    const byte = line[at] as number;
    if (byte === 0x25) {
      bytes.push(Number.parseInt(line.toString('latin1', at + 1, at + 3), 16));
      at += 2;
    } else {
      bytes.push(byte);
    }
  }
  return Buffer.from(bytes).toString('utf8');
}

/** Splits a body into its words; the last line must have its end. */
export function decodeBody(body: Buffer): string[] {
  const words: string[] = [];
  let from = 0;
  for (let end = body.indexOf(10); end >= 0; end = body.indexOf(10, from)) {
    words.push(decodeWord(body.subarray(from, end)));
    from = end + 1;
  }
  if (from !== body.length) throw new Error('the last word has no line end');
  return words;
}

export class FakeServer {
  readonly requests: Recorded[] = [];
  readonly uploads: Upload[] = [];
  private readonly plans = new Map<string, Answer[]>();
  private readonly sockets = new Set<Socket>();
  private readonly server: http.Server;

  private constructor() {
    this.server = http.createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => this.take(request, response, Buffer.concat(chunks)));
    });
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  /** Listens on `host`, on a free port. */
  static async open(host = '127.0.0.1'): Promise<FakeServer> {
    const fake = new FakeServer();
    await new Promise<void>((done, failed) => {
      fake.server.once('error', failed);
      fake.server.listen(0, host, done);
    });
    return fake;
  }

  get url(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  /** The next answers to `verb`, in order; when they are used up, the last one again. Default: `ok`. */
  plan(verb: string, ...answers: (Answer | string)[]): void {
    this.plans.set(
      verb,
      answers.map((answer) =>
        answer === 'drop before an answer' ||
        answer === 'reset in mid-answer' ||
        answer === 'status 500' ||
        answer === 'silent' ||
        typeof answer !== 'string'
          ? answer
          : { text: answer },
      ),
    );
  }

  /** Forgets plans and requests, and closes what is still open. */
  reset(): void {
    this.plans.clear();
    this.requests.length = 0;
    this.uploads.length = 0;
    for (const socket of this.sockets) socket.destroy();
  }

  of(verb: string): Recorded[] {
    return this.requests.filter((request) => request.verb === verb);
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise((done) => this.server.close(done));
  }

  private next(verb: string): Answer {
    const plan = this.plans.get(verb) ?? [];
    return (plan.length > 1 ? plan.shift() : plan[0]) ?? { text: 'ok\n' };
  }

  private take(request: http.IncomingMessage, response: http.ServerResponse, body: Buffer): void {
    const [verb = '', query] = (request.url ?? '').replace('/board/v1/', '').split('?');
    if (verb === 'attachment') {
      this.uploads.push({
        method: request.method ?? '',
        name: new URLSearchParams(query).get('name') ?? '',
        key: String(request.headers['muster-key']),
        contentType: String(request.headers['content-type']),
        body,
      });
      const planned = this.next(verb);
      if (typeof planned === 'string') request.socket.destroy();
      else response.end(planned.text);
      return;
    }
    const recorded: Recorded = {
      verb,
      words: decodeBody(body),
      key: String(request.headers['muster-key']),
      token: String(request.headers.authorization),
      contentType: String(request.headers['content-type']),
      from: String(request.headers['muster-from'] ?? ''),
      closed: false,
      answer: (text) => {
        response.writeHead(200, { 'content-type': 'text/plain' });
        response.end(text);
      },
    };
    response.on('close', () => {
      recorded.closed = true;
    });
    this.requests.push(recorded);
    const answer = this.next(verb);
    if (answer === 'silent') return;
    if (answer === 'drop before an answer') {
      request.socket.destroy();
    } else if (answer === 'status 500') {
      response.writeHead(500, { 'content-type': 'text/plain' });
      response.end('ok\nthis is not an answer\n');
    } else if (answer === 'reset in mid-answer') {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '1000' });
      response.write('ok\nhalf=an answer\n', () => request.socket.destroy());
    } else {
      recorded.answer(answer.text);
    }
  }
}
