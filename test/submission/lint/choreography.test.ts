/** What lint says of scripts in many disguises is what the machines do with their calls. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comesThrough, dice, group, isHeard, written } from './choreographies.ts';
import { lintScript } from './script.ts';

test('a group that comes through is called clean, and one that does not is called broken', () => {
  const seen = { clean: 0, broken: 0, unknown: 0 };
  fc.assert(
    fc.property(group, fc.array(fc.nat(1_000), { minLength: 1, maxLength: 20 }), (of, seeds) => {
      const { script, files } = written(of, dice(seeds));
      const { verdict, findings } = lintScript(script, of.roles, {
        countsSelf: of.countsSelf,
        files,
      });
      const wanted = !comesThrough(of) ? 'broken' : isHeard(of) ? 'clean' : 'unknown';
      seen[wanted] += 1;
      expect([verdict, script, files, findings]).toEqual([wanted, script, files, findings]);
    }),
    { numRuns: Number(process.env.RUNS ?? 600) },
  );
  // Both kinds are common, so that neither answer is right by chance.
  expect(Math.min(seen.clean, seen.broken)).toBeGreaterThan(50);
});
