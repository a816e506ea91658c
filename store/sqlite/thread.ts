/** The worker thread as this thread sees it: ask, and an answer comes, or the reason why not. */
import { Worker } from 'node:worker_threads';
import { StoreRefused, StoreUnavailable } from '../port.ts';
import type { Answers, Message, Reply, Request } from './thread-messages.ts';

interface Waiting {
  resolve(answer: Answers[keyof Answers]): void;
  reject(error: Error): void;
}

export class SqliteThread {
  readonly #worker = startWorker();
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  /** Why the thread is no more. */
  #ended: Error | undefined;

  constructor() {
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
    this.#worker.on('error', (error) => this.#fail(error.message));
    this.#worker.on('exit', () => this.#fail('its thread ended'));
  }

  /**
   * @throws StoreRefused, StoreUnavailable as the thread says; StoreUnavailable when it ended before it answered
   */
  ask<R extends Request>(request: R): Promise<Answers[R['do']]> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    this.#asked += 1;
    const number = this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve: resolve as Waiting['resolve'], reject });
      const message: Message = { number, request };
      this.#worker.postMessage(message);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.number);
    this.#waiting.delete(reply.number);
    if ('answer' in reply) waiting?.resolve(reply.answer);
    else if ('refused' in reply) waiting?.reject(new StoreRefused(reply.refused));
    else waiting?.reject(new StoreUnavailable(reply.unavailable));
  }

  #fail(why: string): void {
    this.#ended ??= new StoreUnavailable(`the log's thread is gone (${why}); start Muster again`);
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

/** From `dist/` the compiled worker; from the sources (tests) the TypeScript one, with tsx to read it. */
function startWorker(): Worker {
  if (!import.meta.url.endsWith('.ts'))
    return new Worker(new URL('./log-thread.js', import.meta.url), { execArgv: [] });
  // Node 20 takes no loader from `execArgv` of a worker: a line of its own registers it.
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const entry = JSON.stringify(new URL('./log-thread.ts', import.meta.url).href);
  const start = `import { register } from ${tsx}; register(); await import(${entry});`;
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(start)}`), { execArgv: [] });
}
