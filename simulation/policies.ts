/** The policies that a trace can be played under, by name. */
import type { Worker } from '../scheduler/types.ts';
import { Gang, GangWithBackfill } from './gang.ts';
import { Greedy } from './greedy.ts';
import type { Policy } from './policy.ts';
import { randomOf } from './random.ts';

export const POLICIES = ['gang+backfill', 'gang', 'greedy'] as const;
export type PolicyName = (typeof POLICIES)[number];

/** @param seed decides what the policy leaves to chance: the order in which `greedy` looks at idle boards. */
export function makePolicy(name: PolicyName, workers: readonly Worker[], seed: number): Policy {
  switch (name) {
    case 'gang+backfill':
      return new GangWithBackfill(workers);
    case 'gang':
      return new Gang(workers);
    case 'greedy':
      return new Greedy(workers, randomOf(seed));
  }
}
