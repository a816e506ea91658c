/**
 * `npm run bench [-- NAMES]`: Muster against its peers in one run, the peers' programs from Debian, server and load
 * generator in processes of their own. The tables go to standard output and into docs/performance.md.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { barrierTable } from './barrier.ts';
import { median, ms, writeSection } from './figures.ts';
import { growthBench } from './growth.ts';
import { messagesTable } from './messages.ts';
import { SERVER_ARGUMENT, serveForBench } from './muster-server.ts';
import { openCoordinator, openDeepCoordinator } from './peers/coordinator.ts';
import { openEtcd } from './peers/etcd.ts';
import { musterPeers } from './peers/muster.ts';
import type { Peer } from './peers/peer.ts';
import { programEnv } from './peers/programs.ts';
import { openRedis } from './peers/redis.ts';
import { rebuildTable } from './rebuild.ts';
import { schedulerBench } from './scheduler.ts';
import { whereTable } from './where.ts';

const DOCUMENT = new URL('../docs/performance.md', import.meta.url);
const say = (line: string) => process.stdout.write(`${line}\n`);

type NewFolder = () => Promise<string>;
/** Gives a table for the document, or says all there is to say itself. */
type Bench = (newFolder: NewFolder) => Promise<string | undefined>;

const benches = new Map<string, Bench>([
  ['barrier', (newFolder) => withPeers(newFolder, barrierTable)],
  ['messages', (newFolder) => withPeers(newFolder, messagesTable)],
  ['rebuild', rebuildTable],
  ['where', whereTable],
  ['growth', () => growthBench(say)],
  ['scheduler', () => schedulerBench(say).then(() => undefined)],
]);

/** They take long and need no peer: they run when they are named. */
const onlyWhenNamed = ['growth', 'scheduler'];

/** All peers that can be had here, Redis first: the others are compared with it. */
async function withPeers(
  newFolder: NewFolder,
  measure: (peers: readonly Peer[], say: (line: string) => void) => Promise<string>,
): Promise<string> {
  const known: [string, string, (folder: string, env: NodeJS.ProcessEnv) => Promise<Peer>][] = [
    ['redis-server', 'redis-server', openRedis],
    ['etcd', 'etcd-server', openEtcd],
    ['lava-coordinator', 'lava-coordinator', (_, env) => openCoordinator(env)],
    ['lava-coordinator', 'lava-coordinator', (_, env) => openDeepCoordinator(env)],
  ];
  const peers: Peer[] = [];
  try {
    for (const [program, debianPackage, open] of known) {
      const env = await programEnv(program, debianPackage, await newFolder(), say);
      if (env !== undefined) peers.push(await open(await newFolder(), env));
    }
    const [first, ...more] = peers;
    const muster = musterPeers(newFolder);
    peers.push(...muster);
    return await measure(first === undefined ? muster : [first, ...muster, ...more], say);
  } finally {
    for (const peer of peers) await peer.close();
  }
}

/** The machine, the versions, and what its disk takes for one durable write. */
async function surroundings(folder: string): Promise<string> {
  const version = async (program: string, word: string) => {
    const { stdout = '' } = await execa(program, [word], { reject: false });
    return /\d+\.\d+[.\w]*/.exec(String(stdout))?.[0] ?? 'none';
  };
  const [redis, etcd] = [
    await version('redis-server', '--version'),
    await version('etcd', '--version'),
  ];
  const [cpu] = cpus();
  return (
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpu?.model ?? 'unknown'}, node ${process.version}, ` +
    `Redis ${redis}, etcd ${etcd}; one 4 KiB write with fdatasync: median ${ms(diskMs(folder))} ms. ` +
    `Load of the machine at the start: ${loadavg()[0]?.toFixed(1)}.`
  );
}

/** Median of a 4 KiB write with fdatasync, in milliseconds. */
function diskMs(folder: string): number {
  const file = openSync(join(folder, 'disk'), 'w');
  const block = Buffer.alloc(4096, 1);
  const taken = Array.from({ length: 200 }, () => {
    const from = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    return performance.now() - from;
  });
  closeSync(file);
  return median(taken);
}

async function run(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !benches.has(name));
  if (unknown.length > 0)
    throw new Error(`no bench ${unknown.join(', ')}; there are ${[...benches.keys()].join(', ')}`);
  const isAsked = (name: string) =>
    names.length > 0 ? names.includes(name) : !onlyWhenNamed.includes(name);
  const folder = await mkdtemp(join(tmpdir(), 'muster-bench-'));
  const newFolder = () => mkdtemp(join(folder, 'run-'));
  try {
    const machine = await surroundings(folder);
    say(machine);
    for (const [name, bench] of benches) {
      if (!isAsked(name)) continue;
      const text = await bench(newFolder);
      if (text === undefined) continue;
      say(`\n${name}\n\n${text}`);
      await writeSection(DOCUMENT, name, `${machine}\n\n${text}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const [first, ...rest] = process.argv.slice(2);
if (first === SERVER_ARGUMENT) await serveForBench(rest[0] ?? '');
else await run(first === undefined ? [] : [first, ...rest]);
