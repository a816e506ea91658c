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
const WARM_UP_ROUNDS = 5;
/** A peer that is this slow has told enough. */
const SHAPE_MS_MAX = 15_000;

/** The peers in turn, shape by shape. The first is what the others are compared with. */
export async function barrierTable(peers: readonly Peer[]): Promise<string> {
  const rows: string[][] = [];
  for (const { groups, size, rounds } of SHAPES) {
    const name = groups === 1 ? `${size} members` : `${groups} groups of ${size}`;
    let first = Number.NaN;
    for (const peer of peers) {
      const taken = await roundsOf(peer, groups, size, Math.min(rounds, peer.roundsMax ?? rounds));
      const middle = median(taken);
      if (Number.isNaN(first)) first = middle;
      const ratio = `${times(middle / first)} x`;
      rows.push([name, peer.name, ms(middle), ms(quantile(taken, 0.99)), ratio, peer.promise]);
    }
  }
  const [than] = peers;
  return table(
    ['barrier', 'peer', 'median ms', 'p99 ms', `against ${than?.name}`, 'an arrival is'],
    rows,
  );
}

/** Milliseconds of every group of every round. */
async function roundsOf(
  peer: Peer,
  count: number,
  size: number,
  rounds: number,
): Promise<number[]> {
  const groups = await peer.groups(count, size);
  const taken: number[] = [];
  const until = performance.now() + SHAPE_MS_MAX;
  const warmUp = peer.roundsMax === undefined ? WARM_UP_ROUNDS : 0;
  for (let round = 0; round < rounds + warmUp; round++) {
    await Promise.all(groups.map((group) => group.gather()));
    const now = await Promise.all(groups.map(releaseMs));
    if (round >= warmUp) taken.push(...now);
    if (performance.now() > until) break;
  }
  return taken;
}

async function releaseMs(group: Group): Promise<number> {
  const from = performance.now();
  await group.release();
  return performance.now() - from;
}
