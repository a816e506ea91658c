/**
 * The network of boards on this machine. The boards of a job are on a bridge of their own, so that those of two jobs
 * never meet; each bridge has the gateway's one address, and lets its boards reach nothing of this machine but the doors
 * of the servers (`door-filter.ts`). A bridge that the lab has made itself is taken as it is, for all boards.
 */
import { BRIDGED } from '../../submission/lab-drivers.ts';
import { StepFailure } from '../failure.ts';
import { type Door, doorsOf, filterLack, firstGate, type Gate, nextGate } from './door-filter.ts';
import type { DriverContext, Holding, Log, Seat } from './driver.ts';
import { addressesOn, batch, linkNamed, linksFrom, removeLinks, routes } from './ip.ts';
import { assignAddresses, chooseSubnet, ipv4, macOf, type Range, rangeOf } from './subnet.ts';

export interface BridgeWish {
  name?: string | undefined;
  subnet?: string | undefined;
}

export interface BridgeBoard {
  name: string;
  address?: string | undefined;
}

/** Of a name of an interface, which has 15 characters, behind the worker's prefix and one letter. */
const JOB_NAMES = 36 ** 5;

/** Opens the worker's one network, or joins those that have it. */
export type OpenNetwork = (
  context: Pick<DriverContext, 'hash' | 'lab' | 'log'>,
) => Promise<BoardNetwork>;

/** The network of the boards of one worker, of all kinds that have a place on it: it opens with the first that asks. */
export function networkOf(wish: BridgeWish): OpenNetwork {
  let opened: Promise<BoardNetwork> | undefined;
  return async ({ hash, lab, log }) => {
    opened ??= openNetwork(
      hash,
      wish,
      lab.filter(({ driver }) => BRIDGED.has(driver)),
      log,
    );
    const network = await opened;
    network.join();
    return network;
  };
}

/**
 * Makes the network, or takes over the one that is there (of an earlier life, or the lab's own), and says what this
 * machine cannot do for it.
 *
 * @param hash of the data folder, hexadecimal
 * @throws StepFailure `bridge-refused`
 */
async function openNetwork(
  hash: string,
  wish: BridgeWish,
  boards: readonly BridgeBoard[],
  log: Log,
): Promise<BoardNetwork> {
  const name = wish.name ?? `${prefixOf(hash)}br`;
  const there = await linkNamed(name);
  const { range, prefix } = await subnetFor(hash, wish, boards, name);
  const address = ipv4(range.first + 1);
  const steps: string[] = [];
  if (there === undefined)
    steps.push(
      `link add name ${name} address ${macOf(address)} type bridge`,
      `link set dev ${name} alias ${ownerMark(hash)}`,
    );
  if (!(await addressesOn(name)).includes(`${address}/${prefix}`))
    steps.push(`addr add ${address}/${prefix} brd + dev ${name}`);
  steps.push(`link set dev ${name} up`);
  await batch('ip', steps);
  const isOwn = there === undefined || there.ifalias === ownerMark(hash);
  const lack = isOwn ? await filterLack() : undefined;
  if (!isOwn)
    log.warn(
      { bridge: name },
      `the bridge ${name} was here before this server: boards of all jobs are on it, reach one another and all services of this machine`,
    );
  else if (lack !== undefined)
    log.warn(
      { why: lack },
      `boards can reach all services of this machine, and what it forwards to: packets cannot be filtered here (${lack})`,
    );
  const is = { hash, name, address, prefix, isOwn, isFiltered: isOwn && lack === undefined };
  return new BoardNetwork(is, boards, assignAddresses(boards, range));
}

/** How a board is on the network. */
export interface BoardEnd {
  /** The interface on the worker. */
  link: string;
  mac: string;
  /** With its prefix. */
  address: string;
  gateway: string;
}

/** A board's end of its link: in the network namespace of a process, or a tap for a machine of its own. */
export type LinkEnd = { namespaceOf: number } | 'tap';

