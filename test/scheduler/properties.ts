/** How this room states a property: for the real thing it must hold, and a mutant must break it. */
import fc from 'fast-check';
import { expect } from 'vitest';

/** Runs of each property on the real scheduler; a failure prints seed and path. */
const RUNS = 1_000;
const SEED = 3;

export function holds<T>(arbitrary: fc.Arbitrary<T>, check: (drawn: T) => void): void {
  fc.assert(fc.property(arbitrary, check), { seed: SEED, numRuns: RUNS });
}

/** The same property finds a counter-example when it is given the mutant. */
export function isCaught<T>(arbitrary: fc.Arbitrary<T>, check: (drawn: T) => void): void {
  const { failed } = fc.check(fc.property(arbitrary, check), { seed: SEED, numRuns: RUNS });
  expect(failed, 'the mutant was not caught').toBe(true);
}
