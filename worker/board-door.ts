/**
 * Where the boards of a worker reach their server: on the worker itself. A request is taken as it is, asked over the line,
 * and answered as the server says; while there is no line it waits, and after a while the board asks again. The secret of a
 * member is the worker's own: its server hears which member speaks.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { consoleBytes, consolePath } from '../dispatcher/console.ts';
import { OpenSets } from '../dispatcher/open-set.ts';
import { bodyOf, bytesOf } from '../wire/worker-frames.ts';
import { type Line, Refusal } from './line.ts';

/** More than a board's request may have: what is too large is refused here as there. */
const BODY_BYTES_MAX = 2 * 1024 * 1024;
/** A board gives up a silent connection after 40 s, and the server answers a held wait after 20 s. */
const HELD_MS_MAX = 30_000;
const KEEP_ALIVE_MS = 75_000;
const TOKEN = /^wb1\.([1-9][0-9]{0,15})\.([A-Za-z0-9._-]{1,63})\.([A-Za-z0-9_-]{43})$/;
const SHELL = 'text/plain; charset=utf-8';

export interface BoardDoorOptions {
  secret: Buffer;
  dataDir: string;
  line: Pick<Line, 'ask'>;
}

export class BoardDoor {
  readonly #is: BoardDoorOptions;
  readonly #server: Server;
  readonly #openSets = new OpenSets();
  readonly #stopping = new AbortController();

  constructor(is: BoardDoorOptions) {
    this.#is = is;
    this.#server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  /** @param port 0: any free one. Returns the URL. */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    return `http://${host}:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #speaker(request: IncomingMessage): { job: number; device: string } | undefined {
    const given = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const [, number, device, mac = ''] = TOKEN.exec(given) ?? [];
    if (device === undefined) return undefined;
    const job = Number(number);
    const isOurs = timingSafeEqual(
      Buffer.from(mac, 'base64url'),
      macOf(this.#is.secret, job, device),
    );
    return isOurs ? { job, device } : undefined;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const type = request.headers['content-type'];
    const isShell = /^application\/(x-muster-words|octet-stream)/.test(type ?? '');
    const say = (shell: string, status: number, code: string, detail: string) => {
      if (isShell) send(response, 200, SHELL, Buffer.from(`${shell} ${detail}\n`));
      else send(response, status, 'application/problem+json', problem(status, code, detail));
    };
    const member = this.#speaker(request);
    if (member === undefined)
      return say('denied', 401, 'token-refused', 'this token is none of this worker');
    const body = await bodyOfRequest(request);
    if (body === undefined) {
      response.setHeader('connection', 'close');
      return say(
        'refused',
        413,
        'too-large',
        `too large: a request has at most ${BODY_BYTES_MAX} bytes`,
      );
    }
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const held = AbortSignal.any([
      gone.signal,
      this.#stopping.signal,
      AbortSignal.timeout(HELD_MS_MAX),
    ]);
    try {
      const reply = await this.#ask(request, member, body, held);
      send(response, reply.status, reply.type, bytesOf(reply.body));
    } catch (error) {
      if (gone.signal.aborted) return;
      if (error instanceof Refusal && error.code !== 'gone')
        return say('denied', 409, error.code, error.message);
      say('retry', 503, 'stopping', 'the worker has no line to a server now');
    }
  }

  async #ask(
    request: IncomingMessage,
    { job, device }: { job: number; device: string },
    body: Buffer,
    held: AbortSignal,
  ) {
    const { 'content-type': type, 'muster-key': key, 'muster-from': from } = request.headers;
    const path = consolePath(this.#is.dataDir, job, device);
    const { method = 'GET', url = '/' } = request;
    // Only a result asks for it.
    const { open, opened } = url === '/board/v1/result' ? await this.#openSets.of(path) : {};
    return this.#is.line.ask(
      'board',
      {
        ...{ job, device, method, url },
        ...(type !== undefined && { type }),
        ...(typeof key === 'string' && { key }),
        ...(typeof from === 'string' && { from }),
        body: bodyOf(body),
        console: consoleBytes(path),
        set: { ...(open !== undefined && { open }), ...(opened !== undefined && { opened }) },
      },
      held,
    );
  }
}

/** What a member's board says with each request. */
export const boardToken = (secret: Buffer, job: number, device: string): string =>
  `wb1.${job}.${device}.${macOf(secret, job, device).toString('base64url')}`;

const macOf = (secret: Buffer, job: number, device: string): Buffer =>
  createHmac('sha256', secret).update(`board:${job}:${device}`).digest();

/** `undefined`: it is larger than any may be. */
async function bodyOfRequest(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, status: number, type: string, body: Buffer): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': type, 'content-length': body.length });
  response.end(body);
}

const problem = (status: number, code: string, detail: string): Buffer =>
  Buffer.from(JSON.stringify({ type: `urn:muster:${code}`, status, code, detail }));
