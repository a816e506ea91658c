/** A whole lab under faults on virtual time: the short version of `npm run sim`, with fixed seeds. */
import { describe, expect, it } from 'vitest';
import { simulate } from './lab.ts';
import { MUTANTS, type Mutant } from './mutants.ts';

const MINUTES = 60;
/** The last: two servers that were in one another's way with the same job for ever, at one moment of time. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 10];
const timeout = 120_000;
/** A wrong log need not show in every lab. */
const MUTANT_SEEDS_MAX = 20;

/** What the seeds below must have seen between them, or they prove little. */
const seen = new Set<string>();

describe('a simulated lab', () => {
  it.each(SEEDS)(
    'of seed %i keeps every invariant under faults, and comes to its end when they stop',
    { timeout },
    async (seed) => {
      const { events, jobs, faults } = await simulate(seed, { minutes: MINUTES });
      expect(jobs).toBeGreaterThan(5);
      expect(faults).toBeGreaterThan(5);
      for (const { type } of events) seen.add(type);
    },
  );

  it('has seen every way in which a job, a wait or a worker can end', () => {
    for (const type of [
      'JobCompleted',
      'JobFailed',
      'JobCancelled',
      'WaitReleased',
      'WaitUnreachable',
      'WaitAbandoned',
      'WaitResumed',
      'MemberTimedOut',
      'AllocationVoided',
      'DeviceHealthChanged',
      'WorkerLost',
    ])
      expect([...seen], type).toContain(type);
  });

  it('is the same for the same seed, event by event', { timeout }, async () => {
    const [one, two] = [await simulate(11, { minutes: 30 }), await simulate(11, { minutes: 30 })];
    expect(two.events).toEqual(one.events);
  });

  it.each(MUTANTS)('catches that $is', { timeout }, async ({ around, caught }) => {
    const faults: string[] = [];
    for (let seed = 1; seed <= MUTANT_SEEDS_MAX; seed++) {
      const fault = await faultOf(seed, around);
      if (caught.test(fault)) return;
      faults.push(fault);
    }
    expect.fail(`not in ${MUTANT_SEEDS_MAX} labs: ${faults.join('; ')}`);
  });
});

const faultOf = (seed: number, around: Mutant['around']): Promise<string> =>
  simulate(seed, { minutes: MINUTES, around }).then(
    () => 'none',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
