/**
 * The HTTP client of the command line: problem+json becomes errors, broken connections are tried again, and
 * followed events are taken up where they broke off (`Last-Event-ID`).
 *
 * Every request made here may be repeated: reads, a submission with its key, and orders that are idempotent.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { WebSocket } from 'ws';
import type { z } from 'zod';
import { connectionCode, connectionWords, strangeAnswer } from '../wire/connection-words.ts';
import { ProblemDocument, Received } from './answers.ts';
import { CliFailure, EXIT, Interrupted } from './exit.ts';
import { type HttpAnswer, request as httpRequest } from './http.ts';
import { openSocket } from './web-socket.ts';

export interface ClientLimits {
  /** For one answer. */
  requestMaxMs: number;
  /** How long a connection that broke is tried again before the server counts as gone. */
  reconnectMaxMs: number;
  pauseMinMs: number;
  pauseMaxMs: number;
  /** The server says something every 15 s; a followed stream that is silent for longer than this is dead. */
  silenceMaxMs: number;
}

const LIMITS: ClientLimits = {
  requestMaxMs: 60_000,
  reconnectMaxMs: 60_000,
  pauseMinMs: 200,
  pauseMaxMs: 2_000,
  silenceMaxMs: 45_000,
};

export interface ClientOptions {
  /** Such as `http://127.0.0.1:7077`. */
  url: string;
  token?: string | undefined;
  /** Who has to have signed the server's certificate, in PEM; absent: those that Node knows. */
  ca?: string | undefined;
  /** Aborts whatever is under way; it then throws Interrupted. */
  signal: AbortSignal;
  /** Told once for every connection that breaks and is tried again. */
  onBreak?: (text: string) => void;
  limits?: Partial<ClientLimits>;
}

interface Request {
  method?: 'GET' | 'POST' | 'PUT';
  body?: string | Uint8Array | undefined;
  headers?: Record<string, string>;
  /** For the answer, where it takes longer than others. */
  maxMs?: number | undefined;
  /** The server was there a moment ago: wait for it to come back even if it refuses the first connection. */
  isPatient?: boolean;
}

/** The server understood and said no. `code` is the server's. */
export class ServerProblem extends Error {
  override readonly name = 'ServerProblem';
  readonly code: string;
  readonly status: number;
  readonly problems: ProblemDocument['problems'];
  constructor(status: number, document: ProblemDocument) {
    super(document.detail ?? document.title ?? `the server answered ${status}`);
    this.status = status;
    this.code = document.code;
    this.problems = document.problems;
  }
}

