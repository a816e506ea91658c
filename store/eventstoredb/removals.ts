/**
 * Streams that were taken out of the log.
 *
 * Each gets a tombstone and not the softer delete: after that a late append with the old version would bring
 * the stream back, and the number of a job is never given twice. The server still has the events in $all until
 * its next scavenge, so a stream of ours lists the names of those that readers of the whole log must not see.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { StoreUnavailable } from '../port.ts';
import type { Appends } from './appends.ts';
import { ATTEMPT_MS, type Connection } from './connection.ts';
import { proposedOf, tombstoneRequest } from './messages.ts';
import { exceptionIn, meaningOf, patiently } from './patience.ts';
import type { Page, Reads } from './reads.ts';

/** Its name is none that readers of the log see. */
const LIST = 'muster-removed';
/** Others that append meanwhile make it begin again; nobody does that for long to what retention takes out. */
const ROUNDS_MAX = 20;

const Removed = z.object({ stream: z.string() });

/** Undefined for an event that another application wrote. */
function nameIn(data: string): string | undefined {
  try {
    return Removed.safeParse(JSON.parse(data)).data?.stream;
  } catch {
    return undefined;
  }
}

export class Removals {
  readonly #connection: Connection;
  readonly #appends: Appends;
  readonly #reads: Reads;
  readonly #names = new Set<string>();
  /** Of the list, up to which its names are known. */
  #version = 0;

  constructor(connection: Connection, appends: Appends, reads: Reads) {
    this.#connection = connection;
    this.#appends = appends;
    this.#reads = reads;
  }

  /** All that are removed by now, whoever removed them. */
  async streams(): Promise<ReadonlySet<string>> {
    let page: Page;
    do {
      page = await this.#reads.ofStream(LIST, this.#version, 'the log');
      for (const { data, version } of page.events) {
        const name = nameIn(data);
        if (name !== undefined) this.#names.add(name);
        this.#version = Math.max(this.#version, version);
      }
    } while (!page.isLast);
    return this.#names;
  }

  async remove(stream: string): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const last = await this.#reads.lastOfStream(stream);
      if (last === undefined) return;
      // First the list: a stream that is listed and still there is removed by the next attempt.
      if ((await this.#list(stream)) && (await this.#bury(stream, last.version))) return;
    }
    throw new StoreUnavailable(`${stream} cannot be removed while others append to it`);
  }

  /** Whether it is on the list now; if not, another one was listed at the same moment. */
  async #list(stream: string): Promise<boolean> {
    if (this.#names.has(stream)) return true;
    const event = { id: randomUUID(), type: 'StreamRemoved', data: JSON.stringify({ stream }) };
    const told = await this.#appends.send({
      stream: LIST,
      expectedVersion: this.#version,
      events: [proposedOf({ ...event, meta: {} })],
    });
    await this.streams();
    return told.is === 'appended';
  }

  #bury(stream: string, version: number): Promise<boolean> {
    const at = this.#connection;
    return patiently({ what: `remove ${stream}`, at, isOver: () => false }, () =>
      this.#attempt(stream, version),
    );
  }

  /** Whether it is buried now; if not, the stream has another version by now. */
  async #attempt(stream: string, version: number): Promise<boolean> {
    const client = await this.#connection.client();
    const fault = await new Promise((resolve) => {
      const request = tombstoneRequest(stream, version);
      client.tombstone(request, ...this.#connection.with(ATTEMPT_MS), (error) => resolve(error));
    });
    const exception = exceptionIn(fault);
    if (fault === null || exception === 'stream-deleted') return true;
    if (exception === 'wrong-expected-version') return false;
    const meaning = meaningOf(fault, this.#connection.where);
    await this.#connection.doubt(client, meaning);
    throw meaning;
  }
}
