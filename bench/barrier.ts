/** From the last arrival to the release of everybody: one group of 2 to 128, and 100 groups of 8 at once. */
import { median, ms, quantile, table, times } from './figures.ts';
import type { Group, Peer } from './peers/peer.ts';

const SHAPES = [
  { groups: 1, size: 2, rounds: 200 },
  { groups: 1, size: 8, rounds: 200 },
  { groups: 1, size: 32, rounds: 120 },
  { groups: 1, size: 128, rounds: 80 },
  { groups: 100, size: 8, rounds: 12 },
];
/**
 * Until code that is compiled as it runs is compiled, and a log is written over where it was written before, which a
 * write-ahead log is from its first checkpoint on: the same for every peer that does not poll.
 */
const WARM_UP_ROUNDS = 1_500;
const WARM_UP_MS_MAX = 10_000;
/** A peer that is this slow has told enough; without a single round in this time it is left out of larger shapes. */
const SHAPE_MS_MAX = 20_000;

/** The peers in turn, shape by shape. The first is what the others are compared with. */
export async function barrierTable(
  peers: readonly Peer[],
  say: (line: string) => void,
): Promise<string> {
  const rows: string[][] = [];
  const givenUp = new Set<Peer>();
  for (const { groups, size, rounds } of SHAPES) {
    const name = groups === 1 ? `${size} members` : `${groups} groups of ${size}`;
    let first = Number.NaN;
    for (const peer of peers) {
      if (givenUp.has(peer)) continue;
      const most = Math.min(rounds, peer.roundsMax ?? rounds);
      const taken = await roundsOf(await peer.groups(groups, size), most, peer);
      if (taken.length === 0) givenUp.add(peer);
      const middle = median(taken);
      if (Number.isNaN(first)) first = middle;
      const cells = taken.length === 0 ? NO_ROUND : figuresOf(taken, middle / first);
      rows.push([name, peer.name, ...cells, peer.promise]);
      say(`${name}: ${peer.name} ${cells[0]} ms`);
    }
  }
  const [than] = peers;
  return table(
    ['barrier', 'peer', 'median ms', 'p99 ms', `against ${than?.name}`, 'an arrival is'],
    rows,
  );
}

const NO_ROUND = [`over ${SHAPE_MS_MAX}`, '-', '-'];

function figuresOf(taken: readonly number[], ratio: number): string[] {
  return [ms(median(taken)), ms(quantile(taken, 0.99)), `${times(ratio)} x`];
}

/** Milliseconds of every group of every round, of as many rounds as there was time for. */
async function roundsOf(groups: readonly Group[], rounds: number, peer: Peer): Promise<number[]> {
  const taken: number[] = [];
  let isOver = false;
  const run = async (most: number, msMax: number) => {
    const end = performance.now() + msMax;
    taken.length = 0;
    for (let round = 0; round < most && performance.now() < end; round++) {
      await Promise.all(groups.map((group) => group.gather()));
      const now = await Promise.all(groups.map(releaseMs));
      if (!isOver) taken.push(...now);
    }
  };
  if (peer.roundsMax === undefined) await run(WARM_UP_ROUNDS, WARM_UP_MS_MAX);
  // A round of members that poll may take longer than anybody waits for.
  await Promise.race([run(rounds, SHAPE_MS_MAX), after(SHAPE_MS_MAX)]);
  isOver = true;
  for (const group of groups) group.leave?.();
  return taken;
}

const after = (length: number) => new Promise((resolve) => setTimeout(resolve, length).unref());

async function releaseMs(group: Group): Promise<number> {
  const from = performance.now();
  await group.release();
  return performance.now() - from;
}
