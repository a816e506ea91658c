/** Tokens: a member's own, derived from the server's secret and never stored, and the one of the API. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Who a member's token speaks for. */
export interface MemberName {
  job: number;
  device: string;
}

const PREFIX = 'mb1';
/** The device may hold dots itself: its name is all between the job and the last dot. */
const MEMBER_TOKEN = /^mb1\.([1-9][0-9]{0,15})\.([^\s:]{1,63})\.([A-Za-z0-9_-]{43})$/;
const BEARER = /^bearer +(\S+) *$/i;

/** The token with which the board `device` speaks in job `job`, and in no other. */
export function memberToken(secret: Buffer, job: number, device: string): string {
  return `${PREFIX}.${job}.${device}.${mac(secret, job, device)}`;
}

function mac(secret: Buffer, job: number, device: string): string {
  return createHmac('sha256', secret).update(`board:${job}:${device}`).digest('base64url');
}

/** Whom a token speaks for; `undefined`: it is none of ours. Compared in constant time. */
export function readMemberToken(secret: Buffer, token: string): MemberName | undefined {
  const [, number, device, given] = MEMBER_TOKEN.exec(token) ?? [];
  const job = Number(number);
  if (device === undefined || given === undefined || !Number.isSafeInteger(job)) return undefined;
  return isSame(given, mac(secret, job, device)) ? { job, device } : undefined;
}

/** How many verified tokens are remembered: the boards of a large lab, and bounded. */
const TOKENS_KEPT_MAX = 10_000;

/**
 * Reads members' tokens and remembers those that are ours: a board says the same one with each of its messages.
 * A forged one is worked out anew each time, in constant time, and never takes room.
 */
export class MemberTokens {
  readonly #secret: Buffer;
  readonly #known = new Map<string, MemberName>();

  constructor(secret: Buffer) {
    this.#secret = secret;
  }

  /** Whom a token speaks for; `undefined`: it is none of ours. */
  read(token: string): MemberName | undefined {
    const known = this.#known.get(token);
    if (known !== undefined) return known;
    const member = readMemberToken(this.#secret, token);
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
