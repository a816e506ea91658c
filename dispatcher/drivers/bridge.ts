/**
 * The network of `local` boards: one bridge of the worker, an address in its subnet for each board.
 * Name and subnet come from the data folder, so that several servers on one machine do not meet.
 */
import { StepFailure } from '../failure.ts';
import { lastLine, runProgram } from '../programs.ts';

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

export interface Bridge {
  name: string;
  /** Its own IPv4 address: where the boards find the server. */
  address: string;
  prefix: number;
  addressOf(device: string): string | undefined;
  /** The worker's end of a board's link. */
  linkOf(device: string): string;
}

export interface BridgeWish {
  name?: string | undefined;
  subnet?: string | undefined;
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

/**
 * Makes the bridge, or takes over the one that is there (of an earlier life, or the lab's own).
 *
 * @param hash of the data folder, hexadecimal
 * @throws StepFailure `bridge-refused`
 */
export async function openBridge(
  hash: string,
  wish: BridgeWish,
  boards: readonly BridgeBoard[],
): Promise<Bridge> {
  const name = wish.name ?? `m${hash.slice(0, 8)}br`;
  const there = await linkNamed(name);
  const { range, prefix } = await subnetFor(hash, wish, boards, name);
  const address = ipv4(range.first + 1);
  const mac = macOf(address);
  const steps: string[] = [];
  if (there === undefined)
    steps.push(
      `link add name ${name} address ${mac} type bridge`,
      `link set dev ${name} alias ${ownerMark(hash)}`,
    );
  if (!(await addressesOn(name)).includes(`${address}/${prefix}`))
    steps.push(`addr add ${address}/${prefix} brd + dev ${name}`);
  steps.push(`link set dev ${name} up`);
  await ipBatch(steps);
  const addresses = assignAddresses(boards, range);
  const links = new Map(
    boards.map((board, index) => [board.name, `m${hash.slice(0, 8)}v${index}`]),
  );
  return {
    name,
    address,
    prefix,
    addressOf: (device) => addresses.get(device),
    linkOf: (device) => links.get(device) ?? '',
  };
}

async function subnetFor(
  hash: string,
  wish: BridgeWish,
  boards: readonly BridgeBoard[],
  name: string,
): Promise<{ range: Range; prefix: number }> {
  const asked = wish.subnet ?? (await addressesOn(name))[0];
  if (asked !== undefined) {
    const range = rangeOf(asked);
    const prefix = Number(asked.split('/')[1]);
    if (range === undefined || !(prefix >= 8 && prefix <= 30))
      throw new StepFailure('bridge-refused', `"${asked}" is no subnet such as 10.66.0.0/24`);
    return { range, prefix };
  }
  const chosen = chooseSubnet(Number.parseInt(hash.slice(0, 8), 16), boards.length, await routes());
  if (chosen === undefined)
    throw new StepFailure(
      'bridge-refused',
      'no free subnet in 10.64.0.0/10: give the lab one (bridge: subnet:)',
    );
  return chosen;
}

/** Removes the bridge, when it is ours and not the lab's. */
export async function removeBridge(hash: string, name: string): Promise<void> {
  const link = await linkNamed(name);
  if (link?.ifalias === ownerMark(hash)) await runProgram('ip', ['link', 'del', 'dev', name]);
}

/** The worker's ends of links of this data folder. */
export async function boardLinks(hash: string): Promise<string[]> {
  const links = await ipJson<{ ifname: string }>(['link', 'show', 'type', 'veth']);
  const start = `m${hash.slice(0, 8)}v`;
  return links.map(({ ifname }) => ifname).filter((name) => name.startsWith(start));
}

export async function removeLink(name: string): Promise<void> {
  await runProgram('ip', ['link', 'del', 'dev', name]);
}

/** Plugs a board in: a link from the bridge to `eth0` in the network namespace of `pid`. */
export async function plugIn(bridge: Bridge, device: string, pid: number): Promise<void> {
  const link = bridge.linkOf(device);
  const mac = macOf(bridge.addressOf(device) ?? '0.0.0.0');
  await ipBatch([
    `link add name ${link} type veth peer name eth0 address ${mac} netns ${pid}`,
    `link set dev ${link} master ${bridge.name} up`,
  ]);
}

/** What the board itself tells `ip -batch`. */
export function boardNetwork(bridge: Bridge, device: string): string {
  const address = bridge.addressOf(device) ?? '';
  return [
    'link set dev lo up',
    `addr add ${address}/${bridge.prefix} brd + dev eth0`,
    'link set dev eth0 up',
    `route add default via ${bridge.address}`,
    '',
  ].join('\n');
}

/** Stable, locally administered, and different for each address. */
function macOf(address: string): string {
  const octets = address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return ['02', '6d', ...octets].join(':');
}

const ownerMark = (hash: string): string => `muster:${hash}`;

async function routes(): Promise<Range[]> {
  const list = await ipJson<{ dst?: string }>(['-4', 'route', 'show', 'table', 'all']);
  return list.flatMap(({ dst }) => {
    const range = dst === undefined ? undefined : rangeOf(dst);
    return range === undefined || range.first === 0 ? [] : [range];
  });
}

async function addressesOn(name: string): Promise<string[]> {
  const links = await ipJson<{ addr_info?: { local?: string; prefixlen?: number }[] }>([
    '-4',
    'addr',
    'show',
    'dev',
    name,
  ]);
  return links.flatMap(({ addr_info }) =>
    (addr_info ?? []).flatMap(({ local, prefixlen }) =>
      local === undefined ? [] : [`${local}/${prefixlen}`],
    ),
  );
}

async function linkNamed(name: string): Promise<{ ifalias?: string } | undefined> {
  return (await ipJson<{ ifalias?: string }>(['link', 'show', 'dev', name]))[0];
}

/** Rows of `ip -json`; none when the thing asked for does not exist. */
async function ipJson<T>(args: string[]): Promise<T[]> {
  const end = await runProgram('ip', ['-json', ...args]);
  if (end.status !== 0 || end.stdout.trim() === '') return [];
  const rows: unknown = JSON.parse(end.stdout);
  // `ip` gives an empty object for what a filter left out.
  return Array.isArray(rows) ? rows.filter((row) => Object.keys(row).length > 0) : [];
}

async function ipBatch(steps: string[]): Promise<void> {
  const end = await runProgram('ip', ['-batch', '-'], { input: `${steps.join('\n')}\n` });
  if (end.status === 0) return;
  const why = end.stderr.trim().split('\n')[0] ?? '';
  throw new StepFailure('bridge-refused', `ip: ${why === '' ? lastLine(end.stdout) : why}`);
}
