/**
 * A worker's line to a server (`wire/worker-frames.ts`), whichever of those that it was given answers. What was asked and
 * has no answer is asked again on the next line, in the same order; whoever asks only waits.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../dispatcher/drivers/driver.ts';
import { messageOf } from '../dispatcher/failure.ts';
import {
  type Answer,
  type Ask,
  answers,
  type BoardOrder,
  type ByeCode,
  type FromServer,
  type Not,
  type Question,
} from '../wire/worker-frames.ts';
import { Connection, type ConnectionOptions, type LineEnd } from './connection.ts';

const AGAIN_MS_MIN = 200;
const AGAIN_MS_MAX = 2_000;
/** What was given to the socket and not sent: above it nothing more is given. */
const UNSENT_BYTES_MAX = 1024 * 1024;
const STOPPING = 'the worker is stopping';
const FRAME_CHARACTERS = 256 * 1024;

export type Body<A extends Ask> = Omit<Extract<Question, { ask: A }>, 'n' | 'ask'>;

/** The servers do not take this worker: what they said, in words for a person. */
export class WorkerRefused extends Error {
  override readonly name = 'WorkerRefused';
  readonly code = 'worker-refused';
}

/** A question that a server refused; `code` as the engine has it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: string;
  constructor({ code, reason }: Not) {
    super(reason);
    this.code = code;
  }
}

export interface LineOptions extends ConnectionOptions {
  /** `http://` or `https://`, with their paths: any will do. */
  servers: readonly string[];
  /** What is asked first on each new line; what it throws ends that line. */
  register(): Promise<void>;
  /** There is a line, another one than before. */
  onLine(): void;
  /** What is owed may have changed: also after each break. */
  onChange(): void;
  /** The lab's file is to be read again, and what became of it said. */
  onReload(reload: string): void;
  /** A server wants something of a board for an operator. */
  onOrder(order: BoardOrder): void;
  log: Log;
}

interface Pending {
  text: string;
  answer: (ok: unknown) => void;
  refuse: (error: Error) => void;
}

export class Line {
  readonly #is: LineOptions;
  readonly #pending = new Map<number, Pending>();
  /** Numbers of pending questions that were not sent on this line. */
  #unsent: number[] = [];
  #next = 1;
  #connection: Connection | undefined;
  #isReady = false;
  #hasBeenReady = false;
  readonly #downs = new Set<() => void>();
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #lastSaid = '';
  #onRefused: (error: WorkerRefused) => void = () => {};
  /** Rejects when no server takes this worker, before one ever did. */
  readonly refused: Promise<never>;

  constructor(is: LineOptions) {
    this.#is = is;
    this.refused = new Promise((_, reject) => {
      this.#onRefused = reject;
    });
    this.refused.catch(() => undefined);
  }

  /** Whether there is a line on which the worker is registered. */
  get isUp(): boolean {
    return this.#isReady;
  }

