/**
 * Requests that stay open for long: waits that are held, and streams. Each has a signal that aborts when its
 * client is gone, when it was held long enough, or when the server stops; so that a stop is quick.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';

/** Why an open request was ended by this side. */
export type Ending = 'gone' | 'held-long-enough' | 'stopping';

/** How long a stop waits for answers that are under way. */
const DRAIN_MS_MAX = 2_000;

export interface OpenRequest {
  signal: AbortSignal;
  /** Why the signal aborted; `undefined` as long as it did not. */
  ending(): Ending | undefined;
}

export class OpenRequests {
  readonly #open = new Set<(why: Ending) => void>();
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
    const controller = new AbortController();
    let ending: Ending | undefined;
    const end = (why: Ending) => {
      ending ??= why;
      controller.abort();
    };
    const timer = heldMsMax && setTimeout(() => end('held-long-enough'), heldMsMax);
    this.#open.add(end);
    reply.raw.once('close', () => {
      clearTimeout(timer);
      this.#open.delete(end);
      end('gone');
    });
    if (reply.raw.destroyed) end('gone');
    if (this.#isStopping) end('stopping');
    return { signal: controller.signal, ending: () => ending };
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
    for (const end of [...this.#open]) end('stopping');
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
