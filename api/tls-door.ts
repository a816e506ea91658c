/**
 * The people's door with TLS. A certificate may be changed while it is open: connections that are there go on under the
 * old one. Whoever speaks HTTP to it is answered in HTTP: a browser is sent to the right address, anybody else is told it,
 * for what they sent went over the line in the clear.
 */
import type { Server as HttpServer, RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import { ApiProblem, problemBody, statusOf } from './problems.ts';

/** In PEM; they belong together. */
export interface Certificate {
  /** With those that sign it, in order. */
  cert: string;
  key: string;
}

/** Until the first bytes of a connection are here. */
const SILENT_MS_MAX = 30_000;
const HANDSHAKE_MS_MAX = 30_000;
/** For the last words on a connection, and what still comes of the request. */
const ANSWER_MS_MAX = 2_000;

export class TlsDoor {
  #certificate: Certificate;
  /** One for each address that is listened at. */
  readonly #servers = new Set<Server>();
  /** Connections that have said nothing yet. */
  readonly #silent = new Set<Socket>();

  constructor(certificate: Certificate) {
    this.#certificate = certificate;
  }

  /** For new connections, from now on. */
  change(certificate: Certificate): void {
    for (const server of this.#servers) server.setSecureContext(certificate);
    this.#certificate = certificate;
  }

  /** A server for Fastify; it is Node's own. */
  server(handler: RequestListener): HttpServer {
    const server = createServer(
      { ...this.#certificate, handshakeTimeout: HANDSHAKE_MS_MAX },
      handler,
    );
    const listeners = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) =>
      this.#take(socket, () => {
        for (const listener of listeners) listener.call(server, socket);
      }),
    );
    this.#servers.add(server);
    server.once('close', () => this.#servers.delete(server));
    return server as unknown as HttpServer;
  }

  /** Ends the connections that nobody has taken. */
  close(): void {
    for (const socket of this.#silent) socket.destroy();
  }

  #take(socket: Socket, handOver: () => void): void {
    this.#silent.add(socket);
    const leave = () => {
      this.#silent.delete(socket);
      socket.setTimeout(0).off('timeout', end).off('error', end).off('close', leave);
    };
    const end = () => socket.destroy();
    socket.setTimeout(SILENT_MS_MAX).on('timeout', end).on('error', end).on('close', leave);
    socket.once('data', (bytes: Buffer) => {
      socket.pause();
      leave();
      if (!isHttp(bytes)) {
        handOver();
        socket.unshift(bytes);
      } else answerInTheClear(socket, bytes.toString('latin1'));
    });
  }
}

/** A TLS connection begins with a record of 22, a request of HTTP with the letters of its method. */
const isHttp = (bytes: Buffer): boolean => /^[A-Za-z]/.test(bytes.toString('latin1', 0, 1));

const REQUEST = /^(GET|HEAD) (\/\S*) HTTP\/1\.[01]\r\n/;
const HOST = /\r\nhost:[ \t]*([A-Za-z0-9._:[\]-]{1,255})[ \t]*\r\n/i;
/** What a person's browser says, and a program that is to be told does not. */
const WANTS_A_PAGE = /\r\naccept:[^\r\n]*text\/html/i;

function answerInTheClear(socket: Socket, head: string): void {
  const host = HOST.exec(head)?.[1];
  const path = REQUEST.exec(head)?.[2];
  const isSentOn = host !== undefined && path !== undefined && WANTS_A_PAGE.test(head);
  const where = host === undefined ? 'https://' : `https://${host}`;
  const problem = new ApiProblem('https-only', `this server speaks https: its address is ${where}`);
  const body = JSON.stringify(problemBody(problem));
  const status = isSentOn ? '307 Temporary Redirect' : `${statusOf(problem.code)} Bad Request`;
  const lines = [
    `HTTP/1.1 ${status}`,
    ...(isSentOn ? [`location: ${where}${path}`] : []),
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.on('error', () => socket.destroy());
  socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${head.startsWith('HEAD ') ? '' : body}`);
  // What it still sends is let by: a connection that is reset takes the answer with it.
  socket.resume();
}
