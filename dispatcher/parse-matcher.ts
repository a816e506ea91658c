/** The patterns of definitions, as the worker's own thread sees them: lines go in, cases come out, nothing blocks. */
import { Worker } from 'node:worker_threads';
import type { FoundCase } from '../submission/cases.ts';
import type { ParseRule } from '../submission/parse-rules.ts';

const THREAD_MEMORY_MB_MAX = 256;

export type MatchMessage =
  | { open: number; rules: ParseRule[] }
  | { close: number }
  | { number: number; session: number; lines: string[] };

export interface MatchAnswer {
  number: number;
  /** `line`: index in the lines that were asked for. */
  found: { line: number; cases: FoundCase[] }[];
  /** Matches that named no case. */
  unnamed: number;
  /** Lines passed over so far, because they took too long. */
  slow: number;
  /** Nothing more is matched: too many lines took too long. */
  isGivenUp: boolean;
}

/** One suite's patterns. */
export interface MatchSession {
  /** Answers come in the order of the questions. Rejects when the thread ended meanwhile. */
  match(lines: string[]): Promise<MatchAnswer>;
  close(): void;
}

class MatchThread {
  readonly #worker = startWorker();
  readonly #waiting = new Map<number, PromiseWithResolversOf<MatchAnswer>>();
  #count = 0;
  isOver = false;

  constructor() {
    // It must not keep the process alive: whoever waits for an answer does.
    this.#worker.unref();
    this.#worker.on('message', (answer: MatchAnswer) => {
      this.#waiting.get(answer.number)?.resolve(answer);
      this.#waiting.delete(answer.number);
      if (this.#waiting.size === 0) this.#worker.unref();
    });
    const fail = (error: Error) => {
      this.isOver = true;
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    this.#worker.on('error', fail);
    this.#worker.on('exit', () => fail(new Error('the thread that matches patterns ended')));
  }

  open(rules: ParseRule[]): MatchSession {
    this.#count += 1;
    const session = this.#count;
    this.#tell({ open: session, rules });
    return {
      match: (lines) => {
        if (this.isOver) return Promise.reject(new Error('the thread that matches patterns ended'));
        this.#count += 1;
        const number = this.#count;
        const answer = withResolvers<MatchAnswer>();
        this.#waiting.set(number, answer);
        this.#worker.ref();
        this.#tell({ number, session, lines });
        return answer.promise;
      },
      close: () => this.#tell({ close: session }),
    };
  }

  #tell(message: MatchMessage): void {
    this.#worker.postMessage(message);
  }
}

let thread: MatchThread | undefined;

/** All boards of a worker share one thread; one that ended is started anew for the next suite. */
export function openMatcher(rules: ParseRule[]): MatchSession {
  if (thread === undefined || thread.isOver) thread = new MatchThread();
  return thread.open(rules);
}

interface PromiseWithResolversOf<T> {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}
function withResolvers<T>(): PromiseWithResolversOf<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}

/** From `dist/` the compiled thread; from the sources (tests) the TypeScript one, with tsx to read it. */
function startWorker(): Worker {
  const options = {
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: THREAD_MEMORY_MB_MAX },
  };
  if (!import.meta.url.endsWith('.ts'))
    return new Worker(new URL('./parse-thread.js', import.meta.url), options);
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const entry = JSON.stringify(new URL('./parse-thread.ts', import.meta.url).href);
  const start = `import { register } from ${tsx}; register(); await import(${entry});`;
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(start)}`), options);
}
