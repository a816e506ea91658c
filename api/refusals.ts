/**
 * What is refused before there is a request that a route could answer: what is no HTTP, too long a head, too slow a
 * client. It is told in the one error format, after the answers that are owed on the connection.
 */
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { HELD_MS_MAX } from './open-requests.ts';
import { ApiProblem, problemBody, statusOf } from './problems.ts';

/** An answer that is owed may be a wait that is held. */
const OWED_MS_MAX = HELD_MS_MAX + 10_000;

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  /** The answer that goes out before this one, where there is one. */
  before: ServerResponse | undefined;
}

/** Knows the last exchange of each connection: answers go out in order, so that all of them are out when it is. */
export class Refusals {
  readonly #last = new WeakMap<Duplex, Exchange>();
  readonly #refused = new WeakSet<Duplex>();

  /** Listens to what Node would answer by itself. */
  attach(server: Server): void {
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      const before = this.#last.get(request.socket)?.response;
      this.#last.set(request.socket, {
        request,
        response,
        before: before?.writableFinished === false ? before : undefined,
      });
    });
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      const what = (request.headers.expect ?? '').slice(0, 60);
      const problem = new ApiProblem('expectation', `Expect: ${what} cannot be met`);
      const body = JSON.stringify(problemBody(problem));
      response.writeHead(statusOf(problem.code), headersOf(problem, body)).end(body);
    });
    server.on('connect', (_request, socket) => {
      const detail = 'CONNECT is not for this server';
      refuse(socket, new ApiProblem('method', detail, { headers: { allow: 'GET, POST, PUT' } }));
    });
  }

  /** For `clientErrorHandler`: the connection ends with this, once what is owed on it has gone out. */
  clientError(error: Error & { code?: string }, socket: Duplex): void {
    if (this.#refused.has(socket)) return;
    this.#refused.add(socket);
    // Whoever broke off a TLS handshake cannot be told anything.
    if (
      error.code === 'ECONNRESET' ||
      /^ERR_(SSL|TLS)_/.test(error.code ?? '') ||
      socket.destroyed
    ) {
      socket.destroy();
      return;
    }
    const problem = problemFor(error);
    const last = this.#last.get(socket);
    // A request that broke off in the middle gets the refusal for its answer.
    const owed = last?.request.complete === false ? last.before : last?.response;
    if (owed === undefined || owed.writableFinished || owed.closed) {
      refuse(socket, problem);
      return;
    }
    const go = () => {
      clearTimeout(timer);
      owed.off('finish', go).off('close', go);
      refuse(socket, problem);
    };
    const timer = setTimeout(go, OWED_MS_MAX);
    owed.once('finish', go).once('close', go);
  }
}

/** Writes a problem on a connection that is no longer the HTTP server's, and ends it. */
export function refuse(socket: Duplex, problem: ApiProblem): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(problemBody(problem));
  const status = statusOf(problem.code);
  const head = Object.entries({ connection: 'close', ...headersOf(problem, body) })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${body}`, () =>
    socket.destroy(),
  );
}

const headersOf = (problem: ApiProblem, body: string) => ({
  ...problem.headers,
  'content-type': 'application/problem+json; charset=utf-8',
  'content-length': Buffer.byteLength(body),
});

function problemFor({ code, message }: Error & { code?: string }): ApiProblem {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ApiProblem('too-slow', 'the request did not come whole in time');
    case 'HPE_HEADER_OVERFLOW':
      return new ApiProblem('head-too-large', 'the address and the headers are too long');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new ApiProblem('too-large', 'the extensions of a chunk are too long');
    default:
      return new ApiProblem('invalid-request', `this is no HTTP request: ${message}`);
  }
}
