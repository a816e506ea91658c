/**
 * A stand-in for EventStoreDB: its protocol, made of the client's own service definitions, over a log in
 * memory. For what only a server at hand can be made to do; that a real one works is shown on a real one.
 * Where they were compared (24.10): positions, conflicts, repeats, tombstones, filters, limits and errors.
 */
import gossipGrpc from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import gossipPb from '@eventstore/db-client/generated/gossip_pb.js';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import statusPb from '@eventstore/db-client/generated/status_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type {
  BatchAppendReq,
  BatchAppendResp,
  ReadReq,
  ReadResp,
  TombstoneReq,
  TombstoneResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import anyPb from 'google-protobuf/google/protobuf/any_pb.js';
import { type Record, StandInLog } from './eventstore-log.ts';

const APPEND_BYTES_MAX = 1024 * 1024;

export interface StandIn {
  port: number;
  log: StandInLog;
  /** Another server leads: this one sends its callers there. */
  leaderPort: number | undefined;
  isReady: boolean;
  /** It wants another login. */
  isLocked: boolean;
  /** Breaks all connections. The log stays, for another server. */
  stop(): void;
}

export async function startStandIn(
  options: {
    log?: StandInLog;
    port?: number;
    appendBytesMax?: number;
    /** Plain where nothing is said. */
    tls?: { key: Buffer; certificate: Buffer };
  } = {},
): Promise<StandIn> {
  const server = new Server({ 'grpc.max_receive_message_length': 4 * 1024 * 1024 });
  const standIn: StandIn = {
    port: 0,
    log: options.log ?? new StandInLog(),
    leaderPort: undefined,
    isReady: true,
    isLocked: false,
    stop: () => server.forceShutdown(),
  };
  const appendBytesMax = options.appendBytesMax ?? APPEND_BYTES_MAX;
  server.addService(streamsGrpc.StreamsService, {
    batchAppend: (call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>) =>
      batchAppend(standIn, call, appendBytesMax),
    read: (call: ServerWritableStream<ReadReq, ReadResp>) => read(standIn, call),
    tombstone: (
      call: ServerUnaryCall<TombstoneReq, TombstoneResp>,
      answer: sendUnaryData<TombstoneResp>,
    ) => tombstone(standIn, call.request, answer),
    append: unimplemented,
    delete: unimplemented,
  });
  server.addService(gossipGrpc.GossipService, {
    read: (_call: unknown, answer: sendUnaryData<unknown>) => answer(null, membersOf(standIn)),
  });
  const address = `127.0.0.1:${options.port ?? 0}`;
  standIn.port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, credentialsOf(options.tls), (fault, port) =>
      fault ? reject(fault) : resolve(port),
    );
  });
  return standIn;
}

const credentialsOf = (tls?: { key: Buffer; certificate: Buffer }) =>
  tls === undefined
    ? ServerCredentials.createInsecure()
    : ServerCredentials.createSsl(null, [{ private_key: tls.key, cert_chain: tls.certificate }]);

const unimplemented = (_call: unknown, answer: sendUnaryData<unknown>) =>
  answer({ code: status.UNIMPLEMENTED, details: 'not in this stand-in' });

function membersOf({ port, leaderPort }: StandIn) {
  const endpoint = new gossipPb.EndPoint();
  endpoint.setAddress('127.0.0.1').setPort(leaderPort ?? port);
  const member = new gossipPb.MemberInfo();
  member.setHttpEndPoint(endpoint).setIsAlive(true);
  member.setInstanceId(uuidOf('11111111-1111-4111-8111-111111111111'));
  member.setState(gossipPb.MemberInfo.VNodeState.LEADER);
  return new gossipPb.ClusterInfo().setMembersList([member]);
}

function notLeader(port: number) {
  const metadata = new Metadata();
  metadata.set('exception', 'not-leader');
  metadata.set('leader-endpoint-host', '127.0.0.1');
  metadata.set('leader-endpoint-port', String(port));
  return { code: status.NOT_FOUND, details: 'Leader info available', metadata };
}

function exception(code: status, name: string) {
  const metadata = new Metadata();
  metadata.set('exception', name);
  return { code, details: name, metadata };
}

