/**
 * Appends over one lasting call: many of them are under way at once, the server writes them in the order in
 * which they were sent and answers each. When the call breaks, nobody knows which of them were done; with their
 * ids and expected versions unchanged, each may simply be sent again.
 */
import { randomUUID } from 'node:crypto';
import type { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type {
  BatchAppendReq,
  BatchAppendResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { ATTEMPT_MS, type Connection } from './connection.ts';
import {
  type AppendAnswer,
  appendAnswer,
  appendRequests,
  bytesOf,
  idOf,
  type Proposed,
} from './messages.ts';
import { denied, meaningOf, NotNow, patiently } from './patience.ts';
import type { Reads } from './reads.ts';

/** What a very slow way to the server carries; a large append gets its time on top of an attempt's. */
const BYTES_PER_MS = 100;

export interface Append {
  stream: string;
  expectedVersion: number;
  events: readonly Proposed[];
}
/** What a caller must tell apart; the rest is an error. */
export type Told = Exclude<AppendAnswer, { is: 'not-now' | 'denied' }>;

interface Waiting {
  resolve(answer: Told): void;
  reject(fault: Error): void;
}

export class Appends {
  readonly #connection: Connection;
  readonly #reads: Reads;
  #lane: { client: StreamsClient; lane: Lane } | undefined;

  constructor(connection: Connection, reads: Reads) {
    this.#connection = connection;
    this.#reads = reads;
  }

  /** @throws StoreUnavailable when it is not known to be done after many attempts */
  send(append: Append): Promise<Told> {
    const at = this.#connection;
    const what = `append to ${append.stream}`;
    // What is under way is brought to its end even when the store is being closed.
    return patiently({ what, at, isOver: () => false }, async () => {
      const told = await this.#attempt(append);
      if (told.is === 'conflict' && told.actual > append.expectedVersion)
        await this.#assertReadable(append);
      return told;
    });
  }

  /**
   * A leader refuses an append for events that the others of its cluster do not have yet, and that nobody can
   * read; after a change of leader they may even be this very append. Whoever is told of a conflict must be able
   * to read it, and what became of an append of ours its repeat tells.
   */
  async #assertReadable({ stream, expectedVersion, events }: Append): Promise<void> {
    const { events: there, isLast } = await this.#reads.ofStream(stream, expectedVersion);
    if (there.length === 0)
      throw new NotNow('the servers do not agree yet on what is in it', { isAnswer: true });
    const isWhole = there.length >= events.length || !isLast;
    if (isWhole && events.every((event, at) => at >= there.length || idOf(event) === there[at]?.id))
      throw new NotNow('the server has it, and does not say where', { isAnswer: true });
  }

  async #attempt(append: Append): Promise<Told> {
    const client = await this.#connection.client();
    try {
      return await this.#laneOf(client).send(append);
    } catch (fault) {
      await this.#connection.doubt(client, fault);
      throw fault;
    }
  }

  close(): void {
    this.#lane?.lane.end();
  }

  #laneOf(client: StreamsClient): Lane {
    if (this.#lane?.client !== client || this.#lane.lane.isOver) {
      // What is under way on the old one is still answered there, if it can be.
      this.#lane?.lane.end();
      const call = client.batchAppend(...this.#connection.with());
      this.#lane = { client, lane: new Lane(call, this.#connection.where) };
    }
    return this.#lane.lane;
  }
}

/** One lasting call, until it breaks. */
class Lane {
  isOver = false;
  readonly #call: ClientDuplexStream<BatchAppendReq, BatchAppendResp>;
  readonly #where: string;
  readonly #waiting = new Map<string, Waiting>();

  constructor(call: ClientDuplexStream<BatchAppendReq, BatchAppendResp>, where: string) {
    this.#call = call;
    this.#where = where;
    call.on('data', (response: BatchAppendResp) => this.#settle(response));
    call.on('error', (fault) => this.#break(meaningOf(fault, where)));
    call.on('end', () => this.#break(new NotNow('the server ended the connection')));
  }

  async send(append: Append): Promise<Told> {
    const correlation = randomUUID();
    const bytes = append.events.reduce((sum, event) => sum + bytesOf(event), 0);
    const withinMs = ATTEMPT_MS + Math.round(bytes / BYTES_PER_MS);
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Told>((resolve, reject) => {
        this.#waiting.set(correlation, { resolve, reject });
        const onLate = () =>
          reject(new NotNow(`no answer within ${Math.round(withinMs / 1000)} s`));
        // After a stall of this process, what has arrived meanwhile is read first.
        timer = setTimeout(() => setImmediate(onLate), withinMs);
        for (const request of appendRequests({ correlation, ...append })) this.#call.write(request);
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(correlation);
    }
  }

  end(): void {
    this.#call.end();
  }

  #settle(response: BatchAppendResp): void {
    const { correlation, answer } = appendAnswer(response);
    const waiting = this.#waiting.get(correlation);
    // None: its caller has given this attempt up.
    if (waiting === undefined) return;
    // A leader that is late is still the leader; one that is not ready may never be.
    const isAnswer = answer.is === 'not-now' && answer.why === 'Timeout';
    if (answer.is === 'not-now') waiting.reject(new NotNow(answer.why, { isAnswer }));
    else if (answer.is === 'denied') waiting.reject(denied(this.#where, 'an append'));
    else waiting.resolve(answer);
  }

  #break(fault: Error): void {
    this.isOver = true;
    for (const { reject } of this.#waiting.values()) reject(fault);
  }
}
