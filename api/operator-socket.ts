/** The socket of an operator's client: bytes both ways, and JSON for what is none of the board's. */
import type { WebSocket } from 'ws';
import type { OperatorClient, OperatorConsole } from './operator-consoles.ts';

const LEAVE = JSON.stringify({ leave: true });
/** Of one message. */
export const TYPED_BYTES_MAX = 1024 * 1024;
/** What was typed and no board has taken: above it nothing more is read. */
const WAITING_BYTES_PAUSE = 64 * 1024;
const PING_MS = 5_000;
/** A client that says nothing for so long, not even to a ping, is gone. So is one that takes nothing. */
const SILENCE_MS_MAX = 15_000;
const STALLED_MS_MAX = 60_000;

export class OperatorSocket implements OperatorClient {
  #taken: (socket: WebSocket) => void = () => {};
  /** There only when the board is: until then what it prints waits. */
  readonly #socket = new Promise<WebSocket>((resolve) => {
    this.#taken = resolve;
  });

  take(socket: WebSocket, console: OperatorConsole): void {
    socket.send(JSON.stringify({ opened: { number: console.session.number } }));
    this.#taken(socket);
    socket.on('error', () => {});
    let waiting = 0;
    let typing: Promise<unknown> = Promise.resolve();
    socket.on('message', (bytes: Buffer, isBinary) => {
      if (!isBinary) {
        // Whoever says so hears when the board is given back; who only closes does not.
        if (bytes.toString('utf8') === LEAVE) void console.leave();
        else socket.close(1003, 'what is typed is binary');
        return;
      }
      waiting += bytes.length;
      if (waiting > WAITING_BYTES_PAUSE) socket.pause();
      typing = typing
        .then(() => console.type(bytes))
        .finally(() => {
          waiting -= bytes.length;
          if (waiting <= WAITING_BYTES_PAUSE) socket.resume();
        });
    });
    let heardAt = performance.now();
    const heard = () => {
      heardAt = performance.now();
    };
    socket.on('pong', heard).on('message', heard);
    const alive = setInterval(() => {
      // One that is paused is not heard: it is there as long as the board takes something of it.
      if (socket.isPaused) heard();
      if (performance.now() - heardAt > SILENCE_MS_MAX) socket.terminate();
      else socket.ping();
    }, PING_MS);
    socket.once('close', () => {
      clearInterval(alive);
      void console.leave();
    });
  }

  async printed(bytes: Uint8Array): Promise<void> {
    const socket = await this.#socket;
    if (socket.readyState !== socket.OPEN) return;
    await new Promise<void>((resolve) => {
      const stalled = setTimeout(() => socket.terminate(), STALLED_MS_MAX);
      socket.send(bytes, { binary: true }, () => {
        clearTimeout(stalled);
        resolve();
      });
    });
  }

  ended(reason: string): void {
    void this.#socket.then((socket) => {
      if (socket.readyState !== socket.OPEN) return;
      socket.send(JSON.stringify({ ended: reason }));
      socket.close(1000);
    });
  }
}