export class Client {
  readonly url: string;
  readonly #options: ClientOptions;
  readonly #limits: ClientLimits;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.url = baseUrl(options.url);
  }

  /**
   * Asks for one JSON document and checks that it is what this version understands. What comes back is the
   * document as it came: fields that this version does not know are still there, for `--json`.
   *
   * @throws ServerProblem, Interrupted, or CliFailure `no-server` (exit 3) or `strange-answer`
   */
  async json<T extends z.ZodType>(
    path: string,
    shape: T,
    request: Request = {},
  ): Promise<z.infer<T>> {
    const answer = parseJson(await this.text(path, request));
    if (!shape.safeParse(answer).success) throw this.#strange(path);
    return answer as z.infer<T>;
  }

  /** Asks for a document as it is. @throws as `json` does */
  text(path: string, request: Request = {}): Promise<string> {
    return this.#persist(request, async () => {
      const timeout = AbortSignal.timeout(request.maxMs ?? this.#limits.requestMaxMs);
      const response = await this.#fetch(path, request, timeout);
      return response.text();
    });
  }

  /** Orders something; `body` is sent as JSON. Only for orders that may be repeated. `maxMs`: for its answer. */
  post<T extends z.ZodType>(
    path: string,
    shape: T,
    body?: unknown,
    maxMs?: number,
  ): Promise<z.infer<T>> {
    return this.#order('POST', path, shape, { body, maxMs });
  }

  /** Opens a WebSocket; it is paused. @throws as `json` does */
  socket(path: string): Promise<WebSocket> {
    return this.#persist({}, () =>
      openSocket(`${this.url}${path}`, {
        ...{ headers: this.#headers(), signal: this.#options.signal, ca: this.#options.ca },
        refused: (status, body, location) => this.#refusal(path, { status, body, location }),
      }),
    );
  }

  /** Sets something to what `body` says, as JSON. */
  put<T extends z.ZodType>(path: string, shape: T, body: unknown): Promise<z.infer<T>> {
    return this.#order('PUT', path, shape, { body });
  }

  #order<T extends z.ZodType>(
    method: 'POST' | 'PUT',
    path: string,
    shape: T,
    { body, maxMs }: { body: unknown; maxMs?: number | undefined },
  ): Promise<z.infer<T>> {
    if (body === undefined) return this.json(path, shape, { method, maxMs });
    const headers = { 'content-type': 'application/json' };
    return this.json(path, shape, { method, body: JSON.stringify(body), headers, maxMs });
  }

  /**
   * The events of a path that answers with Server-Sent Events, history and live, each once.
   * Ends when the server says that there will be no more.
   *
   * @param after version or position after which to begin
   */
  async *follow(path: string, after = 0, isPatient = false): AsyncGenerator<Received> {
    let last = after;
    let patience: Patience | undefined;
    const alive = (): void => {
      patience = undefined;
    };
    for (;;) {
      try {
        const wasThere = isPatient || patience !== undefined;
        for await (const message of this.#eventStream(path, last, wasThere, alive)) {
          if (message.event === 'end') return;
          const event = Received.safeParse(parseJson(message.data));
          if (!event.success) throw this.#strange(path);
          last = Number(message.id ?? last);
          yield event.data;
        }
        throw new TypeError('the stream ended early');
      } catch (error) {
        patience ??= this.#patience();
        await this.#pauseAfter(error, patience);
      }
    }
  }

  /**
   * A file of bytes; taken up again where a connection broke.
   *
   * @param isFollowed the file still grows: goes on until the server says that it does not any more
   */
  async *bytes(path: string, isFollowed: boolean): AsyncGenerator<Uint8Array> {
    let at = 0;
    let patience: Patience | undefined;
    for (;;) {
      try {
        const from = isFollowed ? `${path}?follow=true&from=${at}` : path;
        const headers: Record<string, string> =
          at > 0 && !isFollowed ? { range: `bytes=${at}-` } : {};
        const request: Request = { headers, isPatient: patience !== undefined };
        const response = await this.#persist(request, () => this.#fetch(from, request));
        for await (const chunk of response.body) {
          patience = undefined;
          at += chunk.length;
          yield chunk;
        }
        return;
      } catch (error) {
        // The connection broke exactly at the end of the file.
        if (error instanceof ServerProblem && error.code === 'range-not-satisfiable') return;
        patience ??= this.#patience();
        await this.#pauseAfter(error, patience);
      }
    }
  }

  /** Bytes that are made when they are asked for: a connection that breaks cannot be taken up again. @throws as `json` does */
  async *made(path: string): AsyncGenerator<Uint8Array> {
    const response = await this.#persist({}, () => this.#fetch(path, {}));
    try {
      for await (const chunk of response.body) yield chunk;
    } catch (error) {
      this.#rethrowFinal(error);
      throw this.#noServer(error);
    }
  }

  /** One connection's worth of messages; throws when it breaks or falls silent. */
  async *#eventStream(
    path: string,
    last: number,
    isPatient: boolean,
    onBytes: () => void,
  ): AsyncGenerator<EventSourceMessage> {
    const watchdog = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const stirred = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => watchdog.abort(), this.#limits.silenceMaxMs);
    };
    const headers: Record<string, string> = { accept: 'text/event-stream' };
    if (last > 0) headers['last-event-id'] = String(last);
    const request = { headers, isPatient };
    try {
      stirred();
      const response = await this.#persist(request, () =>
        this.#fetch(path, request, watchdog.signal),
      );
      if (!response.header('content-type')?.startsWith('text/event-stream'))
        throw this.#strange(path);
      const messages: EventSourceMessage[] = [];
      const parser = createParser({ onEvent: (message) => messages.push(message) });
      const decoder = new TextDecoder();
      for await (const chunk of response.body) {
        stirred();
        onBytes();
        parser.feed(decoder.decode(chunk, { stream: true }));
        yield* messages.splice(0);
      }
    } finally {
      clearTimeout(timer);
      watchdog.abort();
    }
  }

  /** One attempt. An answer that is not a success is thrown as a ServerProblem. */
  async #fetch(path: string, request: Request, limit?: AbortSignal): Promise<HttpAnswer> {
    const { signal, ca } = this.#options;
    const response = await httpRequest(`${this.url}${path}`, {
      method: request.method ?? 'GET',
      headers: { ...request.headers, ...this.#headers() },
      signal: limit === undefined ? signal : AbortSignal.any([signal, limit]),
      body: request.body,
      ca,
    });
    const { status } = response;
    if (status >= 200 && status < 300) return response;
    const body = await response.text();
    throw this.#refusal(path, { status, body, location: response.header('location') });
  }

  #headers(): Record<string, string> {
    const { token } = this.#options;
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** What an answer says that is no success. */
  #refusal(
    path: string,
    { status, body, location }: { status: number; body: string; location: string | undefined },
  ): Error {
    const document = ProblemDocument.safeParse(parseJson(body));
    if (document.success) return new ServerProblem(status, document.data);
    const why = strangeAnswer(status, location);
    if (status < 500) return this.#strange(path, why);
    const detail = `${this.url}: ${why}`;
    return new ServerProblem(status, { code: 'internal', detail, problems: [] });
  }

  /** Repeats an attempt whose connection broke. A server that refuses the very first connection is not there. */
  async #persist<T>(request: Request, attempt: () => Promise<T>): Promise<T> {
    let patience = request.isPatient ? this.#patience(this.#limits.pauseMinMs) : undefined;
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (patience === undefined) {
          this.#rethrowFinal(error);
          if (error instanceof ServerProblem) throw error;
          if (wasRefused(error)) throw this.#noServer(error);
        }
        patience ??= this.#patience();
        await this.#pauseAfter(error, patience);
      }
    }
  }

  /** `pause` other than 0: somebody was told already. */
  #patience(pause = 0): Patience {
    return { until: performance.now() + this.#limits.reconnectMaxMs, pause };
  }

  /** Waits a little before the next attempt, or throws when there must be none. */
  async #pauseAfter(error: unknown, patience: Patience): Promise<void> {
    this.#rethrowFinal(error);
    if (performance.now() >= patience.until) {
      if (error instanceof ServerProblem) throw error;
      throw this.#noServer(error);
    }
    if (patience.pause === 0)
      this.#options.onBreak?.(`the connection to ${this.url} broke; trying again`);
    const { pauseMinMs, pauseMaxMs } = this.#limits;
    patience.pause = Math.min(pauseMaxMs, Math.max(pauseMinMs, patience.pause * 2));
    await sleep(patience.pause, undefined, { signal: this.#options.signal }).catch(() => {
      throw new Interrupted();
    });
  }

  /** What no further attempt can mend. A server that is starting or cannot write now (5xx) may recover. */
  #rethrowFinal(error: unknown): void {
    if (this.#options.signal.aborted) throw new Interrupted();
    if (error instanceof CliFailure) throw error;
    if (error instanceof ServerProblem && error.status < 500) throw error;
  }

  #noServer(error: unknown): CliFailure {
    return new CliFailure({
      code: 'no-server',
      exit: EXIT.noServer,
      message: `no server answers at ${this.url} (${connectionWords(error)})
  start one:        muster serve --lab lab.yaml
  or say where:     --url URL, or the variable MUSTER_URL`,
    });
  }

  #strange(path: string, why = 'is it a Muster server of another version?'): CliFailure {
    return new CliFailure({
      code: 'strange-answer',
      exit: EXIT.failed,
      message: `${this.url}${path} does not answer as this version of muster expects: ${why}`,
    });
  }
}

interface Patience {
  /** On the monotonic clock, in milliseconds. */
  until: number;
  /** The last pause, in milliseconds; 0: none yet. */
  pause: number;
}

/** The address without its trailing slashes. @throws CliFailure `bad-url` (exit 2) */
function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.search || url.hash)
    throw new CliFailure({
      code: 'bad-url',
      exit: EXIT.usage,
      message: `"${text}" is not the address of a server; expected one such as http://127.0.0.1:7077`,
    });
  return text.replace(/\/+$/, '');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** No connection was made, so nothing can have happened at the other end. */
function wasRefused(error: unknown): boolean {
  const code = connectionCode(error);
  return code === undefined || !BROKEN_LATER.has(code);
}
const BROKEN_LATER = new Set(['ECONNRESET', 'EPIPE', 'TimeoutError']);
