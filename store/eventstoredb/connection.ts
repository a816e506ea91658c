/**
 * The way to the server that leads: who leads now, and one gRPC channel to it, made anew whenever it is in doubt.
 *
 * Of EventStoreDB's client this uses the protocol's definitions, and not its calls (6.2.1, read and seen). It
 * prints an address with its password when it does not know a setting, and has no words for why no server leads.
 * Its appends of all clients of a process share one table of answers, which the break of any connection empties:
 * an answer that comes after that is thrown out of an event handler and ends the process. A stream that it reads
 * cannot be left or cancelled, `readAll` has no filter, and its channel may wait for two minutes before it tries
 * a server that is back.
 */
import streamsGrpc, {
  type StreamsClient,
} from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { type CallOptions, Metadata } from '@grpc/grpc-js';
import { type Address, parseAddress } from './address.ts';
import { findLeader } from './leader.ts';
import { type Endpoint, NotNow, type Servers, textOf } from './patience.ts';
import { type Door, doorsOf } from './tls.ts';

/** How long one attempt may take. A server that answers at all answers sooner, or says that it cannot. */
export const ATTEMPT_MS = 5_000;

const KEEP_ALIVE_MS = 10_000;
const RECONNECT_MS_MIN = 100;
const RECONNECT_MS_MAX = 1_000;
/** The largest event that any server holds, and its envelope. */
const MESSAGE_BYTES_MAX = 17 * 1024 * 1024;

export class Connection implements Servers {
  readonly where: string;
  wasOpen = false;
  readonly #address: Address;
  readonly #doorTo: (to: Endpoint) => Door;
  readonly #metadata: Metadata;
  #client: Promise<StreamsClient> | undefined;
  #failed: Endpoint | undefined;
  #leader: Endpoint | undefined;

  /** @throws StoreRefused for an address that is none, or whose files cannot be read */
  constructor(address: string) {
    this.#address = parseAddress(address);
    this.where = `esdb://${this.#address.hosts.map(textOf).join(',')}`;
    this.#doorTo = doorsOf(this.#address, this.where);
    this.#metadata = metadataOf(this.#address);
  }

  /** @throws NotNow when no server can be found that would take calls */
  client(): Promise<StreamsClient> {
    this.#client ??= this.#connect().catch((fault) => {
      this.#client = undefined;
      throw fault;
    });
    return this.#client;
  }

  /** What goes with a call; without a deadline it may last for ever. */
  with(deadlineMs?: number): [Metadata, CallOptions] {
    const deadline = deadlineMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + deadlineMs;
    return [this.#metadata.clone(), { deadline }];
  }

  /** After a fault: the next call looks for the leader anew. Calls under way on the old channel may still end. */
  async doubt(client: StreamsClient, fault: unknown): Promise<void> {
    if (!(fault instanceof NotNow) || fault.isAnswer) return;
    const current = await this.#client?.catch(() => undefined);
    if (current !== client) return;
    this.#client = undefined;
    this.#leader = fault.leader;
    client.close();
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    client?.close();
  }

  async #connect(): Promise<StreamsClient> {
    const { settings } = this.#address;
    const endpoint = this.#leader ?? (await this.#discover());
    this.#leader = undefined;
    this.#failed = endpoint;
    const { credentials, options } = this.#doorTo(endpoint);
    return new streamsGrpc.StreamsClient(textOf(endpoint), credentials, {
      ...options,
      'grpc.keepalive_time_ms': Number(settings.get('keepAliveInterval') ?? KEEP_ALIVE_MS),
      'grpc.keepalive_timeout_ms': Number(settings.get('keepAliveTimeout') ?? KEEP_ALIVE_MS),
      'grpc.initial_reconnect_backoff_ms': RECONNECT_MS_MIN,
      'grpc.max_reconnect_backoff_ms': RECONNECT_MS_MAX,
      'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  #discover(): Promise<Endpoint> | Endpoint {
    const { hosts, isDiscovered } = this.#address;
    if (!isDiscovered) return hosts[0];
    const [doorTo, metadata, last] = [this.#doorTo, this.#metadata, this.#failed];
    return findLeader(hosts, { doorTo, metadata, last });
  }
}

/** Every call goes to the leader: what a follower shows may be older than what was acknowledged. */
function metadataOf({ tls, login, settings }: Address): Metadata {
  const metadata = new Metadata();
  metadata.set('requires-leader', 'true');
  metadata.set('connection-name', settings.get('connectionName') ?? 'muster');
  if (login !== undefined && tls) {
    const text = Buffer.from(`${login.user}:${login.password}`).toString('base64');
    metadata.set('authorization', `Basic ${text}`);
  }
  return metadata;
}
