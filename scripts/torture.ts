/**
 * `npm run torture -- --minutes N`: kills writers of the log and damages copies of it, round after round, and checks
 * that nothing acknowledged is missing. Ends with 1, the seed and the files at the first loss.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { killRound, randomOf, tornWal } from '../test/store/crash.ts';
import { everyPlacing } from '../test/store/placings.ts';
import { aboveZero, seedOf } from './numbers.ts';

const TORN_COPIES = 40;
/** A log is read whole after each kill: after some rounds a new one is begun. */
const ROUNDS_A_LOG = 20;
const KILL_AFTER_LINES_MAX = 600;

const { minutes, seed = Date.now() } = new Command('npm run torture --')
  .description(
    'kill writers of the log and damage copies of it: nothing acknowledged may be missing',
  )
  .option('--minutes <n>', 'how long', aboveZero, 1)
  .option('--seed <n>', 'the seed of an earlier run', seedOf)
  .helpOption('--help', 'show this help')
  .parse()
  .opts<{ minutes: number; seed?: number }>();

/** The last one, of no such name: as it is measured. */
const places = [...Object.keys(everyPlacing), 'measured'];
const say = (line: string) => process.stdout.write(`${line}\n`);
const random = randomOf(seed);
const folder = mkdtempSync(join(tmpdir(), 'muster-torture-'));
const end = performance.now() + minutes * 60_000;
const count = { rounds: 0, kills: 0, checked: 0, copies: 0 };
const summary = () =>
  `${count.rounds} rounds: ${count.kills} kills, ${count.checked} acknowledged events checked, ${count.copies} torn copies opened`;

say(`torture of sqlite for ${minutes} minutes, seed ${seed}`);
try {
  for (let dir = ''; performance.now() < end; count.rounds += 1) {
    if (count.rounds % ROUNDS_A_LOG === 0) {
      if (dir !== '') rmSync(dir, { recursive: true, force: true });
      dir = mkdtempSync(join(folder, 'log-'));
    }
    const lines = Math.floor(random() * KILL_AFTER_LINES_MAX);
    const where = places[count.rounds % places.length] ?? '';
    count.checked += await killRound(join(dir, 'log.db'), count.rounds, lines, where);
    count.kills += 1;
    const torn = mkdtempSync(join(folder, 'torn-'));
    const is = await tornWal(torn, random, TORN_COPIES, where);
    count.copies += is.copies;
    count.checked += is.acknowledged;
    rmSync(torn, { recursive: true, force: true });
    if (count.rounds % ROUNDS_A_LOG === ROUNDS_A_LOG - 1) say(summary());
  }
  rmSync(folder, { recursive: true, force: true });
  say(`${summary()}; nothing was lost`);
} catch (error) {
  say(summary());
  say(`LOST, seed ${seed}, files in ${folder}`);
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
}