  /** Resolves when there is no line, at once if there is none now. */
  async down(): Promise<void> {
    if (!this.#isReady) return;
    await new Promise<void>((resolve) => this.#downs.add(resolve));
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const { refuse } of this.#pending.values()) refuse(new Error(STOPPING));
    this.#pending.clear();
    this.#connection?.close();
    const timer = setTimeout(() => this.#connection?.cut(), 1_000);
    await this.#running;
    clearTimeout(timer);
  }

  /**
   * Asks, on this line or a later one.
   *
   * @param signal the answer is not waited for any more, and the server told so
   * @throws Refusal
   */
  ask<A extends Ask>(ask: A, body: Body<A>, signal?: AbortSignal): Promise<Answer<A>> {
    if (this.#stopping.signal.aborted) return Promise.reject(new Error(STOPPING));
    const n = this.#next++;
    const answered = this.#put(n, { n, ask, ...body });
    const give = () => {
      const pending = this.#pending.get(n);
      if (pending === undefined) return;
      this.#pending.delete(n);
      if (this.#unsent.includes(n)) this.#unsent = this.#unsent.filter((other) => other !== n);
      else if (this.#isReady) this.#send(`[{"gone":${n}}]`);
      pending.refuse(new Refusal({ code: 'gone', reason: 'nobody waits for it', again: false }));
    };
    signal?.addEventListener('abort', give, { once: true });
    this.#unsent.push(n);
    this.#flushSoon();
    return answered
      .then((ok) => answers[ask].parse(ok) as Answer<A>)
      .finally(() => signal?.removeEventListener('abort', give));
  }

  /** Asks on this line only, before all others: what `register` is for. */
  askFirst<A extends Ask>(ask: A, body: Body<A>): Promise<Answer<A>> {
    const n = this.#next++;
    const connection = this.#connection;
    const answered = this.#put(n, { n, ask, ...body });
    const drop = () => {
      this.#pending.get(n)?.refuse(new Error('the line broke'));
      this.#pending.delete(n);
    };
    void connection?.ended.then(drop);
    this.#send(`[${this.#pending.get(n)?.text}]`);
    return answered.then((ok) => answers[ask].parse(ok) as Answer<A>);
  }

  #put(n: number, message: object): Promise<unknown> {
    return new Promise((answer, refuse) => {
      this.#pending.set(n, { text: JSON.stringify(message), answer, refuse });
    });
  }

  async #run(): Promise<void> {
    const { servers, log } = this.#is;
    const { signal } = this.#stopping;
    let pauseMs = AGAIN_MS_MIN;
    const refusals = new Map<string, string>();
    for (let at = 0; !signal.aborted; at = (at + 1) % servers.length) {
      const server = servers[at] ?? '';
      const end = await this.#connect(server);
      if (signal.aborted) return;
      if (end.wasReady) {
        pauseMs = AGAIN_MS_MIN;
        refusals.clear();
        log.warn(
          { server },
          `the line to ${server} is down (${end.why}); boards go on, what they report waits here`,
        );
        continue;
      }
      this.#sayOnce(server, end.why);
      if (end.isFinal) refusals.set(server, end.why);
      else refusals.delete(server);
      if (!this.#hasBeenReady && refusals.size === servers.length)
        return this.#onRefused(new WorkerRefused([...new Set(refusals.values())].join('\n')));
      if (at < servers.length - 1) continue;
      await delay(pauseMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(
        () => undefined,
      );
      pauseMs = Math.min(pauseMs * 2, AGAIN_MS_MAX);
    }
  }

  /** A server that is away is said once, until something else is to be said. */
  #sayOnce(server: string, why: string): void {
    const what = `no line to ${server}: ${why}`;
    if (what === this.#lastSaid) return;
    this.#lastSaid = what;
    this.#is.log.warn({ server }, `${what}; trying again`);
  }

  /** One line, from its beginning to its end. */
  async #connect(server: string): Promise<LineEnd & { wasReady: boolean }> {
    const connection: Connection = new Connection(server, this.#is, (message) =>
      this.#take(message, connection, server),
    );
    this.#connection = connection;
    const end = await connection.ended;
    const wasReady = this.#isReady;
    this.#isReady = false;
    for (const down of this.#downs) down();
    this.#downs.clear();
    return { ...end, wasReady };
  }

  #take(message: FromServer, connection: Connection, server: string): void {
    if (this.#connection !== connection) return;
    if ('bye' in message) connection.end(message.bye.reason, FINAL.includes(message.bye.code));
    else if ('welcome' in message) void this.#register(connection, server);
    else if ('changed' in message) this.#is.onChange();
    else if ('reload' in message) this.#is.onReload(message.reload);
    else if ('board' in message) this.#is.onOrder(message.board);
    else this.#answer(message);
  }

  #answer(message: { n: number; ok: unknown } | { n: number; not: Not }): void {
    const pending = this.#pending.get(message.n);
    if (pending === undefined) return;
    if ('ok' in message) {
      this.#pending.delete(message.n);
      pending.answer(message.ok);
    } else if (!message.not.again) {
      this.#pending.delete(message.n);
      pending.refuse(new Refusal(message.not));
    } else this.#askAgain(message.n);
  }

  /** The server cannot now: its disk is full, or its log away. */
  #askAgain(n: number): void {
    const connection = this.#connection;
    setTimeout(() => {
      if (this.#connection !== connection || !this.#isReady || !this.#pending.has(n)) return;
      this.#unsent.push(n);
      this.#unsent.sort((a, b) => a - b);
      this.#flushSoon();
    }, 1_000).unref();
  }

  async #register(connection: Connection, server: string): Promise<void> {
    try {
      await this.#is.register();
    } catch (error) {
      connection.end(messageOf(error), error instanceof Refusal);
      return;
    }
    if (this.#connection !== connection || !connection.isOpen) return;
    if (this.#hasBeenReady || this.#lastSaid !== '')
      this.#is.log.warn({ server }, `there is a line to ${server}`);
    this.#lastSaid = '';
    this.#isReady = true;
    this.#hasBeenReady = true;
    this.#unsent = [...this.#pending.keys()].sort((a, b) => a - b);
    this.#is.onLine();
    this.#flushSoon();
    this.#is.onChange();
  }

  #isFlushing = false;

  /** What is asked in one turn goes out in one frame. */
  #flushSoon(): void {
    if (this.#isFlushing || !this.#isReady) return;
    this.#isFlushing = true;
    setImmediate(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#isReady && this.#unsent.length > 0) {
      if ((this.#connection?.unsentBytes ?? 0) > UNSENT_BYTES_MAX) return;
      const texts: string[] = [];
      let length = 0;
      let taken = 0;
      for (const n of this.#unsent) {
        const text = this.#pending.get(n)?.text;
        if (text !== undefined && texts.length > 0 && length + text.length > FRAME_CHARACTERS)
          break;
        taken++;
        if (text === undefined) continue;
        texts.push(text);
        length += text.length;
      }
      this.#unsent.splice(0, taken);
      if (texts.length > 0) this.#send(`[${texts.join(',')}]`);
    }
  }

  #send(text: string): void {
    this.#connection?.send(text, () => this.#flushSoon());
  }
}

/** Asked again, the answer is the same, until a person has done something. */
const FINAL: readonly ByeCode[] = ['token-refused', 'worker-here', 'version'];
