/**
 * A subscription: one lasting call to the server, which sends history and then what is appended, in the order
 * of the log. When the call breaks, a new one begins after the last event that was delivered, for as long as it
 * takes.
 *
 * A slow listener holds up nobody but itself, and no memory: while it works nothing is read from the
 * connection, gRPC's own flow control stops the server, and the server reads from its disk again when it is
 * asked for more. All that has arrived in one turn of the event loop is delivered together.
 */
import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { ClientReadableStream } from '@grpc/grpc-js';
import type { RecordedEvent } from '../../machines/events.ts';
import { type OnEvents, surface } from '../feed.ts';
import { StoreRefused, StoreUnavailable } from '../port.ts';
import type { Connection } from './connection.ts';
import { readAnswer, type ServerEvent, subscribeRequest } from './messages.ts';
import type { OwnAppends } from './own-appends.ts';
import { isOurs, PREFIXES, recordedOf } from './own-events.ts';
import { meaningOf, NoSuchPosition, NotNow, pause } from './patience.ts';

export interface Following {
  connection: Connection;
  after: number;
  onEvents: OnEvents;
  own: OwnAppends;
  /** Streams that were removed before: the server still has their events in its log. */
  removed: () => Promise<ReadonlySet<string>>;
}

export class Follower {
  readonly caughtUp: Promise<void>;
  readonly #is: Following;
  #removed: ReadonlySet<string> | undefined;
  /** Position of the last event that arrived; it is delivered before anything else happens to it. */
  #cursor: number;
  /** Where the next call begins: the cursor, or the start when the server knows no such position. */
  #from: number;
  #arrived: RecordedEvent[] = [];
  #call: ClientReadableStream<ReadResp> | undefined;
  #breaks = 0;
  #isCaughtUp = false;
  #isStopped = false;

  constructor(following: Following) {
    this.#is = following;
    this.#cursor = following.after;
    this.#from = following.after;
    this.caughtUp = this.#begin();
  }

  /** Its listener is not called any more. */
  stop(): void {
    this.#isStopped = true;
    this.#call?.cancel();
  }

  #begin(): Promise<void> {
    const caughtUp = new Promise<void>((resolve, reject) => {
      const onCaughtUp = () => {
        this.#isCaughtUp = true;
        resolve();
      };
      this.#follow(onCaughtUp).then(
        () => {
          // A stopped subscription is no fault: whoever does not await `caughtUp` must not crash of it.
          caughtUp.catch(() => {});
          reject(new StoreUnavailable('the subscription was stopped before it had caught up'));
        },
        (fault: unknown) => {
          if (this.#isCaughtUp) surface(fault);
          else reject(fault);
        },
      );
    });
    return caughtUp;
  }

  async #follow(onCaughtUp: () => void): Promise<void> {
    while (!this.#isStopped) {
      try {
        await this.#followOnce(onCaughtUp);
      } catch (fault) {
        if (this.#isStopped) return;
        if (fault instanceof NoSuchPosition && this.#from > 0) this.#from = 0;
        else if (!this.#isBorne(fault)) throw fault;
        await pause(this.#breaks);
        this.#breaks += 1;
      }
    }
  }

  /** A server that has let us read once will do so again, whatever it says while it restarts. */
  #isBorne(fault: unknown): boolean {
    if (fault instanceof StoreRefused) return this.#isCaughtUp;
    return fault instanceof NotNow || fault instanceof StoreUnavailable;
  }

  /** Ends only with an error: a subscription has no end of its own. */
  async #followOnce(onCaughtUp: () => void): Promise<void> {
    const { connection, removed } = this.#is;
    this.#removed ??= await removed();
    const client = await connection.client();
    if (this.#isStopped) return;
    try {
      const call = client.read(subscribeRequest(this.#from, PREFIXES), ...connection.with());
      this.#call = call;
      await this.#listen(call, onCaughtUp);
    } catch (fault) {
      await connection.doubt(client, fault);
      throw fault;
    }
  }

  #listen(call: ClientReadableStream<ReadResp>, onCaughtUp: () => void): Promise<void> {
    return new Promise((_resolve, reject) => {
      const onBroken = (fault: Error) => {
        this.#deliver();
        reject(fault);
      };
      call.on('data', (response: ReadResp) => {
        try {
          this.#take(response, onCaughtUp);
        } catch (fault) {
          onBroken(fault as Error);
          call.cancel();
        }
      });
      call.on('error', (fault) => onBroken(meaningOf(fault, this.#is.connection.where)));
      call.on('end', () => onBroken(new NotNow('the server ended the subscription')));
    });
  }

  #take(response: ReadResp, onCaughtUp: () => void): void {
    if (this.#isStopped) return;
    this.#breaks = 0;
    const answer = readAnswer(response);
    if (answer.is === 'event') this.#arrive(answer.event);
    else if (answer.is === 'caught-up') {
      this.#deliver();
      onCaughtUp();
    }
  }

  #arrive(event: ServerEvent): void {
    if (event.position <= this.#cursor) return;
    if (isOurs(event) && !this.#removed?.has(event.stream)) {
      if (this.#arrived.length === 0) setImmediate(() => this.#deliver());
      this.#arrived.push(this.#is.own.recorded(event) ?? recordedOf(event));
    }
    this.#cursor = event.position;
    this.#from = event.position;
  }

  #deliver(): void {
    const events = this.#arrived;
    if (events.length === 0 || this.#isStopped) return;
    this.#arrived = [];
    try {
      this.#is.onEvents(events);
    } catch (fault) {
      surface(fault);
    }
  }
}