interface NetworkFacts {
  hash: string;
  /** The bridge that has the gateway's address while no job runs, or the lab's own. */
  name: string;
  /** The gateway: where the boards find the server. */
  address: string;
  prefix: number;
  /** Whether each job has a bridge of its own. */
  isOwn: boolean;
  isFiltered: boolean;
}

export class BoardNetwork {
  readonly #is: NetworkFacts;
  readonly #addresses: ReadonlyMap<string, string>;
  readonly #links: ReadonlyMap<string, string>;
  /** The job of each board that has a link. */
  readonly #plugged = new Map<string, number>();
  /** The boards of each job with a bridge. */
  readonly #groups = new Map<number, readonly string[]>();
  /** What is done to the bridge of a job is done one after another. */
  readonly #turns = new Map<number, Promise<void>>();
  #doors: readonly Door[] = [];
  /** The drivers that use it, of those the ones that still have to say which boards they keep, and what was kept. */
  #users = 0;
  #unsaid = 0;
  readonly #kept = new Set<string>();

  constructor(
    is: NetworkFacts,
    boards: readonly BridgeBoard[],
    addresses: ReadonlyMap<string, string>,
  ) {
    this.#is = is;
    this.#addresses = addresses;
    this.#links = new Map(boards.map(({ name }, index) => [name, `${prefixOf(is.hash)}v${index}`]));
  }

