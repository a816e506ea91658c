/**
 * Simulates labs under faults on virtual time, seed after seed (`npm run sim -- --minutes 10`), or one of them
 * again, exactly as it was (`--seed N`). A failure prints its seed and the commit.
 */
import { execFileSync } from 'node:child_process';
import { Command } from 'commander';
import { simulate } from '../test/sim/lab.ts';
import { aboveZero, seedOf } from './numbers.ts';

/** Of virtual time, before the faults stop. */
const RUN_MINUTES = 180;
const SEED_MAX = 2 ** 31;

const { minutes, seed } = new Command('npm run sim --')
  .description('simulate labs under faults, on virtual time: no rule of the scheduler may break')
  .option('--minutes <n>', 'how long', aboveZero, 1)
  .option('--seed <n>', 'one lab of an earlier run, exactly as it was', seedOf)
  .helpOption('--help', 'show this help')
  .parse()
  .opts<{ minutes: number; seed?: number }>();

const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const end = Date.now() + minutes * 60_000;
const total = { runs: 0, jobs: 0, faults: 0, hours: 0, events: 0 };

async function one(seed: number): Promise<void> {
  try {
    const { jobs, faults, hours, events } = await simulate(seed, { minutes: RUN_MINUTES });
    total.runs++;
    total.jobs += jobs;
    total.faults += faults;
    total.hours += hours;
    total.events += events.length;
  } catch (error) {
    console.error(error);
    console.error(`\nseed ${seed} at commit ${commit}: npm run sim -- --seed ${seed}`);
    process.exitCode = 1;
  }
}

if (seed !== undefined) await one(seed);
else
  do await one(Math.floor(Math.random() * SEED_MAX));
  while (Date.now() < end && process.exitCode !== 1);

const { runs, jobs, faults, hours, events } = total;
console.log(
  `${runs} labs, ${Math.round(hours)} simulated hours, ${jobs} jobs, ${faults} faults, ${events} events`,
);
