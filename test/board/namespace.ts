/** A network of a board of the tests: real packets between it and this machine, and none when they are to be lost. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { find } from './shells.ts';

/** A program of classic BPF: what is no ARP is dropped. */
const ALL_BUT_ARP = '4,40 0 0 12,21 0 1 2054,6 0 0 0,6 0 0 2';

/** How many there were in this process: each has an address and a name of its own. */
let made = 0;

/** A network namespace that is joined to this one by a veth pair, with `eth0` in it. */
export class Namespace {
  private constructor(
    private readonly holder: ChildProcess,
    private readonly link: string,
    readonly outside: string,
    readonly inside: string,
    /** An address to which packets can be sent, and which nobody has. */
    readonly nobody: string,
  ) {}

  static open(): Namespace {
    const holder = spawn('unshare', ['-n', 'sleep', '300'], { stdio: 'ignore' });
    made += 1;
    const third = (process.pid + made) & 255;
    const outside = `198.19.${third}.1`;
    const inside = `198.19.${third}.2`;
    const nobody = `198.19.${third}.9`;
    const veth = `mu${process.pid}-${made}`;
    const script = `
      set -e
      until [ "$(readlink /proc/${holder.pid}/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
      ip link add ${veth} type veth peer name eth0 netns ${holder.pid}
      ip addr add ${outside}/24 dev ${veth}
      ip link set ${veth} up
      nsenter -t ${holder.pid} -n sh -ec '
        ip link set lo up
        ip link set eth0 address 02:ab:cd:ef:00:01
        ip addr add ${inside}/24 brd + dev eth0
        ip -6 addr add fd12:3456::7/64 dev eth0 nodad
        ip link set eth0 up
        ip neigh add ${nobody} lladdr 02:ab:cd:ef:00:09 dev eth0
        ip link add eth1 type veth peer name eth2
        ip link set eth1 up
        ip route add default via ${outside}
        for server in ${nameServers().join(' ')}; do ip route add unreachable $server; done'`;
    const end = spawnSync('timeout', ['20', 'sh', '-c', script], { encoding: 'utf8' });
    if (end.status === 0) return new Namespace(holder, veth, outside, inside, nobody);
    holder.kill('SIGKILL');
    throw new Error(end.stderr || 'unshare, ip or nsenter is missing');
  }

  enter(words: readonly string[]): string[] {
    return [find('nsenter') ?? 'nsenter', '-t', String(this.holder.pid), '-n', ...words];
  }

  /** From now on packets are lost, in both directions: nobody is told, and addresses are still found. */
  losePackets(): void {
    this.tc('qdisc', 'add', 'dev', this.link, 'clsact');
    for (const way of ['ingress', 'egress'])
      this.tc(
        ...['filter', 'add', 'dev', this.link, way, 'protocol', 'all', 'pref', '1'],
        ...['bpf', 'da', 'bytecode', ALL_BUT_ARP],
      );
  }

  private tc(...words: string[]): void {
    const end = spawnSync('tc', words, { encoding: 'utf8' });
    if (end.status !== 0) throw new Error(end.stderr || 'tc is missing');
  }

  /** The veth pair goes with the namespace. */
  close(): void {
    this.holder.kill('SIGKILL');
  }
}

/** Of this machine: `hostname -f` asks them, and for 20 s where what is sent to them is lost and not refused. */
const nameServers = (): string[] =>
  [...fs.readFileSync('/etc/resolv.conf', 'utf8').matchAll(/^nameserver (\d+(?:\.\d+){3})$/gm)].map(
    ([, address = '']) => address,
  );