function batchAppend(
  standIn: StandIn,
  call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>,
  appendBytesMax: number,
): void {
  const begun = new Map<string, BatchAppendReq>();
  call.on('data', (request: BatchAppendReq) => {
    if (standIn.leaderPort !== undefined) {
      call.emit('error', notLeader(standIn.leaderPort));
      return;
    }
    const correlation = request.getCorrelationId()?.getString() ?? '';
    const whole = begun.get(correlation) ?? request;
    if (whole !== request)
      for (const event of request.getProposedMessagesList()) whole.addProposedMessages(event);
    begun.set(correlation, whole);
    if (!request.getIsFinal()) return;
    begun.delete(correlation);
    call.write(answerTo(standIn, whole, appendBytesMax));
  });
  call.on('end', () => call.end());
}

function answerTo(standIn: StandIn, request: BatchAppendReq, appendBytesMax: number) {
  const answer = new streamsPb.BatchAppendResp();
  answer.setCorrelationId(request.getCorrelationId());
  const options = request.getOptions()!;
  const events = request.getProposedMessagesList().map((message) => ({
    id: message.getId()!.getString(),
    type: message.getMetadataMap().get('type') ?? '',
    data: message.getData_asU8(),
    meta: message.getCustomMetadata_asU8(),
  }));
  const bytes = events.reduce((sum, { data, meta }) => sum + data.length + meta.length, 0);
  const expected = options.hasNoStream() ? 0 : Number(options.getStreamPosition()) + 1;
  if (standIn.isLocked)
    return answer.setError(failure('AccessDenied', new sharedPb.AccessDenied()));
  if (!standIn.isReady) return answer.setError(new statusPb.Status().setMessage('Not Ready'));
  if (bytes > appendBytesMax)
    return answer.setError(
      failure(
        'MaximumAppendSizeExceeded',
        new sharedPb.MaximumAppendSizeExceeded().setMaxappendsize(appendBytesMax),
      ),
    );
  const outcome = standIn.log.append(nameOf(options.getStreamIdentifier()), expected, events);
  if (outcome === 'deleted')
    return answer.setError(failure('StreamDeleted', new sharedPb.StreamDeleted()));
  if (typeof outcome === 'number') return answer.setError(conflict(outcome));
  const position = new streamsPb.BatchAppendResp.Success().setCurrentRevision(
    String(outcome.version - 1),
  );
  const place = new sharedPb.AllStreamPosition();
  place.setCommitPosition(String(outcome.position)).setPreparePosition(String(outcome.position));
  return answer.setSuccess(position.setPosition(place));
}

function conflict(actual: number) {
  const wrong = new sharedPb.WrongExpectedVersion();
  if (actual > 0) wrong.setCurrentStreamRevision(String(actual - 1));
  else wrong.setCurrentNoStream(new sharedPb.Empty());
  return failure('WrongExpectedVersion', wrong);
}

function failure(name: string, details: { serializeBinary(): Uint8Array }) {
  const any = new anyPb.Any();
  any.pack(details.serializeBinary(), `event_store.client.${name}`);
  return new statusPb.Status().setDetails(any).setMessage(name);
}

function read(standIn: StandIn, call: ServerWritableStream<ReadReq, ReadResp>): void {
  const options = call.request.getOptions()!;
  const isBackwards = options.getReadDirection() === 1;
  if (standIn.leaderPort !== undefined) {
    call.emit('error', notLeader(standIn.leaderPort));
    return;
  }
  if (standIn.isLocked) {
    call.emit('error', { code: status.PERMISSION_DENIED, details: 'Access Denied' });
    return;
  }
  if (!standIn.isReady) {
    call.emit('error', { code: status.UNAVAILABLE, details: 'Server Is Not Ready' });
    return;
  }
  if (options.hasStream()) {
    readStream(standIn.log, call, options, isBackwards);
    return;
  }
  const place = options.getAll()!.getPosition();
  const position = place === undefined ? undefined : Number(place.getCommitPosition());
  const prefixes = options.getFilter()!.getStreamIdentifier()!.getPrefixList();
  const matches = ({ stream }: Record) => prefixes.some((prefix) => stream.startsWith(prefix));
  if (position !== undefined && !standIn.log.records.some((is) => is.position === position)) {
    call.emit('error', invalidPosition(options.hasSubscription()));
    return;
  }
  if (options.hasSubscription()) {
    subscribe(standIn.log, call, position ?? 0, matches);
    return;
  }
  const records = standIn.log.records.filter(matches);
  const found = isBackwards
    ? records.filter((is) => is.position < (position ?? Number.POSITIVE_INFINITY)).reverse()
    : records.filter((is) => is.position >= (position ?? 0));
  for (const record of found.slice(0, Number(options.getCount()))) call.write(responseOf(record));
  call.end();
}

