/** Definitions as labs write them: what lint says of each, by which rule and at which line. */
import { describe, expect, test } from 'vitest';
import { cases, lintCase } from './corpus.ts';

const all = cases();

test('there are at least 60 definitions, and of each verdict at least 15', () => {
  expect(all.length).toBeGreaterThanOrEqual(60);
  for (const verdict of ['clean', 'broken', 'unknown'])
    expect([verdict, all.filter((one) => one.verdict === verdict).length >= 15]).toEqual([
      verdict,
      true,
    ]);
});

describe('what lint says of a definition, and of which line', () => {
  test.each(all.map((one) => [one.name, one] as const))('%s', (_, one) => {
    const { verdict, findings } = lintCase(one);
    const said = findings.map(({ rule, file, line, severity }) => ({
      at: `${rule} ${file}:${line}`,
      rule,
      severity,
    }));
    expect([verdict, said]).toEqual([one.verdict, said]);
    for (const wanted of one.findings) expect(said.map(({ at }) => at)).toContain(wanted);
    const errors = said.filter(({ severity }) => severity === 'error').map(({ at }) => at);
    expect(errors.filter((at) => !one.findings.includes(at))).toEqual([]);
    const warned = said.filter(({ severity }) => severity === 'warning');
    expect(
      warned.filter(({ at, rule }) => !one.warnings.includes(rule) && !one.findings.includes(at)),
    ).toEqual([]);
  });
});
