/** IPv4 subnets, as far as a lab's bridge needs them. */

const PREFIX_MIN = 8;
const PREFIX_MAX = 30;
/** The network's own address, the bridge's (the first host) and the broadcast address are no board's. */
const RESERVED_LOW = 2;
const RESERVED_HIGH = 1;

export interface Subnet {
  network: number;
  size: number;
  /** How many boards find an address in it. */
  boardsMax: number;
  /** Whether this text is the address of a board in it. */
  holds(address: string): boolean;
}

/** @returns the subnet, or in words what was expected instead */
export function subnetOf(text: string): Subnet | string {
  const [address = '', prefixText = '', ...rest] = text.split('/');
  const network = addressOf(address);
  if (network === undefined || !/^[1-9]?[0-9]$/.test(prefixText) || rest.length > 0)
    return 'a subnet such as 10.66.0.0/24';
  const prefix = Number(prefixText);
  if (prefix < PREFIX_MIN || prefix > PREFIX_MAX)
    return `a subnet with a prefix from /${PREFIX_MIN} to /${PREFIX_MAX}`;
  const size = 2 ** (32 - prefix);
  if (network % size !== 0)
    return `the first address of the subnet, ${ipv4(network - (network % size))}/${prefix}`;
  const octet = Math.floor(network / 2 ** 24);
  if (octet === 0 || octet === 127 || octet >= 224)
    return 'a subnet of addresses that boards can have';
  const holds = (board: string) => {
    const at = addressOf(board);
    return at !== undefined && at >= network + RESERVED_LOW && at < network + size - RESERVED_HIGH;
  };
  return { network, size, boardsMax: size - RESERVED_LOW - RESERVED_HIGH, holds };
}

/** The first and the last address that a board can have. */
export function addressesOf(subnet: Subnet): { first: string; last: string } {
  const { network, size } = subnet;
  return { first: ipv4(network + RESERVED_LOW), last: ipv4(network + size - RESERVED_HIGH - 1) };
}

/** Four numbers, as people write an address. */
export const isAddress = (text: string): boolean => addressOf(text) !== undefined;

function addressOf(text: string): number | undefined {
  const octets = text.split('.');
  if (octets.length !== 4) return undefined;
  if (!octets.every((octet) => /^(?:0|[1-9][0-9]{0,2})$/.test(octet) && Number(octet) <= 255))
    return undefined;
  return octets.reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

function ipv4(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
