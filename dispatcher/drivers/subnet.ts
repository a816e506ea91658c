/**
 * The addresses of boards that have a network on this machine: a subnet, and one of it for each board. Both come from the
 * data folder and the lab, so that they stay as they are, and several servers on one machine do not meet.
 */
import { StepFailure } from '../failure.ts';

/** 10.64.0.0/10: inside the private addresses, away from their beginning that everybody uses. */
const POOL_FIRST = 0x0a400000;
const POOL_ADDRESSES = 2 ** 22;
const PREFIX_DEFAULT = 24;
const PREFIX_MIN = 16;
/** The network's own address, the bridge's and the broadcast address are no board's. */
const BOARDS_FROM = 2;

export interface Range {
  first: number;
  /** How many addresses: a power of two. */
  size: number;
}

export interface BridgeBoard {
  name: string;
  address?: string | undefined;
}

export function ipv4(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}

/** `a.b.c.d` or `a.b.c.d/p`; `undefined` for anything else. */
export function rangeOf(text: string): Range | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(text);
  if (match === null) return undefined;
  const octets = match.slice(1, 5).map(Number);
  const prefix = match[5] === undefined ? 32 : Number(match[5]);
  if (octets.some((octet) => octet > 255) || prefix > 32) return undefined;
  const size = 2 ** (32 - prefix);
  const address = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  return { first: address - (address % size), size };
}

const overlap = (a: Range, b: Range): boolean =>
  a.first < b.first + b.size && b.first < a.first + a.size;

/**
 * A subnet that no route of the host touches, the same for the same seed as long as the routes are.
 *
 * @param seed any whole number, such as the hash of the data folder
 * @returns `undefined` when the whole pool is taken
 */
export function chooseSubnet(
  seed: number,
  boards: number,
  taken: readonly Range[],
): { range: Range; prefix: number } | undefined {
  let prefix = PREFIX_DEFAULT;
  while (prefix > PREFIX_MIN && 2 ** (32 - prefix) < boards + BOARDS_FROM + 1) prefix -= 1;
  const size = 2 ** (32 - prefix);
  const places = POOL_ADDRESSES / size;
  for (let tried = 0; tried < places; tried += 1) {
    const range = { first: POOL_FIRST + ((seed + tried) % places) * size, size };
    if (!taken.some((other) => overlap(range, other))) return { range, prefix };
  }
  return undefined;
}

/** Addresses for all boards: those that the lab gives, the others in order from the third address on. */
export function assignAddresses(boards: readonly BridgeBoard[], range: Range): Map<string, string> {
  const taken = new Set(boards.flatMap(({ address }) => (address === undefined ? [] : [address])));
  const addresses = new Map<string, string>();
  let next = range.first + BOARDS_FROM;
  for (const board of boards) {
    if (board.address !== undefined) {
      addresses.set(board.name, board.address);
      continue;
    }
    while (taken.has(ipv4(next))) next += 1;
    if (next >= range.first + range.size - 1)
      throw new StepFailure(
        'bridge-refused',
        `the subnet ${ipv4(range.first)} has no address for board ${board.name}: give the lab a larger one`,
      );
    addresses.set(board.name, ipv4(next));
    next += 1;
  }
  return addresses;
}

/** Stable, locally administered, and different for each address. */
export function macOf(address: string): string {
  const octets = address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return ['02', '6d', ...octets].join(':');
}
