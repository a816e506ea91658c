/** One request over HTTP or HTTPS, as the command line's client makes it. Redirections are answers like any other. */
import { type IncomingMessage, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';

export interface HttpRequest {
  method: string;
  headers: Readonly<Record<string, string>>;
  body?: string | Uint8Array | undefined;
  /** Its reason is thrown when it aborts, also while the body is read. */
  signal: AbortSignal;
  /** Who has to have signed a server's certificate, in PEM; absent: those that Node knows. */
  ca?: string | undefined;
}

export interface HttpAnswer {
  status: number;
  header(name: string): string | undefined;
  body: AsyncIterable<Buffer>;
  text(): Promise<string>;
}

/** @throws what Node says of the connection */
export async function request(
  url: string,
  { method, headers, body, signal, ca }: HttpRequest,
): Promise<HttpAnswer> {
  signal.throwIfAborted();
  const isSecure = url.startsWith('https:');
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { method, headers: { accept: '*/*', ...headers }, signal };
    const asked = isSecure
      ? overHttps(url, { ...options, ...(ca !== undefined && { ca }) }, resolve)
      : overHttp(url, options, resolve);
    asked.on('error', (error) => reject(signal.aborted ? signal.reason : error));
    asked.end(body);
  });
  const bytes = bytesOf(message, signal);
  return {
    status: message.statusCode ?? 0,
    header: (name) => [message.headers[name]].flat()[0],
    body: bytes,
    async text() {
      const parts: Buffer[] = [];
      for await (const part of bytes) parts.push(part);
      return Buffer.concat(parts).toString('utf8');
    },
  };
}

async function* bytesOf(message: IncomingMessage, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    yield* message as AsyncIterable<Buffer>;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}
