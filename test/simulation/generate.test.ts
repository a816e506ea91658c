/** Made-up traces, and what holds on all of them under Muster's policy. */
import { describe, expect, test } from 'vitest';
import { generate, JOBS_PER_BOARD, WISHES_DEFAULT } from '../../simulation/generate.ts';
import { POLICIES } from '../../simulation/policies.ts';
import { reportOf } from '../../simulation/report.ts';
import { sizeOf } from '../../simulation/trace.ts';
import type { Run } from '../../simulation/virtual-lab.ts';
import { play } from './labs.ts';

const made = (boards: number, seed = 1, jobs = boards * JOBS_PER_BOARD) =>
  generate({ ...WISHES_DEFAULT, boards, jobs, loadPercent: 95 }, seed);

test('the same seed makes the same trace and the same report, another one another', () => {
  expect(made(20, 7)).toEqual(made(20, 7));
  expect(made(20, 7)).not.toEqual(made(20, 8));
  for (const policy of POLICIES)
    expect(reportOf(play(made(20, 7), policy, 3))).toEqual(reportOf(play(made(20, 7), policy, 3)));
});

test('a trace has the boards and jobs that were asked for, with single and wide jobs, in bursts', () => {
  const { boards, jobs } = made(100);
  expect([boards.length, jobs.length]).toEqual([100, 2_000]);
  expect(new Set(boards.map(({ name }) => name)).size).toBe(100);
  const wide = jobs.filter(({ roles }) => sizeOf(roles) > 1).length;
  expect(wide / jobs.length).toBeGreaterThan(0.15);
  expect(wide / jobs.length).toBeLessThan(0.25);
  const instants = new Set(jobs.map(({ submittedAt }) => submittedAt));
  expect(instants.size).toBeLessThanOrEqual(jobs.length / WISHES_DEFAULT.burst);
});

describe.each([
  [10, 200],
  [100, 1_000],
  [1_000, 3_000],
])('a lab of %i boards and %i jobs', (boards, jobs) => {
  test.each(POLICIES)('gives no board to two jobs, under %s', (policy) => {
    expectSingleUse(play(made(boards, 1, jobs), policy));
  });

  test('starves nobody and deadlocks never under gang+backfill', () => {
    const run = play(made(boards, 1, jobs), 'gang+backfill');
    const { starved, deadlock, ends } = reportOf(run);
    expect([starved.jobs, deadlock, ends.waiting, ends.rejected]).toEqual([0, null, 0, 0]);
  });
});

/** From start to end each board is one job's. */
function expectSingleUse({ jobs }: Run): void {
  const freeFrom = new Map<string, number>();
  const started = jobs
    .filter(({ startedAt }) => startedAt !== null)
    .sort((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0));
  for (const { members, startedAt, endedAt, size } of started) {
    expect(members).toHaveLength(size);
    for (const { device } of members) {
      expect(freeFrom.get(device) ?? 0).toBeLessThanOrEqual(startedAt ?? 0);
      freeFrom.set(device, endedAt ?? Number.POSITIVE_INFINITY);
    }
  }
}
