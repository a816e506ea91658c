/** Tokens: a member's own, derived from the server's secret and never stored, and the one of the API. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';

/** Who a member's token speaks for. */
export interface MemberName {
  job: number;
  device: string;
}

const PREFIX = 'mb1';
/** The device may hold dots itself: its name is all between the job and the last dot. */
const MEMBER_TOKEN = /^mb1\.([1-9][0-9]{0,15})\.([^\s:]{1,63})\.([A-Za-z0-9_-]{86})$/;
/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 and in SPKI (RFC 8410). */
const PRIVATE_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_HEAD = Buffer.from('302a300506032b6570032100', 'hex');
const BEARER = /^bearer +(\S+) *$/i;

/**
 * The token with which the board `device` speaks in job `job`, and in no other: its name, signed (Ed25519) with a
 * key that is derived from the server's secret. Servers on one log know each other's public keys from it, so that a
 * board may speak to any of them and no secret is ever shared.
 */
export function memberToken(secret: Buffer, job: number, device: string): string {
  const signature = sign(null, named(job, device), privateKeyOf(secret));
  return `${PREFIX}.${job}.${device}.${signature.toString('base64url')}`;
}

const named = (job: number, device: string): Buffer => Buffer.from(`board:${job}:${device}`);

function privateKeyOf(secret: Buffer): KeyObject {
  const seed = createHash('sha256').update('member tokens\0').update(secret).digest();
  const key = Buffer.concat([PRIVATE_HEAD, seed]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

/** The public key that verifies the tokens of a server with this secret: 32 bytes, base64url. */
export function tokenKeyOf(secret: Buffer): string {
  const der = createPublicKey(privateKeyOf(secret)).export({ format: 'der', type: 'spki' });
  return der.subarray(PUBLIC_HEAD.length).toString('base64url');
}

/** Whom a token speaks for; `undefined`: none of these keys has signed it. */
export function readMemberToken(
  tokenKeys: Iterable<string>,
  token: string,
): MemberName | undefined {
  const [, number, device, given] = MEMBER_TOKEN.exec(token) ?? [];
  const job = Number(number);
  if (device === undefined || given === undefined || !Number.isSafeInteger(job)) return undefined;
  const signature = Buffer.from(given, 'base64url');
  // One signature has more than one spelling in base64: only the one that was given out counts.
  if (signature.toString('base64url') !== given) return undefined;
  for (const key of tokenKeys)
    if (verify(null, named(job, device), publicKey(key), signature)) return { job, device };
  return undefined;
}

function publicKey(key: string): KeyObject {
  const der = Buffer.concat([PUBLIC_HEAD, Buffer.from(key, 'base64url')]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

/** How many verified tokens are remembered: the boards of a large lab, and bounded. */
const TOKENS_KEPT_MAX = 10_000;

/**
 * Reads members' tokens and remembers those that are ours: a board says the same one with each of its messages.
 * A forged one is worked out anew each time, and never takes room.
 */
export class MemberTokens {
  readonly #tokenKeys: () => Iterable<string>;
  readonly #known = new Map<string, MemberName>();

  /** @param tokenKeys the public keys of the servers whose boards may speak here */
  constructor(tokenKeys: () => Iterable<string>) {
    this.#tokenKeys = tokenKeys;
  }

  /** Whom a token speaks for; `undefined`: it is none of ours. */
  read(token: string): MemberName | undefined {
    const known = this.#known.get(token);
    if (known !== undefined) return known;
    const member = readMemberToken(this.#tokenKeys(), token);
    if (member === undefined) return undefined;
    if (this.#known.size >= TOKENS_KEPT_MAX) this.#known.clear();
    this.#known.set(token, member);
    return member;
  }
}

/** The token of an `Authorization: Bearer` header. */
export function bearerToken(header: string | undefined): string | undefined {
  return header === undefined ? undefined : BEARER.exec(header)?.[1];
}

/** Compares two secrets in a time that tells nothing of either, their lengths included. */
export function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
