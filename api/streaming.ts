/** A response that is written bit by bit: it waits for a slow client, and drops one that stands still. */
import type { FastifyReply } from 'fastify';

/** A client that takes nothing for so long is dropped; it can resume where it was. */
const STALLED_MS_MAX = 60_000;

export class Streaming {
  readonly #raw: FastifyReply['raw'];
  readonly #signal: AbortSignal;

  /** Takes the reply over from Fastify and sends the head. `signal`: ends the stream. */
  constructor(reply: FastifyReply, signal: AbortSignal, head: Record<string, string>) {
    reply.hijack();
    this.#raw = reply.raw;
    this.#signal = signal;
    this.#raw.writeHead(200, { ...head, 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    this.#raw.flushHeaders();
  }

  get isOpen(): boolean {
    return !this.#signal.aborted && !this.#raw.destroyed;
  }

  /** Resolves once the client can take more; what is unsent is never more than one chunk and a socket's buffer. */
  async write(chunk: string | Uint8Array): Promise<void> {
    if (!this.isOpen || this.#raw.write(chunk)) return;
    await new Promise<void>((resolve) => {
      const stalled = setTimeout(() => this.#raw.destroy(), STALLED_MS_MAX);
      const go = () => {
        clearTimeout(stalled);
        this.#raw.off('drain', go).off('close', go);
        this.#signal.removeEventListener('abort', go);
        resolve();
      };
      this.#raw.once('drain', go).once('close', go);
      this.#signal.addEventListener('abort', go, { once: true });
    });
  }

  /** Sleeps until `wake` is called, the time is over or the stream ends. */
  sleep(ms: number, onStart: (wake: () => void) => void = () => {}): Promise<void> {
    if (!this.isOpen) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#signal.addEventListener('abort', wake, { once: true });
      onStart(wake);
    });
  }

  /** Ends the response, after what was written. */
  end(): void {
    if (!this.#raw.destroyed) this.#raw.end();
  }
}
