/**
 * What of this machine a job's boards reach: ARP, ICMP to their gateway, and the doors of the servers. It stands where
 * their bridge hands packets to the machine, so that what boards of one job say to each other never passes it.
 * A classic BPF program for `tc`, which is where `ip` is: no firewall is needed, and none of the machine's is touched.
 */
import { isIPv4 } from 'node:net';
import { runProgram } from '../programs.ts';
import { rangeOf } from './subnet.ts';

export interface Door {
  address: string;
  port: number;
}

export interface Gate {
  gateway: string;
  /** The addresses that the job's boards may speak from. */
  boards: readonly string[];
  doors: readonly Door[];
}

/** Where the boards' servers are, of the addresses that a board is given; by IPv4 address, as boards reach them. */
export function doorsOf(urls: readonly string[]): Door[] {
  return urls.flatMap((url) => {
    if (!URL.canParse(url)) return [];
    const { hostname, port } = new URL(url);
    return isIPv4(hostname) ? [{ address: hostname, port: Number(port) || 80 }] : [];
  });
}

const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const LOAD_HALF_AT_X = 0x48;
const LOAD_BYTE_AT_X = 0x50;
/** X: how long the IP header is. */
const X_IS_IP_HEADER = 0xb1;
const JUMP = 0x05;
const JUMP_EQUAL = 0x15;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;

const ETHERNET_BYTES = 14;
const TYPE = [LOAD_HALF, 12] as const;
const FRAGMENT = [LOAD_HALF, ETHERNET_BYTES + 6] as const;
const PROTOCOL = [LOAD_BYTE, ETHERNET_BYTES + 9] as const;
const SOURCE = [LOAD_WORD, ETHERNET_BYTES + 12] as const;
const DESTINATION = [LOAD_WORD, ETHERNET_BYTES + 16] as const;
const TCP_PORT = [LOAD_HALF_AT_X, ETHERNET_BYTES + 2] as const;
const TCP_FLAGS = [LOAD_BYTE_AT_X, ETHERNET_BYTES + 13] as const;

const ARP = 0x0806;
const IPV4 = 0x0800;
const ICMP = 1;
const TCP = 6;
const ACK = 0x10;
/** An offset, or more to come: such a packet shows its port in its first part alone. */
const FRAGMENTED = 0x3fff;

/** What `tc` does with the packet. */
const PASS = 0;
const DROP = 2;

/** The kernel takes 4,096 instructions. Who speaks to a door is known by its token; beyond this, by that alone. */
const SOURCES_MAX = 1_900;

type Instruction = readonly [code: number, jumpIf: number, jumpIfNot: number, value: number];
type Field = readonly [load: number, at: number];
type Match = { field: Field; is: 'equal' | 'not-equal' | 'any-bit'; value: number };

const is = (field: Field, value: number): Match => ({ field, is: 'equal', value });
const isNot = (field: Field, value: number): Match => ({ field, is: 'not-equal', value });
const has = (field: Field, value: number): Match => ({ field, is: 'any-bit', value });

/** What becomes of a packet that all of this holds for; of any other, the next rule decides. */
function rule(matches: readonly Match[], verdict: number): Instruction[] {
  const length = 2 * matches.length + 1;
  const tests = matches.flatMap(({ field: [load, at], is: how, value }, index): Instruction[] => {
    const on = length - 2 * (index + 1);
    const code = how === 'any-bit' ? JUMP_ANY_BIT : JUMP_EQUAL;
    return [[load, 0, 0, at], how === 'not-equal' ? [code, on, 0, value] : [code, 0, on, value]];
  });
  return [...tests, [RETURN, 0, 0, verdict]];
}

/** A packet from anywhere else is none of theirs. */
function fromOne(addresses: readonly number[]): Instruction[] {
  if (addresses.length > SOURCES_MAX) return [];
  const length = 2 * addresses.length + 1;
  const tests = addresses.flatMap((address, index): Instruction[] => [
    [JUMP_EQUAL, 0, 1, address],
    [JUMP, 0, 0, length - 2 * (index + 1)],
  ]);
  const [load, at] = SOURCE;
  return [[load, 0, 0, at], ...tests, [RETURN, 0, 0, DROP]];
}

/** The program as `tc filter ... bpf bytecode` takes it: how many instructions, and each of them. */
export function gateProgram({ gateway, boards, doors }: Gate): string {
  const number = (address: string) => rangeOf(address)?.first ?? 0;
  const program: Instruction[] = [
    ...rule([is(TYPE, ARP)], PASS),
    ...rule([isNot(TYPE, IPV4)], DROP),
    ...fromOne(boards.map(number)),
    ...rule([is(PROTOCOL, ICMP), is(DESTINATION, number(gateway))], PASS),
    ...rule([isNot(PROTOCOL, TCP)], DROP),
    ...rule([has(FRAGMENT, FRAGMENTED)], DROP),
    [X_IS_IP_HEADER, 0, 0, ETHERNET_BYTES],
    ...doors.flatMap(({ address, port }) =>
      rule([is(DESTINATION, number(address)), is(TCP_PORT, port)], PASS),
    ),
    // The machine may reach its boards: what answers it is no first packet.
    ...rule([is(DESTINATION, number(gateway)), has(TCP_FLAGS, ACK)], PASS),
    [RETURN, 0, 0, DROP],
  ];
  return [program.length, ...program.map((instruction) => instruction.join(' '))].join(',');
}

const PROBE = `
set -e
command -v tc >/dev/null || { echo 'the program tc is missing' >&2; exit 1; }
exec unshare --net sh -ec '
  ip link add name muster-probe type bridge
  tc qdisc add dev muster-probe clsact
  tc filter add dev muster-probe ingress protocol all pref 1 bpf da bytecode "$1"
' sh "$1"
`;

/** What this machine lacks for such a filter, in words; `undefined`: nothing. Tries it. */
export async function filterLack(): Promise<string | undefined> {
  const program = gateProgram({ gateway: '10.64.0.1', boards: [], doors: [] });
  const end = await runProgram('sh', ['-c', PROBE, 'sh', program]);
  if (end.status === 0) return undefined;
  return end.stderr.trim().split('\n')[0] || `the trial ended with status ${end.status}`;
}

/** The steps for `tc -batch`; a filter that is there is replaced at one moment, so that none is missing meanwhile. */
export const firstGate = (link: string, gate: Gate): string[] => [
  `qdisc add dev ${link} clsact`,
  ...nextGate(link, gate),
];
export const nextGate = (link: string, gate: Gate): string[] => [
  `filter replace dev ${link} ingress protocol all pref 1 handle 1 bpf da bytecode "${gateProgram(gate)}"`,
];