const invalidPosition = (isSubscription: boolean) =>
  isSubscription
    ? { code: status.INVALID_ARGUMENT, details: 'Trying to read from an invalid position.' }
    : { code: status.UNKNOWN, details: 'Unexpected FilteredReadAllResult: InvalidPosition' };

function readStream(
  log: StandInLog,
  call: ServerWritableStream<ReadReq, ReadResp>,
  options: ReadReq.Options,
  isBackwards: boolean,
): void {
  const stream = nameOf(options.getStream()!.getStreamIdentifier());
  const events = log.eventsOf(stream);
  if (events === 'deleted') {
    call.emit('error', exception(status.FAILED_PRECONDITION, 'stream-deleted'));
    return;
  }
  if (events.length === 0) {
    const none = new streamsPb.ReadResp.StreamNotFound();
    call.write(new streamsPb.ReadResp().setStreamNotFound(none));
  }
  const from = Number(options.getStream()!.getRevision());
  const count = Number(options.getCount());
  const found = isBackwards ? events.slice(-1) : events.slice(from, from + count);
  for (const record of found) call.write(responseOf(record));
  call.end();
}

function subscribe(
  log: StandInLog,
  call: ServerWritableStream<ReadReq, ReadResp>,
  after: number,
  matches: (record: Record) => boolean,
): void {
  const confirmation = new streamsPb.ReadResp.SubscriptionConfirmation().setSubscriptionId('1');
  call.write(new streamsPb.ReadResp().setConfirmation(confirmation));
  for (const record of log.records)
    if (record.position > after && matches(record)) call.write(responseOf(record));
  call.write(new streamsPb.ReadResp().setCaughtUp(new streamsPb.ReadResp.CaughtUp()));
  const forget = log.listen((record) => {
    if (matches(record)) call.write(responseOf(record));
  });
  call.on('cancelled', () => {
    forget();
    call.end();
  });
}

function tombstone(
  { log, leaderPort }: StandIn,
  request: TombstoneReq,
  answer: sendUnaryData<TombstoneResp>,
): void {
  if (leaderPort !== undefined) {
    answer(notLeader(leaderPort));
    return;
  }
  const options = request.getOptions()!;
  const stream = nameOf(options.getStreamIdentifier());
  const outcome = log.bury(stream, Number(options.getRevision()) + 1);
  if (outcome === 'buried') answer(null, new streamsPb.TombstoneResp());
  else answer(exception(status.FAILED_PRECONDITION, outcome));
}

function responseOf(record: Record): ReadResp {
  const recorded = new streamsPb.ReadResp.ReadEvent.RecordedEvent();
  recorded.setId(uuidOf(record.id));
  recorded.setStreamIdentifier(
    new sharedPb.StreamIdentifier().setStreamName(Buffer.from(record.stream)),
  );
  recorded.setStreamRevision(String(record.version - 1));
  recorded.setCommitPosition(String(record.position)).setPreparePosition(String(record.position));
  recorded.getMetadataMap().set('type', record.type).set('content-type', 'application/json');
  recorded.setData(record.data).setCustomMetadata(record.meta);
  const event = new streamsPb.ReadResp.ReadEvent().setEvent(recorded);
  event.setCommitPosition(String(record.position));
  return new streamsPb.ReadResp().setEvent(event);
}

const uuidOf = (text: string) => new sharedPb.UUID().setString(text);

const nameOf = (identifier: { getStreamName_asU8(): Uint8Array } | undefined): string =>
  Buffer.from(identifier?.getStreamName_asU8() ?? []).toString();
