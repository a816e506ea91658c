/** Server-Sent Events: a stream of the log to one client, from any place in it, for as long as it likes. */

import type { Reading } from './history.ts';
import type { Piece } from './pages.ts';
import type { Streaming } from './streaming.ts';
import type { Followed } from './tail.ts';

/** A silent stream says that it lives; it also looks at the log, should a wake have been missed. */
const HEARTBEAT_MS = 15_000;

export const EVENT_STREAM = 'text/event-stream';

/** All that there was has been sent: a comment, which whoever does not know it passes over. */
const LIVE = ': live\n\n';

/** What is streamed. */
export interface Source {
  read(after: number, is: Reading): Promise<Piece>;
  after: number;
  /** What the last words are, when nothing more can come; asked before each look at the log. */
  lastWords(seen: Seen): Promise<string | undefined>;
}

/** What a stream has come by so far. */
export interface Seen {
  /** The type of the last event; absent: there was none yet. */
  type?: string;
  /** It has been where the log ended. */
  isCaughtUp: boolean;
}

/** Writes a source out until it ends or the client goes. The caller ends the response. */
export async function streamEvents(
  out: Streaming,
  followed: Followed,
  source: Source,
  heartbeatMs = HEARTBEAT_MS,
): Promise<void> {
  const { signal } = out;
  let { after } = source;
  let lastWords: string | undefined;
  let isLive = false;
  const seen: Seen = { isCaughtUp: false };
  let ahead: Promise<Piece> | undefined;
  while (out.isOpen) {
    const generation = followed.generation();
    const read = (from: number) => source.read(from, { reader: 'stream', generation, signal });
    const isAhead = ahead !== undefined;
    if (!isAhead) lastWords ??= await source.lastWords(seen);
    const page = await (ahead ?? read(after));
    ahead = undefined;
    const { last } = page;
    if (last !== undefined) {
      after = last.place;
      seen.type = last.type;
      // While a client takes one page, the next one is read.
      if (!page.isLast) ahead = read(after);
      ahead?.catch(() => {});
      await out.write(page.sse);
    }
    // What was read ahead was read before anybody asked for last words.
    if (!page.isLast || isAhead) continue;
    if (lastWords !== undefined) return await out.write(lastWords);
    // An event can be read a moment before the engine's own state has it: its end is asked for once more.
    const isNew = last !== undefined || followed.generation() !== generation || !seen.isCaughtUp;
    seen.isCaughtUp = true;
    if (isNew) continue;
    if (!isLive) {
      isLive = true;
      await out.write(LIVE);
      // An event that came while this was written woke nobody.
      continue;
    }
    const isWoken = await out.sleep(heartbeatMs, (wake) => followed.onNew(wake));
    if (!isWoken) await out.write(': alive\n\n');
  }
}
