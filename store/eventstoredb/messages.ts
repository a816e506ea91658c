/**
 * EventStoreDB's protocol: requests are made and answers are read here, and only here. The messages are those
 * that its client was generated with; what leaves this file are plain records with our versions and positions.
 *
 * A *revision* is the server's: the index of an event, from 0. A *version* is ours: the number of events.
 */
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import type {
  BatchAppendReq,
  BatchAppendResp,
  ReadReq,
  ReadResp,
  TombstoneReq,
} from '@eventstore/db-client/generated/streams_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import type { Checked } from '../edge.ts';
import { StoreRefused } from '../port.ts';

/** An append goes over the wire in messages of about this size; the server takes 4 MiB in one. */
const MESSAGE_BYTES = 1024 * 1024;
/** How many events of others the server looks through before it says how far it is. */
const SEARCH_WINDOW_EVENTS = 1_000;

/** One event as it lies in the server, with our numbers. */
export interface ServerEvent {
  id: string;
  type: string;
  /** Text, JSON when we wrote it. */
  data: string;
  meta: string;
  stream: string;
  version: number;
  position: number;
}

export type AppendAnswer =
  | { is: 'appended'; version: number; position: number }
  | { is: 'conflict'; actual: number }
  | { is: 'removed' }
  | { is: 'too-large'; bytesMax: number }
  | { is: 'denied' }
  /** The server could not do it now, or does not know whether it did. */
  | { is: 'not-now'; why: string };

/** An event as it is appended, once and for all attempts. */
export type Proposed = InstanceType<typeof streamsPb.BatchAppendReq.ProposedMessage>;

export function proposedOf({
  id,
  type,
  data,
  meta,
}: Pick<Checked, 'id' | 'data'> & { type: string; meta: object }): Proposed {
  const proposed = new streamsPb.BatchAppendReq.ProposedMessage();
  proposed.setId(uuidOf(id));
  proposed.getMetadataMap().set('type', type).set('content-type', 'application/json');
  proposed.setData(Buffer.from(data));
  proposed.setCustomMetadata(Buffer.from(JSON.stringify(meta)));
  return proposed;
}

export const bytesOf = (proposed: Proposed): number =>
  proposed.getData_asU8().length + proposed.getCustomMetadata_asU8().length;

export const idOf = (proposed: Proposed): string => proposed.getId()?.getString() ?? '';

/** One append, in as many messages as its size needs; only the last one makes the server write. */
export function appendRequests(append: {
  correlation: string;
  stream: string;
  expectedVersion: number;
  events: readonly Proposed[];
}): BatchAppendReq[] {
  const requests: BatchAppendReq[] = [];
  let rest = [...append.events];
  while (rest.length > 0) {
    const end = endOfMessage(rest);
    const request = new streamsPb.BatchAppendReq();
    request.setCorrelationId(uuidOf(append.correlation));
    if (requests.length === 0) request.setOptions(appendOptions(append));
    request.setProposedMessagesList(rest.slice(0, end));
    rest = rest.slice(end);
    request.setIsFinal(rest.length === 0);
    requests.push(request);
  }
  return requests;
}

function endOfMessage(events: readonly Proposed[]): number {
  let bytes = 0;
  const end = events.findIndex((event, index) => {
    bytes += bytesOf(event);
    return index > 0 && bytes > MESSAGE_BYTES;
  });
  return end === -1 ? events.length : end;
}

function appendOptions({ stream, expectedVersion }: { stream: string; expectedVersion: number }) {
  const options = new streamsPb.BatchAppendReq.Options();
  options.setStreamIdentifier(identifierOf(stream));
  if (expectedVersion === 0) options.setNoStream(new sharedPb.Empty());
  else options.setStreamPosition(String(expectedVersion - 1));
  return options;
}

export function appendAnswer(response: BatchAppendResp): {
  correlation: string;
  answer: AppendAnswer;
} {
  const correlation = response.getCorrelationId()?.getString() ?? '';
  const success = response.getSuccess();
  return { correlation, answer: success === undefined ? failureOf(response) : successOf(success) };
}

function successOf(success: BatchAppendResp.Success): AppendAnswer {
  const version = Number(success.getCurrentRevision()) + 1;
  const position = success.getPosition()?.getCommitPosition();
  if (isCountable(position)) return { is: 'appended', version, position: Number(position) };
  return { is: 'not-now', why: `the server put it at position ${position}` };
}

function failureOf(response: BatchAppendResp): AppendAnswer {
  const status = response.getError();
  const why = status?.getMessage() ?? 'an answer without a result';
  const details = status?.getDetails();
  switch (details?.getTypeName()) {
    case 'event_store.client.WrongExpectedVersion': {
      const wrong = sharedPb.WrongExpectedVersion.deserializeBinary(details.getValue_asU8());
      const isThere = wrong.hasCurrentStreamRevision();
      return { is: 'conflict', actual: isThere ? Number(wrong.getCurrentStreamRevision()) + 1 : 0 };
    }
    case 'event_store.client.MaximumAppendSizeExceeded': {
      const size = sharedPb.MaximumAppendSizeExceeded.deserializeBinary(details.getValue_asU8());
      return { is: 'too-large', bytesMax: size.getMaxappendsize() };
    }
    case 'event_store.client.StreamDeleted':
      return { is: 'removed' };
    case 'event_store.client.AccessDenied':
      return { is: 'denied' };
    default:
      return { is: 'not-now', why };
  }
}

