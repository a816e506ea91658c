/** How this room states a property: for the real thing it must hold, and a mutant must break it. */
import fc from 'fast-check';
import { expect, vi } from 'vitest';

/** `MUSTER_RUNS=20` runs each property twenty times as often. */
const times = Number(process.env.MUSTER_RUNS ?? 1);
/** Runs of each property on the real scheduler; a failure prints seed and path. */
const RUNS = 300;
/** Runs in which a mutant must be caught. */
const CATCH_RUNS = 2_000;
const SEED = 3;

// A limit for a test that hangs, far above what a property takes on a busy machine.
vi.setConfig({ testTimeout: 120_000 * Math.max(1, times) });

export function holds<T>(
  arbitrary: fc.Arbitrary<T>,
  check: (drawn: T) => void,
  runs: number = RUNS,
): void {
  const numRuns = Math.max(1, Math.round(runs * times));
  fc.assert(fc.property(arbitrary, plain(check)), { seed: SEED, numRuns });
}

/** The same property finds a counter-example when it is given the mutant. */
export function isCaught<T>(
  arbitrary: fc.Arbitrary<T>,
  check: (drawn: T) => void,
  runs: number = CATCH_RUNS,
): void {
  const options = { seed: SEED, numRuns: runs, endOnFailure: true };
  const { failed } = fc.check(fc.property(arbitrary, plain(check)), options);
  expect(failed, 'the mutant was not caught').toBe(true);
}

/** What a check returns is no verdict: only what it throws is. */
const plain =
  <T>(check: (drawn: T) => void) =>
  (drawn: T): void => {
    check(drawn);
  };
