/**
 * One call of a board on its way to the boards' own door, as the board itself would make it: with its secret, its key and
 * who called. Repeated until the server has decided, with the same key, whichever server it reaches.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { FramedCall } from './frames.ts';

export interface DoorAccess {
  /** Of one server or several, with blanks between them. */
  url: string;
  token: string;
}

const PAUSE_MS_MIN = 200;
const PAUSE_MS_MAX = 1_000;
/** Longer than a wait is held. */
const SILENCE_MS_MAX = 40_000;
const WORDS_TYPE = 'application/x-muster-words';
const FILE_TYPE = 'application/octet-stream';

/**
 * The answer's text: its first word is `ok`, `fail`, `refused` or `denied`.
 *
 * @param access asked again for every round: a server may have another address by then
 * @throws what aborted it, when `signal` does
 */
export async function callDoor(
  call: FramedCall,
  access: () => Promise<DoorAccess>,
  signal: AbortSignal,
): Promise<string> {
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    signal.throwIfAborted();
    const { url, token } = await access();
    for (const server of url.split(' ')) {
      let text = await posted(server, token, call, signal);
      // It is held there, and goes on: there is no pause in which nobody waits.
      while (text !== undefined && statusOf(text) === 'wait') {
        pauseMs = PAUSE_MS_MIN;
        text = await posted(server, token, call, signal);
      }
      if (text !== undefined && statusOf(text) !== 'retry') return text;
    }
    await delay(pauseMs, undefined, { signal });
  }
}

const statusOf = (text: string): string => /^[a-z]*/.exec(text)?.[0] ?? '';
const ANSWER = /^(?:ok|wait|retry|fail|refused|denied)(?: [^\n]*)?(?:\n|$)/;

/** `undefined`: no whole answer came. */
async function posted(
  server: string,
  token: string,
  { verb, key, from, body }: FramedCall,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const response = await fetch(`${server.replace(/\/$/, '')}/board/v1/${verb}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': verb.startsWith('attachment') ? FILE_TYPE : WORDS_TYPE,
        'muster-key': key,
        ...(from === '' ? {} : { 'muster-from': from }),
      },
      body: new Uint8Array(body),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(SILENCE_MS_MAX)]),
    });
    const text = await response.text();
    return ANSWER.test(text) ? text : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