/** At most `count` events of one stream with a version above `after`, or its last one. */
export function readStreamRequest(
  stream: string,
  from: { after: number; count: number } | 'last',
): ReadReq {
  const place = new streamsPb.ReadReq.Options.StreamOptions();
  place.setStreamIdentifier(identifierOf(stream));
  if (from === 'last') place.setEnd(new sharedPb.Empty());
  // The revision of the first event above version n is n.
  else place.setRevision(String(from.after));
  const options = readOptions(from === 'last' ? 1 : 0);
  options.setStream(place);
  options.setNoFilter(new sharedPb.Empty());
  options.setCount(String(from === 'last' ? 1 : from.count));
  return requestOf(options);
}

/**
 * At most `count` events of the log whose streams have one of the prefixes. Forwards the event at the position
 * itself is one of them, backwards it is not; position 0 is the start, and backwards the end, of the log.
 */
export function readAllRequest(read: {
  position: number;
  direction: 'forwards' | 'backwards';
  count: number;
  prefixes: readonly string[];
}): ReadReq {
  const options = readOptions(read.direction === 'forwards' ? 0 : 1);
  options.setAll(placeInAll(read.position, read.direction));
  options.setFilter(streamFilter(read.prefixes));
  options.setCount(String(read.count));
  return requestOf(options);
}

/** All events above the position and then those to come, for ever. */
export function subscribeRequest(after: number, prefixes: readonly string[]): ReadReq {
  const options = readOptions(0);
  options.setAll(placeInAll(after, 'forwards'));
  options.setFilter(streamFilter(prefixes));
  options.setSubscription(new streamsPb.ReadReq.Options.SubscriptionOptions());
  return requestOf(options);
}

function readOptions(direction: 0 | 1) {
  const options = new streamsPb.ReadReq.Options();
  const uuids = new streamsPb.ReadReq.Options.UUIDOption();
  uuids.setString(new sharedPb.Empty());
  options.setUuidOption(uuids);
  options.setReadDirection(direction);
  return options;
}

function requestOf(options: ReadReq.Options): ReadReq {
  const request = new streamsPb.ReadReq();
  request.setOptions(options);
  return request;
}

function placeInAll(position: number, direction: 'forwards' | 'backwards') {
  const place = new streamsPb.ReadReq.Options.AllOptions();
  if (position === 0 && direction === 'forwards') place.setStart(new sharedPb.Empty());
  else if (position === 0) place.setEnd(new sharedPb.Empty());
  else {
    const both = new streamsPb.ReadReq.Options.Position();
    both.setCommitPosition(String(position));
    both.setPreparePosition(String(position));
    place.setPosition(both);
  }
  return place;
}

function streamFilter(prefixes: readonly string[]) {
  const expression = new streamsPb.ReadReq.Options.FilterOptions.Expression();
  expression.setPrefixList([...prefixes]);
  const filter = new streamsPb.ReadReq.Options.FilterOptions();
  filter.setStreamIdentifier(expression);
  filter.setMax(SEARCH_WINDOW_EVENTS);
  filter.setCheckpointintervalmultiplier(1);
  return filter;
}

export function tombstoneRequest(stream: string, expectedVersion: number): TombstoneReq {
  const options = new streamsPb.TombstoneReq.Options();
  options.setStreamIdentifier(identifierOf(stream));
  options.setRevision(String(expectedVersion - 1));
  const request = new streamsPb.TombstoneReq();
  request.setOptions(options);
  return request;
}

export type ReadAnswer =
  | { is: 'event'; event: ServerEvent }
  | { is: 'caught-up' }
  | { is: 'other' };

export function readAnswer(answer: ReadResp): ReadAnswer {
  const record = answer.getEvent()?.getEvent();
  if (record !== undefined) return { is: 'event', event: eventOf(record) };
  return answer.hasCaughtUp() ? { is: 'caught-up' } : { is: 'other' };
}

function eventOf(record: ReadResp.ReadEvent.RecordedEvent): ServerEvent {
  return {
    id: record.getId()?.getString() ?? '',
    type: record.getMetadataMap().get('type') ?? '',
    data: textOf(record.getData_asU8()),
    meta: textOf(record.getCustomMetadata_asU8()),
    stream: textOf(record.getStreamIdentifier()?.getStreamName_asU8() ?? new Uint8Array()),
    version: Number(record.getStreamRevision()) + 1,
    position: positionOf(record.getCommitPosition()),
  };
}

/**
 * A commit position: the byte in the server's log where the event begins, the same in the answer to an append
 * (for the last of its events, also when it is repeated), in a stream, in $all and in a subscription.
 */
function positionOf(text: string): number {
  if (isCountable(text)) return Number(text);
  throw new StoreRefused(
    `the server's log has reached position ${text}; Muster counts up to ${Number.MAX_SAFE_INTEGER}`,
  );
}

const isCountable = (position: string | undefined): boolean =>
  position !== undefined && Number.isSafeInteger(Number(position));

function uuidOf(text: string) {
  const uuid = new sharedPb.UUID();
  uuid.setString(text);
  return uuid;
}

function identifierOf(stream: string) {
  const identifier = new sharedPb.StreamIdentifier();
  identifier.setStreamName(Buffer.from(stream));
  return identifier;
}

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
