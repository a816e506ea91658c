import { expect, test } from 'vitest';
import { lintScript } from './script.ts';

const two = [
  { role: 'server', count: 1 },
  { role: 'client', count: 1 },
];
const said = (comment: string, onLine = false) => {
  const script = onLine ? `lava-wait start ${comment}` : `${comment}\nlava-wait start`;
  const { findings, ignored, verdict } = lintScript(script, two);
  return { findings: findings.map(({ rule, line }) => `${rule} ${line}`), ignored, verdict };
};

test('a finding is ignored by a comment above its line or on it, with its rule and a reason', () => {
  const comment = '# muster-lint: ignore cross-wait, wait-without-send the harness sends it';
  for (const onLine of [false, true]) {
    const { findings, ignored, verdict } = said(comment, onLine);
    expect(findings).toEqual([]);
    expect(ignored).toBeGreaterThan(0);
    // Whoever ignores it knows more than lint does: lint itself does not know how it goes on.
    expect(verdict).toBe('unknown');
  }
});

test('an ignore without a reason ignores nothing, and says so', () => {
  const { findings, ignored } = said('# muster-lint: ignore wait-without-send');
  expect([findings, ignored]).toEqual([['wait-without-send 2', 'ignore 1'], 0]);
});

test('an ignore that names a rule that there is not says so', () => {
  const { findings } = said('# muster-lint: ignore wait-without-sender it is sent');
  expect(findings).toEqual(['wait-without-send 2', 'ignore 1']);
  expect(said('# muster-lint: ignore').findings).toContain('ignore 1');
});

test('an ignore of another rule leaves the finding', () => {
  const { findings, ignored } = said('# muster-lint: ignore rounds-differ it is meant so');
  expect([findings, ignored]).toEqual([['wait-without-send 2'], 0]);
});
