/**
 * A `local` board with a network, mount, pid, uts and ipc namespace of its own, plugged into the worker's bridge.
 * It is detached from the server: it survives its `kill -9`, and ends with the death of one process, its pid 1.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { assignments, runProgram, shellQuoted } from '../../programs.ts';
import type { BoardNetwork } from '../bridge.ts';
import { consoleBlocks } from '../console-pump.ts';
import { endBoard, type Launch } from '../launch.ts';
import { MARK_VARIABLE, markOf } from '../processes.ts';
import type { Housing, LaunchOrder } from './housing.ts';
import { mountScratch, mounts, unmountAll, visibleMounts } from './mounts.ts';
import type { ProcessLimit } from './process-limit.ts';
import { CAPABILITIES_KEPT, INIT, LAUNCH, PROBE, SETUP } from './scripts.ts';

export interface NamespaceOptions {
  /** Of the data folder. */
  hash: string;
  dataDir: string;
  network: BoardNetwork;
  processLimit: ProcessLimit;
  consoleBytes: number;
  /** Of each of a board's file systems in memory. */
  scratchBytes: number;
}

const HOST_IMAGE = 'host:';

/** What this machine lacks for boards with namespaces, in words; `undefined`: nothing. Tries it all. */
export async function namespacesLack(dataDir: string): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'the server does not run as root';
  const folder = join(dataDir, 'probe');
  await mkdir(folder, { recursive: true });
  const end = await runProgram('sh', ['-c', PROBE, 'sh', folder]);
  await rm(folder, { recursive: true, force: true });
  if (end.status === 0) return undefined;
  return end.stderr.trim().split('\n')[0] || `the trial ended with status ${end.status}`;
}

export function namespaceHousing(options: NamespaceOptions): Housing {
  const { hash, network, processLimit } = options;
  return {
    kind: 'namespaces',
    gateway: network.gateway,
    addressOf: (device) => network.addressOf(device),
    refuses: () => undefined,
    homeOf: (seat) => `/lava-${seat.job}`,
    variables: () => [],
    prepare: async (folder) => {
      await mkdir(folder.volume, { recursive: true, mode: 0o700 });
      if (!(await mounts()).some(({ path }) => path === folder.volume))
        await mountScratch(folder.volume, options.scratchBytes);
    },
    launch: (order) => launchOf(options, order),
    connect: (seat, pid) => network.plugIn(seat, { namespaceOf: pid }),
    letReach: (urls) => network.open(urls),
    powerOff: async (device, state) => {
      await endBoard(hash, device, state);
      await network.unplug(device);
      await processLimit.remove(device);
    },
    dispose: (folder) => unmountAll(folder.path),
    takeOver: async (kept) => {
      await network.takeOver(kept);
      await processLimit.sweep(new Set(kept.map(({ device }) => device)));
    },
    close: () => network.close(),
  };
}

async function launchOf(options: NamespaceOptions, order: LaunchOrder): Promise<Launch> {
  const { seat, folder } = order;
  const onHost = order.image === HOST_IMAGE;
  const hostMounts = onHost ? visibleMounts(await mounts(), options.dataDir) : [];
  const setup = [
    assignments({
      volume: folder.volume,
      data: options.dataDir,
      device: seat.device,
      home: `/lava-${seat.job}`,
      lower: onHost ? '/' : '../image',
      masked: onHost ? 'yes' : 'no',
      scratch: String(options.scratchBytes),
      pids: options.processLimit.pidMax,
      capabilities: CAPABILITIES_KEPT,
      mark: markOf(options.hash, seat.device),
      network: options.network.stepsOnBoard(seat.device),
      job: String(seat.job),
      hosts: options.network.hostsFile(seat.group),
      init: INIT,
    }),
    hostMountsFunction(hostMounts),
    SETUP,
  ].join('\n');
  const launch = assignments({
    volume: folder.volume,
    console: order.consoleFile,
    blocks: consoleBlocks(options.consoleBytes),
    processes: await options.processLimit.groupFor(seat.device),
  });
  return {
    script: launch + LAUNCH,
    args: [
      ...['unshare', '--net', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child'],
      ...['setsid', 'sh', '-c', setup],
    ],
    environment: {
      PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin',
      [MARK_VARIABLE]: markOf(options.hash, seat.device),
    },
  };
}

/**
 * Other file systems of the worker, read-only. What is mounted on a file (a container's own /etc/hosts) is not bound:
 * the board could not write it.
 */
function hostMountsFunction(paths: readonly string[]): string {
  const binds = paths.map((path) => {
    const quoted = shellQuoted(path);
    return `[ ! -d ${quoted} ] || mount --bind -o ro,nodev ${quoted} "$root"${quoted} || echo "muster: cannot show" ${quoted}`;
  });
  return `host_mounts() {\n:\n${binds.join('\n')}\n}`;
}
