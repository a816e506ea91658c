/** Opens an image or a definition by its URL: `http(s)://`, or `file://` in a folder that the lab allows. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { withoutSecrets } from '../submission/addresses.ts';
import { messageOf, StepAborted, StepFailure, type StepFailureCode } from './failure.ts';
import { admitFile } from './gate.ts';

/** Until the answer begins; the body is bounded by the action's own limit. */
const FETCH_ANSWER_TIMEOUT_MS = 60_000;

export interface FetchCodes {
  refused: StepFailureCode;
  unreachable: StepFailureCode;
}

/**
 * The bytes behind a URL, as a stream.
 *
 * @param what "image" or "definition", for the reason
 * @throws StepFailure with one of `codes`; StepAborted
 */
export async function openUrl(
  what: string,
  url: string,
  codes: FetchCodes,
  allowFiles: readonly string[],
  signal: AbortSignal,
): Promise<Readable> {
  const shown = withoutSecrets(url);
  if (url.startsWith('file:')) {
    const found = await admitFile(url, allowFiles);
    if ('refused' in found)
      throw new StepFailure(codes.refused, `${what} ${shown}: ${found.refused}`);
    return guarded(createReadStream(found.path, { signal }));
  }
  if (!/^https?:\/\//.test(url))
    throw new StepFailure(codes.refused, `${what} ${shown}: expected a file: or http(s) URL`);
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), FETCH_ANSWER_TIMEOUT_MS);
  try {
    const answer = await fetch(url, { signal: AbortSignal.any([signal, limit.signal]) });
    if (!answer.ok || answer.body === null) {
      await answer.body?.cancel();
      throw new StepFailure(
        codes.unreachable,
        `${what} ${shown}: the server answered ${answer.status} ${answer.statusText}`.trim(),
      );
    }
    return guarded(Readable.fromWeb(answer.body as ReadableStream<Uint8Array>));
  } catch (error) {
    if (error instanceof StepFailure) throw error;
    if (signal.aborted) throw new StepAborted();
    throw new StepFailure(codes.unreachable, `${what} ${shown}: ${causeOf(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Whoever reads it hears what goes wrong. Nobody reads it yet: without a listener its error would end the process. */
function guarded(body: Readable): Readable {
  return body.on('error', () => undefined);
}

/** `fetch` hides what happened in the cause of its error. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return withoutSecrets(messageOf(cause));
}
