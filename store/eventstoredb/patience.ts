/**
 * What an error of the server or of the connection means, and how long it is borne: a server that restarts, a
 * cluster that elects and a connection that breaks are tried again, within a limit; the rest is said at once. A
 * server that has let us read once will do so again, whatever it says while its certificates or logins change.
 */
import { isIPv6 } from 'node:net';
import { type ServiceError, status } from '@grpc/grpc-js';
import { StoreRefused, StoreUnavailable } from '../port.ts';

/** No new attempt begins after this. A cluster whose leader was killed takes appends again after about 5 s. */
const PATIENCE_MS = 10_000;
const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 1_000;

export interface Endpoint {
  address: string;
  port: number;
}

export interface Servers {
  /** As they were named, without the login. */
  readonly where: string;
  /** They have let us read. */
  readonly wasOpen: boolean;
}

export const textOf = ({ address, port }: Endpoint): string =>
  `${isIPv6(address) ? `[${address}]` : address}:${port}`;

/** It was not possible this time, or nobody knows whether it was done. To try again is right. */
export class NotNow extends Error {
  override readonly name = 'NotNow';
  /** The leader answered, and so the connection to it is as good as any. */
  readonly isAnswer: boolean;
  /** Who leads instead, when the server said so. */
  readonly leader: Endpoint | undefined;
  constructor(why: string, is: { isAnswer?: boolean; leader?: Endpoint | undefined } = {}) {
    super(why);
    this.isAnswer = is.isAnswer ?? false;
    this.leader = is.leader;
  }
}

/** No event begins at the position from which to read: it is of another log. */
export class NoSuchPosition extends Error {
  override readonly name = 'NoSuchPosition';
}

/** What a failed call means to its caller. */
export function meaningOf(fault: unknown, where: string): Error {
  if (!isServiceError(fault)) return fault instanceof Error ? fault : new Error(String(fault));
  const { code, metadata } = fault;
  const details = plain(fault.details);
  if (code === status.UNAUTHENTICATED || code === status.PERMISSION_DENIED)
    return denied(where, details);
  if (code === status.UNIMPLEMENTED)
    return new StoreRefused(`${where} is no EventStoreDB server that Muster knows: ${details}`);
  if (/certificate|SSL routines|self.signed/i.test(details))
    return new StoreRefused(
      `${where}: no secure connection: ${details}\n` +
        'Use tls=false for a server without TLS, tlsCAFile=FILE for the authority of its\n' +
        'certificate, and as HOST a name that is in it.',
    );
  if (/Invalid ?Position/i.test(details)) return new NoSuchPosition(details);
  if (exceptionIn(fault) === 'not-leader')
    return new NotNow(details, { leader: leaderIn(metadata) });
  return new NotNow(details);
}

/** What is the cause of it, without the words that gRPC and OpenSSL put around it. */
function plain(details: string): string {
  const late = /^Deadline exceeded after ([\d.]+)s/.exec(details);
  if (late !== null) return `no answer within ${Math.round(Number(late[1]))} s`;
  // Another caller gave this connection up, and waits as long.
  if (details.startsWith('Channel closed')) return 'no server took the connection';
  const cause =
    /Last error: (?:\w*Error(?: \[\w+\])?: )?(.*?)(?: \([-:.TZ\d]+\))?\. Resolution note: /s;
  const text = cause.exec(details)?.[1] ?? details;
  return text.replace(/^.*:error:\w+:(SSL routines):[^:]*:([^:]+):.*$/s, '$1: $2');
}

export const denied = (where: string, details: string): StoreRefused =>
  new StoreRefused(
    `${where} does not let this login read and write its log: ${details}\n` +
      'The login in the address (esdb://USER:PASSWORD@HOST) needs the right to read $all.',
  );

/** The server's own word for what went wrong, where it has one. */
export const exceptionIn = (fault: unknown): string | undefined =>
  isServiceError(fault) ? fault.metadata.get('exception')[0]?.toString() : undefined;

const isServiceError = (fault: unknown): fault is ServiceError =>
  fault instanceof Error && 'code' in fault && 'details' in fault && 'metadata' in fault;

function leaderIn(metadata: ServiceError['metadata']): Endpoint | undefined {
  const address = metadata.get('leader-endpoint-host')[0];
  const port = Number(metadata.get('leader-endpoint-port')[0]);
  return address === undefined || !(port > 0) ? undefined : { address: String(address), port };
}

/**
 * Tries until it is done or refused, but not for ever.
 *
 * @throws StoreUnavailable when it was not possible in time, or `isOver` says that nobody waits any more
 */
export async function patiently<T>(
  to: { what: string; at: Servers; isOver: () => boolean },
  attempt: () => Promise<T>,
): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (let tries = 0; ; tries += 1) {
    try {
      return await attempt();
    } catch (fault) {
      if (!isBorne(fault, to.at)) throw fault;
      if (to.isOver()) throw new StoreUnavailable(`${to.at.where}: the store was closed`);
      if (performance.now() > end) throw givenUp(to, fault);
      await pause(tries);
    }
  }
}

const isBorne = (fault: unknown, { wasOpen }: Servers): fault is Error =>
  fault instanceof NotNow || (wasOpen && fault instanceof StoreRefused);

function givenUp({ what, at }: { what: string; at: Servers }, last: Error): StoreUnavailable {
  return new StoreUnavailable(
    `${at.where}: could not ${what} for ${PATIENCE_MS / 1000} s: ${last.message}\n` +
      'Check that they run, have a leader, and that tls= in the address fits them.',
  );
}

/** Longer each time, up to a limit. */
export function pause(tries: number): Promise<void> {
  const ms = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(tries, 10));
  return new Promise((resolve) => setTimeout(resolve, ms));
}
