/** Opens a WebSocket of the API, as the command line's client does. */
import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';

export interface SocketRequest {
  headers: Readonly<Record<string, string>>;
  /** Its reason is thrown when it aborts before the socket is open. */
  signal: AbortSignal;
  ca?: string | undefined;
  /** What the server answers instead: it is thrown. */
  refused(status: number, body: string, location: string | undefined): Error;
}

/** @throws what `refused` makes of an answer, or what Node says of the connection */
export async function openSocket(url: string, is: SocketRequest): Promise<WebSocket> {
  const { headers, signal, ca, refused } = is;
  signal.throwIfAborted();
  const options: ClientOptions = {
    headers,
    perMessageDeflate: false,
    ...(ca !== undefined && { ca }),
  };
  const socket = new WebSocket(url.replace(/^http/, 'ws'), options);
  // What comes with its opening is not lost until somebody listens.
  socket.once('open', () => socket.pause());
  const abort = () => socket.terminate();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', (error) => reject(signal.aborted ? signal.reason : error));
      socket.once('unexpected-response', async (_request, response: IncomingMessage) => {
        let body = '';
        for await (const part of response) body += part;
        reject(refused(response.statusCode ?? 0, body, response.headers.location));
        socket.terminate();
      });
    });
  } finally {
    signal.removeEventListener('abort', abort);
  }
  socket.on('error', () => {});
  return socket;
}
