/** What an address says that opens no line: a proxy, a server that speaks HTTPS alone, or something else altogether. */
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { strangeAnswer } from '../wire/connection-words.ts';

const BODY_BYTES_MAX = 16 * 1024;
const Problem = z.looseObject({ detail: z.string() });

/** In words; of a body no more is read than a problem has. */
export async function strangeServer(response: IncomingMessage): Promise<string> {
  const { statusCode = 0, headers } = response;
  const said = await bodyOf(response).catch(() => '');
  const isProblem = headers['content-type']?.startsWith('application/problem+json') === true;
  return (isProblem && detailOf(said)) || strangeAnswer(statusCode, headers.location);
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of response as AsyncIterable<Buffer>) {
    text += part.toString('latin1');
    if (text.length > BODY_BYTES_MAX) break;
  }
  return text;
}

function detailOf(text: string): string | undefined {
  try {
    return Problem.safeParse(JSON.parse(text)).data?.detail;
  } catch {
    return undefined;
  }
}
