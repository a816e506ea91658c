/** A stream of events: history, then live, without a hole; taken up again where it broke. */
import { ApiError, request } from './client.ts';
import { EventStreamReader } from './event-stream.ts';
import type { RecordedEvent } from './types.ts';

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 5_000;
/** Three heartbeats of the server: a connection that is silent for longer is dead. */
const SILENCE_MS_MAX = 50_000;
/** So long is read before the screen has its turn. */
const SLICE_MS_MAX = 12;

export interface Following {
  path: string;
  /** The place of the last event that is known already. */
  after: number;
  /** Its place: what the stream is asked for after a break. */
  placeOf(event: RecordedEvent): number;
  onEvents(events: readonly RecordedEvent[]): void;
  /** All that there was has come: what comes from now on happens now. */
  onLive?(): void;
  /** The stream has said that nothing more can come. */
  onEnd?(): void;
  /** It was refused for good. */
  onRefused?(error: ApiError): void;
  signal: AbortSignal;
}

/**
 * Follows until the signal, the end of the stream or a refusal. Never throws. A page that nobody sees follows nothing: a
 * browser has six connections to a server, and each tab would hold one.
 */
export async function follow(is: Following): Promise<void> {
  let { after } = is;
  let pause = RETRY_MS_MIN;
  const take = (events: readonly RecordedEvent[]) => {
    const last = events.at(-1);
    if (last === undefined) return;
    after = is.placeOf(last);
    pause = RETRY_MS_MIN;
    try {
      is.onEvents(events);
    } catch (error) {
      // A fault of this page, not of the connection: to be seen, and no reason to read it all again.
      reportError(error);
    }
  };
  while (!is.signal.aborted) {
    await seen();
    try {
      if (await readOnce(is, after, take)) return is.onEnd?.();
    } catch (error) {
      if (is.signal.aborted) return;
      const isForGood = error instanceof ApiError && error.problem.status < 500;
      if (isForGood) return is.onRefused?.(error);
    }
    await new Promise((done) => setTimeout(done, pause));
    pause = Math.min(pause * 2, RETRY_MS_MAX);
  }
}

/** Resolves once the screen had its turn: a timer would be held back by some milliseconds each time. */
function turn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

const isHidden = () => document.visibilityState === 'hidden';

/** Resolves when somebody can see the page. */
function seen(): Promise<void> {
  if (!isHidden()) return Promise.resolve();
  return new Promise((resolve) => {
    document.addEventListener('visibilitychange', () => resolve(), { once: true });
  });
}

/** Reads one connection to its end. @returns whether the stream itself ended */
async function readOnce(
  is: Following,
  after: number,
  take: (events: readonly RecordedEvent[]) => void,
): Promise<boolean> {
  const broken = new AbortController();
  const signal = AbortSignal.any([is.signal, broken.signal]);
  const hide = () => isHidden() && broken.abort();
  document.addEventListener('visibilitychange', hide);
  let silence: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => broken.abort(), SILENCE_MS_MAX);
  };
  try {
    heard();
    const headers = { accept: 'text/event-stream', 'last-event-id': String(after) };
    const { body } = await request(is.path, { headers, signal });
    if (body === null) return false;
    const stream = new EventStreamReader();
    let isLive = false;
    const decoder = new TextDecoder();
    let began = performance.now();
    for (const reader = body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) return stream.isEnded;
      heard();
      take(stream.take(decoder.decode(value, { stream: true })));
      if (stream.isLive && !isLive) is.onLive?.();
      isLive = stream.isLive;
      if (performance.now() - began < SLICE_MS_MAX) continue;
      await turn();
      began = performance.now();
    }
  } finally {
    clearTimeout(silence);
    document.removeEventListener('visibilitychange', hide);
  }
}
