/**
 * A `local` board where namespaces are not allowed: processes of the worker with private folders.
 * Its programs see the worker's network, names, files and processes; what can be moved by a variable is moved.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { assignments } from '../../programs.ts';
import type { BoardFolder } from '../board-folder.ts';
import { consoleBlocks } from '../console-pump.ts';
import {
  families,
  isOurs,
  killUntilNone,
  MARK_VARIABLE,
  markedProcesses,
  markOf,
} from '../processes.ts';
import type { Housing, LaunchOrder } from './housing.ts';
import { unmountAll } from './mounts.ts';
import { LAUNCH, PLAIN_INIT } from './scripts.ts';

export interface PlainOptions {
  hash: string;
  /** In the lab's order: a board's place gives it its own address of the loopback network. */
  devices: readonly string[];
  consoleBytes: number;
}

/** 127.0.2.1 and on: the first ones are used by resolvers. */
const LOOPBACK_FROM = 2 * 254;

export function plainHousing(options: PlainOptions): Housing {
  const { hash } = options;
  const addresses = new Map(options.devices.map((device, index) => [device, loopback(index)]));
  return {
    kind: 'plain',
    gateway: undefined,
    addressOf: (device) => addresses.get(device),
    refuses: (image) =>
      image === 'host:'
        ? undefined
        : 'a board without namespaces runs on the files of the worker: only "host:" can be deployed',
    homeOf: (_seat, folder) => homeOf(folder),
    variables: (seat, folder) => variablesOf(folder, addresses.get(seat.device)),
    prepare: async (folder) => {
      for (const name of ['home', 'tmp'])
        await mkdir(join(folder.volume, name), { recursive: true, mode: 0o700 });
    },
    launch: async ({ seat, folder, consoleFile }: LaunchOrder) => ({
      script:
        assignments({
          volume: folder.volume,
          console: consoleFile,
          blocks: consoleBlocks(options.consoleBytes),
          processes: '',
        }) + LAUNCH,
      args: ['setsid', 'sh', '-c', assignments({ volume: folder.volume }) + PLAIN_INIT],
      environment: {
        ...Object.fromEntries(variablesOf(folder, addresses.get(seat.device))),
        USER: process.env.USER ?? 'root',
        SHELL: '/bin/sh',
        TERM: 'linux',
        LANG: 'C.UTF-8',
        LAVA_JOB: String(seat.job),
        MUSTER_HOME: homeOf(folder),
        PATH: `${homeOf(folder)}/bin:${process.env.PATH ?? '/usr/bin:/bin'}`,
        [MARK_VARIABLE]: markOf(hash, seat.device),
      },
    }),
    connect: async () => undefined,
    powerOff: async (device, state) => {
      const mark = markOf(hash, device);
      const known = [state?.process, state?.launcher].flatMap((id) => id ?? []);
      await killUntilNone(`board ${device}`, async () => {
        const marked = (await markedProcesses(MARK_VARIABLE, mark)).filter((p) => p.value === mark);
        const sessions = known.filter(isOurs);
        return families(new Set([...marked, ...sessions].map(({ pid }) => pid)));
      });
    },
    dispose: (folder) => (process.getuid?.() === 0 ? unmountAll(folder.path) : Promise.resolve()),
    letReach: async () => undefined,
    takeOver: async () => undefined,
    close: async () => undefined,
  };
}

/** The folder itself: there is no root of its own in which it could be called `/lava-<job>`. */
const homeOf = (folder: BoardFolder): string => folder.share;

function variablesOf(folder: BoardFolder, address: string | undefined): [string, string][] {
  const tmp = join(folder.volume, 'tmp');
  return [
    ['HOME', join(folder.volume, 'home')],
    ['TMPDIR', tmp],
    ['LAVA_MULTI_NODE_CACHE', join(tmp, 'lava_multi_node_cache.txt')],
    ['LAVA_MULTI_NODE_NETWORK_CACHE', join(tmp, 'lava_multi_node_network_cache.txt')],
    ['MUSTER_PLAIN_ADDRESS', address ?? '127.0.0.1'],
  ];
}

function loopback(index: number): string {
  const number = LOOPBACK_FROM + index;
  return `127.0.${Math.floor(number / 254) % 254}.${(number % 254) + 1}`;
}