  get gateway(): { address: string } {
    return { address: this.#is.address };
  }

  addressOf(device: string): string | undefined {
    return this.#addresses.get(device);
  }

  /** One more driver has boards on it. */
  join(): void {
    this.#users += 1;
    this.#unsaid += 1;
  }

  /** What the board's own end is called and has, as far as it is on this network. */
  endOf(device: string): BoardEnd {
    const { address: gateway, prefix } = this.#is;
    const address = this.addressOf(device) ?? '';
    return {
      ...{ link: this.#links.get(device) ?? '', mac: macOf(address) },
      ...{ address: `${address}/${prefix}`, gateway },
    };
  }

  /** Boards of a group find each other by their `lava-group` names (SEMANTICS 2.3, "Names"). */
  hostsFile(group: readonly string[]): string {
    const lines = group.flatMap((device) => {
      const address = this.addressOf(device);
      return address === undefined ? [] : [`${address}\t${device}`];
    });
    return `${['127.0.0.1\tlocalhost', '::1\tlocalhost ip6-localhost', ...lines].join('\n')}\n`;
  }

  /** What the board itself tells `ip -batch`. */
  stepsOnBoard(device: string): string {
    const { address, gateway } = this.endOf(device);
    return [
      'link set dev lo up',
      `addr add ${address} brd + dev eth0`,
      'link set dev eth0 up',
      `route add default via ${gateway}`,
      '',
    ].join('\n');
  }

  /** Plugs a board in: a link from the bridge of its job to its end. */
  async plugIn(seat: Seat, end: LinkEnd): Promise<void> {
    await this.#inTurn(seat.job, async () => {
      const { job, device } = seat;
      const link = this.#links.get(device) ?? '';
      const isNew = this.#is.isOwn && !this.#groups.has(job);
      try {
        await this.#plug(seat, link, end, isNew);
        this.#plugged.set(device, job);
      } catch (error) {
        await removeLinks(isNew ? [link, this.#bridgeOf(job)] : [link]);
        throw error;
      }
    });
  }

  async #plug({ job, device, group }: Seat, link: string, end: LinkEnd, isNew: boolean) {
    const { isOwn, isFiltered, name, address: gateway } = this.#is;
    const address = this.addressOf(device) ?? '';
    const bridge = isOwn ? this.#bridgeOf(job) : name;
    const steps = isNew ? this.#stepsOfBridge(bridge) : [];
    steps.push(
      end === 'tap'
        ? `tuntap add dev ${link} mode tap`
        : `link add name ${link} type veth peer name eth0 address ${macOf(address)} netns ${end.namespaceOf}`,
      `link set dev ${link} master ${bridge} up`,
    );
    if (isOwn) steps.push(`route replace ${address}/32 dev ${bridge} src ${gateway}`);
    await batch('ip', steps);
    if (!isOwn) return;
    const known = this.#groups.get(job) ?? [];
    const isKnown = group.every((member) => known.includes(member));
    if (isFiltered && !isKnown)
      await batch('tc', (isNew ? firstGate : nextGate)(bridge, this.#gate(group)));
    if (!isKnown) this.#groups.set(job, group);
  }

  /** The bridge of a job goes with its last board. */
  async unplug(device: string): Promise<void> {
    const job = this.#plugged.get(device);
    const link = this.#links.get(device) ?? '';
    if (job === undefined) return removeLinks(link === '' ? [] : [link]);
    await this.#inTurn(job, async () => {
      this.#plugged.delete(device);
      const isLast = ![...this.#plugged.values()].includes(job) && this.#groups.delete(job);
      await removeLinks(isLast ? [link, this.#bridgeOf(job)] : [link]);
    });
  }

  /** Where the boards find the servers, as URLs: on this machine they reach nothing else. */
  async open(urls: readonly string[]): Promise<void> {
    const doors = doorsOf(urls);
    if (JSON.stringify(doors) === JSON.stringify(this.#doors)) return;
    this.#doors = doors;
    if (!this.#is.isFiltered) return;
    await Promise.all(
      [...this.#groups].map(([job, group]) =>
        this.#inTurn(job, async () => {
          if (this.#groups.has(job))
            await batch('tc', nextGate(this.#bridgeOf(job), this.#gate(group)));
        }),
      ),
    );
  }

  /** Takes up the links of the boards that a driver keeps. When all drivers have said theirs, all others are removed. */
  async takeOver(kept: readonly Holding[]): Promise<void> {
    const links = new Set(await linksFrom(prefixOf(this.#is.hash)));
    for (const { device, job } of kept) {
      const link = this.#links.get(device) ?? '';
      if (!links.has(link)) continue;
      this.#kept.add(link);
      this.#plugged.set(device, job);
      const bridge = this.#bridgeOf(job);
      if (!links.has(bridge)) continue;
      this.#kept.add(bridge);
      // Who else is in it is known when one of them is plugged in.
      this.#groups.set(job, [...(this.#groups.get(job) ?? []), device]);
    }
    this.#unsaid -= 1;
    if (this.#unsaid > 0) return;
    await removeLinks([...links].filter((link) => link !== this.#is.name && !this.#kept.has(link)));
  }

  /** The last driver that lets go of it removes the bridge, when it is ours and not the lab's. */
  async close(): Promise<void> {
    this.#users -= 1;
    if (this.#users <= 0 && this.#is.isOwn) await removeLinks([this.#is.name]);
  }

  #stepsOfBridge(bridge: string): string[] {
    const { address } = this.#is;
    return [
      `link add name ${bridge} address ${macOf(address)} type bridge`,
      `addr add ${address}/32 dev ${bridge}`,
      `link set dev ${bridge} up`,
    ];
  }

  #gate(group: readonly string[]): Gate {
    const boards = group.flatMap((device) => this.addressOf(device) ?? []);
    return { gateway: this.#is.address, boards, doors: this.#doors };
  }

  #bridgeOf(job: number): string {
    return `${prefixOf(this.#is.hash)}j${(job % JOB_NAMES).toString(36)}`;
  }

  async #inTurn(job: number, act: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(job) ?? Promise.resolve()).then(act);
    const quiet = turn.catch(() => undefined);
    this.#turns.set(job, quiet);
    await turn.finally(() => {
      if (this.#turns.get(job) === quiet) this.#turns.delete(job);
    });
  }
}

const prefixOf = (hash: string): string => `m${hash.slice(0, 8)}`;
const ownerMark = (hash: string): string => `muster:${hash}`;

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
