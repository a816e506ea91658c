/**
 * Reads in pages, each a call that ends: one that breaks is made again from where the last one ended, and a
 * reader that leaves in the middle leaves nothing open.
 */
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { ATTEMPT_MS, type Connection } from './connection.ts';
import { readAllRequest, readAnswer, readStreamRequest, type ServerEvent } from './messages.ts';
import { PREFIXES } from './own-events.ts';
import { exceptionIn, meaningOf, patiently } from './patience.ts';

/** A page ends with whichever comes first. */
export const PAGE_EVENTS_MAX = 1_000;
const PAGE_CHARS_MAX = 4 * 1024 * 1024;
export interface Page {
  events: ServerEvent[];
  /** There were no more when it was read. */
  isLast: boolean;
}

/** The server may have to look through very many events of others before it finds one of ours. */
const READ_ALL_MS = 60_000;

interface Read {
  what: string;
  request: ReadReq;
  count: number;
  deadlineMs: number;
}

/**
 * Each method reads one page.
 *
 * @throws StoreUnavailable when the server cannot be read for long
 * @throws NoSuchPosition from `ofAll`
 */
export class Reads {
  readonly #connection: Connection;
  readonly #isClosed: () => boolean;
  readonly #open = new Set<ClientReadableStream<ReadResp>>();

  constructor(connection: Connection, isClosed: () => boolean) {
    this.#connection = connection;
    this.#isClosed = isClosed;
  }

  /** A stream that is not there, or was removed, has no events. */
  ofStream(stream: string, after: number, what = stream): Promise<Page> {
    const count = PAGE_EVENTS_MAX;
    const request = readStreamRequest(stream, { after, count });
    return this.#page({ what, request, count, deadlineMs: ATTEMPT_MS });
  }

  async lastOfStream(stream: string): Promise<ServerEvent | undefined> {
    const request = readStreamRequest(stream, 'last');
    const read = { what: stream, request, count: 1, deadlineMs: ATTEMPT_MS };
    return (await this.#page(read)).events[0];
  }

  /** Of all streams that have a name like ours; `position` as in `readAllRequest`. */
  ofAll(position: number, direction: 'forwards' | 'backwards', count: number): Promise<Page> {
    const request = readAllRequest({ position, direction, count, prefixes: PREFIXES });
    return this.#page({ what: 'the log', request, count, deadlineMs: READ_ALL_MS });
  }

  /** Ends the calls under way; their callers are told that the store was closed. */
  close(): void {
    for (const call of this.#open) call.cancel();
  }

  #page(read: Read): Promise<Page> {
    const what = `read ${read.what}`;
    const to = { what, at: this.#connection, isOver: this.#isClosed };
    return patiently(to, () => this.#attempt(read));
  }

  async #attempt({ request, count, deadlineMs }: Read): Promise<Page> {
    const client = await this.#connection.client();
    const call = client.read(request, ...this.#connection.with(deadlineMs));
    this.#open.add(call);
    try {
      return await pageOf(call, count);
    } catch (fault) {
      if (exceptionIn(fault) === 'stream-deleted') return { events: [], isLast: true };
      const meaning = meaningOf(fault, this.#connection.where);
      await this.#connection.doubt(client, meaning);
      throw meaning;
    } finally {
      this.#open.delete(call);
    }
  }
}

/** The events of one call, up to the size of a page; the rest of them is not sent. */
function pageOf(call: ClientReadableStream<ReadResp>, count: number): Promise<Page> {
  const events: ServerEvent[] = [];
  let chars = 0;
  return new Promise((resolve, reject) => {
    call.on('data', (response: ReadResp) => {
      try {
        const answer = readAnswer(response);
        if (answer.is !== 'event' || chars > PAGE_CHARS_MAX) return;
        events.push(answer.event);
        chars += answer.event.data.length;
        if (chars <= PAGE_CHARS_MAX) return;
        resolve({ events, isLast: false });
      } catch (fault) {
        reject(fault);
      }
      call.cancel();
    });
    call.on('error', reject);
    call.on('end', () => resolve({ events, isLast: events.length < count }));
  });
}
