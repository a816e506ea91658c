/** The shipped traces show what docs/simulation.md says of them, on the command line's own reading of the files. */
import { describe, expect, test } from 'vitest';
import { readLog } from '../../cli/trace-file.ts';
import { POLICIES, type PolicyName } from '../../simulation/policies.ts';
import { starvedOf } from '../../simulation/starvation.ts';
import { collect } from '../store/events.ts';
import { play } from './labs.ts';
import { traceOf } from './logs.ts';

const runOf = async (name: string, policy: PolicyName) =>
  play(traceOf(await collect(readLog(`examples/traces/${name}.jsonl`))), policy);

describe.each(['one-group-alone', 'two-groups'])('%s', (name) => {
  test('ends in a deadlock when boards are taken one by one', async () => {
    const { deadlock } = await runOf(name, 'greedy');
    expect(deadlock?.holders.length).toBeGreaterThan(1);
    expect(deadlock?.behind).toBeGreaterThan(0);
  });

  test.each(['gang', 'gang+backfill'] as const)('runs to its end under %s', async (policy) => {
    const { deadlock, jobs } = await runOf(name, policy);
    expect(deadlock).toBeNull();
    expect(jobs.map(({ end }) => end)).toEqual(jobs.map(() => 'complete'));
  });
});

test('in wide-job the wide job starves where nothing is reserved for it, and nowhere else', async () => {
  const starved = async (policy: PolicyName) =>
    starvedOf(await runOf('wide-job', policy)).map(({ job }) => job.name);
  expect(await Promise.all(POLICIES.map(starved))).toEqual([[], ['whole rack'], []]);
});
