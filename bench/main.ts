/**
 * `npm run bench [-- NAMES]`: Muster against its peers in one run, the peers' programs from Debian, server and load
 * generator in processes of their own. The tables go to standard output and into docs/performance.md.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { answersTable } from './answers.ts';
import { barrierTable } from './barrier.ts';
import { consolesTable } from './consoles.ts';
import { median, ms, writeSection } from './figures.ts';
import { followersTable } from './followers.ts';
import { growthBench } from './growth.ts';
import { jobsTable } from './jobs.ts';
import { lineTable } from './line.ts';
import { lintTable } from './lint.ts';
import { messagesTable } from './messages.ts';
import { pageTable } from './page.ts';
import { openCoordinator, openDeepCoordinator } from './peers/coordinator.ts';
import { openEtcd } from './peers/etcd.ts';
import { musterPeers } from './peers/muster.ts';
import type { Peer } from './peers/peer.ts';
import { programEnv } from './peers/peer-programs.ts';
import { openRedis } from './peers/redis.ts';
import { rebuildTable } from './rebuild.ts';
import { schedulerBench } from './scheduler.ts';
import { verbsTable } from './verbs.ts';
import { whereTable } from './where.ts';
import { workersTable } from './workers.ts';

const DOCUMENT = new URL('../../docs/performance.md', import.meta.url);
const say = (line: string) => process.stdout.write(`${line}\n`);

type NewFolder = () => Promise<string>;
/** Gives a table for the document, or says all there is to say itself. */
type Bench = (newFolder: NewFolder, events: number) => Promise<string | undefined>;

const benches = new Map<string, Bench>([
  ['barrier', (newFolder) => withPeers(newFolder, barrierTable)],
  ['messages', (newFolder) => withPeers(newFolder, messagesTable)],
  ['followers', (newFolder) => followersTable(newFolder, say)],
  ['rebuild', rebuildTable],
  ['answers', answersTable],
  ['where', whereTable],
  ['verbs', verbsTable],
  ['jobs', (newFolder) => jobsTable(newFolder, say)],
  ['line', lineTable],
  ['consoles', consolesTable],
  ['workers', (newFolder) => workersTable(newFolder, say)],
  ['page', (newFolder) => pageTable(newFolder, say)],
  ['growth', (_, events) => growthBench(say, events)],
  ['scheduler', () => schedulerBench(say).then(() => undefined)],
  ['lint', async () => lintTable()],
]);

/** They take long and need no peer: they run when they are named. */
const onlyWhenNamed = ['growth', 'scheduler', 'lint'];

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
    const text = await measure(first === undefined ? muster : [first, ...muster, ...more], say);
    const versions = peers.flatMap(({ name, version }) =>
      version === undefined ? [] : [`${name} ${version}`],
    );
    return `Peers: ${versions.join(', ') || 'none that could be had'}.\n\n${text}`;
  } finally {
    for (const peer of peers) await peer.close();
  }
}

/** The machine, and what its disk takes for one durable write. */
function surroundings(folder: string): string {
  const [cpu] = cpus();
  return (
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpu?.model ?? 'unknown'}, node ${process.version}; ` +
    `one 4 KiB write with fdatasync: median ${ms(diskMs(folder))} ms. ` +
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

async function run(names: readonly string[], { events }: { events: number }): Promise<void> {
  const isAsked = (name: string) =>
    names.length > 0 ? names.includes(name) : !onlyWhenNamed.includes(name);
  const folder = await mkdtemp(join(tmpdir(), 'muster-bench-'));
  const newFolder = () => mkdtemp(join(folder, 'run-'));
  try {
    for (const [name, bench] of benches) {
      if (!isAsked(name)) continue;
      const machine = surroundings(folder);
      say(`${name}: ${machine}`);
      const text = await bench(newFolder, events);
      if (text === undefined) continue;
      say(`\n${text}\n`);
      await writeSection(DOCUMENT, name, `${machine}\n\n${text}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function eventCount(text: string): number {
  const events = Number(text);
  if (Number.isSafeInteger(events) && events >= 1000) return events;
  throw new InvalidArgumentError('a whole number of 1000 or more is needed.');
}

await new Command('npm run bench --')
  .description(
    'Measures Muster against its peers, prints the tables and writes them into docs/performance.md.',
  )
  .addArgument(
    new Argument(
      '[names...]',
      `which; without names all but ${onlyWhenNamed.join(' and ')}`,
    ).choices([...benches.keys()]),
  )
  .option('--events <n>', 'growth: how many events the largest log has', eventCount, 10_000_000)
  .action(run)
  .parseAsync();
