/**
 * How this room states a property: it must hold for the real thing, and a mutant must break it.
 * A failure prints seed and path; `MUSTER_RUNS=20` runs each property twenty times as often.
 */
import fc from 'fast-check';
import { expect, vi } from 'vitest';

const times = Number(process.env.MUSTER_RUNS ?? 1);

// A limit for a test that hangs, far above what a property takes on a busy machine.
vi.setConfig({ testTimeout: 120_000 * Math.max(1, times) });

/** How often a property runs; a cheap one may ask for more. */
const runs = (count = 300): number => Math.max(1, Math.round(count * times));

export function assertHolds<T>(
  arbitrary: fc.Arbitrary<T>,
  check: (drawn: T) => void,
  count?: number,
): void {
  fc.assert(fc.property(arbitrary, plain(check)), { numRuns: runs(count) });
}

/** The same property finds a counter-example when it is given the mutant. The seed is fixed: no luck is needed. */
export function isCaught<T>(
  arbitrary: fc.Arbitrary<T>,
  check: (drawn: T) => void,
  count = 1000,
): void {
  const options = { seed: 3, numRuns: count, endOnFailure: true };
  const { failed } = fc.check(fc.property(arbitrary, plain(check)), options);
  expect(failed, 'the mutant was not caught').toBe(true);
}

/** What a check returns is no verdict: only what it throws is. */
const plain =
  <T>(check: (drawn: T) => void) =>
  (drawn: T): void => {
    check(drawn);
  };
