/**
 * Requests that stay open for long: waits that are held, and streams. Each has a signal that aborts when its
 * client is gone, when it was held long enough, or when the server stops; so that a stop is quick.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';

/** Why an open request was ended by this side. */
export type Ending = 'gone' | 'held-long-enough' | 'stopping';

/** How long a stop waits for answers that are under way. */
export const DRAIN_MS_MAX = 2_000;

/** After so long a wait is answered `wait`, and comes again. Boards give up a silent connection after 40 s. */
export const HELD_MS_MAX = 20_000;

export interface OpenRequest {
  signal: AbortSignal;
  /** Why the signal aborted; `undefined` as long as it did not. */
  ending(): Ending | undefined;
  /** Ends it from this side; the first reason stays. */
  end(why: Ending): void;
  /** It was answered: nothing ends it any more. */
  close(): void;
}

/** @param heldMsMax after so long it is ended; absent: never */
export function openRequest(heldMsMax?: number): OpenRequest {
  const controller = new AbortController();
  let ending: Ending | undefined;
  const end = (why: Ending) => {
    clearTimeout(timer);
    ending ??= why;
    controller.abort();
  };
  const timer = heldMsMax && setTimeout(end, heldMsMax, 'held-long-enough');
  const { signal } = controller;
  return { signal, ending: () => ending, end, close: () => clearTimeout(timer) };
}

export class OpenRequests {
  readonly #open = new Set<OpenRequest>();
  readonly #answering = new Set<FastifyReply['raw']>();
  #drained: (() => void) | undefined;
  #isStopping = false;

  /** Counts the requests of an app, and ends the open ones when it closes. */
  constructor(app: FastifyInstance) {
    app.addHook('onRequest', (_request, reply, done) => {
      this.#count(reply.raw);
      done();
    });
    app.addHook('preClose', () => this.#stop());
  }

  /**
   * Opens one. It closes with its reply.
   *
   * @param heldMsMax after so long it is ended; absent: never
   */
  open(reply: FastifyReply, heldMsMax?: number): OpenRequest {
    const open = openRequest(heldMsMax);
    this.#open.add(open);
    reply.raw.once('close', () => {
      this.#open.delete(open);
      open.end('gone');
    });
    if (reply.raw.destroyed) open.end('gone');
    if (this.#isStopping) open.end('stopping');
    return open;
  }

  #count(raw: FastifyReply['raw']): void {
    this.#answering.add(raw);
    raw.once('close', () => {
      this.#answering.delete(raw);
      if (this.#answering.size === 0) this.#drained?.();
    });
  }

  /** Ends what is open and lets every answer that is under way go out, for a bounded time. */
  async #stop(): Promise<void> {
    this.#isStopping = true;
    for (const open of [...this.#open]) open.end('stopping');
    if (this.#answering.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, DRAIN_MS_MAX);
      this.#drained = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
