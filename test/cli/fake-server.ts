/** A server with scripted answers, and the two ways to run the command line against it. */
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import picocolors from 'picocolors';
import { onTestFinished } from 'vitest';
import { OutputClosed } from '../../cli/exit.ts';
import type { Io } from '../../cli/io.ts';
import { run } from '../../cli/program.ts';

/** All commands that talk to a server. */
export const COMMANDS = [
  'submit',
  'jobs',
  'job',
  'queue',
  'why',
  'priority',
  'devices',
  'device',
  'console',
  'barriers',
  'results',
  'logs',
  'events',
  'watch',
  'cancel',
];

interface Asked {
  method: string;
  /** With the query. */
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** An object is sent as JSON with status 200; a function does as it likes. */
export type Script = Record<string, object | ((asked: Asked, reply: ServerResponse) => void)>;

export interface FakeServer {
  url: string;
  port: number;
  asked: Asked[];
  script: Script;
  stop(): Promise<void>;
}

/** `script`: by `METHOD /path` without the query. What is not there is a 404 of Muster's kind. */
export async function fakeServer(script: Script, port = 0): Promise<FakeServer> {
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  const is = { script };
  const server = createServer(async (request, reply) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url: path = '', headers } = request;
    const one = { method, path, headers, body: Buffer.concat(chunks).toString() };
    asked.push(one);
    const answer = is.script[`${method} ${path.split('?', 1)[0]}`];
    if (answer === undefined) problem(reply, 404, 'not-found', 'there is nothing here');
    else if (typeof answer === 'function') answer(one, reply);
    else json(reply, answer);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(stop);
  const at = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${at}`,
    port: at,
    asked,
    get script() {
      return is.script;
    },
    set script(next) {
      is.script = next;
    },
    stop,
  };
}

export function json(reply: ServerResponse, answer: unknown, status = 200): void {
  reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}

export function problem(
  reply: ServerResponse,
  status: number,
  code: string,
  detail: string,
  extras: object = {},
): void {
  reply
    .writeHead(status, { 'content-type': 'application/problem+json' })
    .end(
      JSON.stringify({ type: `urn:muster:${code}`, title: code, status, detail, code, ...extras }),
    );
}

export interface StreamedEvent {
  type: string;
  version: number;
  position: number;
}

/** Begins an event stream and sends the events. `ids`: versions or positions. */
export function sse(
  reply: ServerResponse,
  events: readonly StreamedEvent[],
  ids: 'version' | 'position' = 'version',
): void {
  if (!reply.headersSent) reply.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of events)
    reply.write(`id: ${event[ids]}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

export const sseEnd = (reply: ServerResponse): void => {
  reply.end('event: end\ndata: {"job":12,"state":"complete"}\n\n');
};

export interface Ended {
  exit: number | null;
  out: string;
  err: string;
}

export interface HereOptions {
  env?: Record<string, string>;
  stdin?: string;
  /** What is pressed; absent: it is no terminal. */
  keys?: AsyncIterable<string>;
  columns?: number;
  interrupt?: AbortController;
  /** Called with all of stdout and stderr so far whenever more is written. */
  onText?: (out: string, err: string) => void;
  onChunk?: (chunk: string | Uint8Array) => void;
  /** How often stdout may be written to before its reader is gone. */
  writesMax?: number;
}

/** Runs the command line in this process: no colours, 80 columns. */
export async function here(args: readonly string[], options: HereOptions = {}): Promise<Ended> {
  const interrupt = options.interrupt ?? new AbortController();
  const outs: Uint8Array[] = [];
  let err = '';
  let writes = 0;
  const out = () => Buffer.concat(outs).toString();
  const colors = picocolors.createColors(false);
  const io: Io = {
    env: options.env ?? {},
    colors,
    errColors: colors,
    columns: options.columns ?? 80,
    out: async (chunk) => {
      writes += 1;
      if (writes > (options.writesMax ?? Number.POSITIVE_INFINITY)) throw new OutputClosed();
      outs.push(Buffer.from(chunk));
      options.onChunk?.(chunk);
      options.onText?.(out(), err);
    },
    err: (text) => {
      err += text;
      options.onText?.(out(), err);
    },
    stdin: async () => Buffer.from(options.stdin ?? ''),
    keys: () => options.keys,
    typed: () => ({ isTerminal: false, bytes: bytesOf(options.stdin ?? ''), close: () => {} }),
    told: () => interrupt.signal,
    interrupt: () => interrupt.signal,
  };
  const exit = await run(args, io);
  return { exit, out: out(), err };
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface ChildOptions {
  env?: Record<string, string>;
  stdin?: string;
  /** Called with stdout and stderr so far, to act on what was printed. */
  onText?: (out: string, err: string, child: { interrupt(): void; closeOut(): void }) => void;
}

/** Runs the command line as a user does: a process of its own, its streams pipes. */
export function child(args: readonly string[], options: ChildOptions = {}): Promise<Ended> {
  const { NO_COLOR: _, FORCE_COLOR: __, MUSTER_URL: ___, ...inherited } = process.env;
  const started = spawn(process.execPath, [MAIN, ...args], {
    env: { ...inherited, ...options.env },
    stdio: 'pipe',
  });
  onTestFinished(() => void started.kill('SIGKILL'));
  let out = '';
  let err = '';
  const acts = {
    interrupt: () => void started.kill('SIGINT'),
    closeOut: () => void started.stdout.destroy(),
  };
  started.stdout.on('data', (chunk) => {
    out += chunk;
    options.onText?.(out, err, acts);
  });
  started.stderr.on('data', (chunk) => {
    err += chunk;
    options.onText?.(out, err, acts);
  });
  started.stdin.on('error', () => {});
  started.stdin.end(options.stdin ?? '');
  return new Promise((resolve) => started.on('close', (exit) => resolve({ exit, out, err })));
}

/** A port on which nobody listens. */
export async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

export const widest = (text: string): number =>
  Math.max(...text.split('\n').map((line) => Array.from(line).length));
