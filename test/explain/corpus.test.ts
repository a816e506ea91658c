/** The corpus of failures: what real boards left of each, and what is told of it. */
import { readFileSync } from 'node:fs';
import picocolors from 'picocolors';
import { expect, it } from 'vitest';
import { CAUSES, OTHERWISE } from '../../answers/explain/causes.ts';
import { explain } from '../../answers/explain/explain.ts';
import { Explanation, Kind } from '../../answers/explain/explanation.ts';
import { EXIT } from '../../cli/exit.ts';
import { renderExplanation } from '../../cli/pages/explain-page.ts';
import { textWidth } from '../../cli/pages/text.ts';
import { causesPage } from '../../scripts/write-causes.ts';
import { here } from '../cli/fake-server.ts';
import { readRecorded } from './recorded.ts';
import { differences, scenarios } from './scenarios.ts';

const HEALTHY = new Set<Kind>(['nothing-failed', 'slow-but-healthy', 'test-failed']);
const SCREEN_LINES = 40;

it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
  'explains %s, and on one screen',
  async (_, { recorded, expected }) => {
    const evidence = readRecorded(readFileSync(recorded, 'utf8'));
    const explanation = await explain(evidence);
    expect(differences(expected, explanation)).toEqual([]);
    expect(Explanation.parse(explanation)).toEqual(explanation);
    const versions = new Set(evidence.events.map(({ version }) => version));
    for (const one of explanation.evidence)
      if ('event' in one) expect(versions).toContain(one.event);
    const told = explanation.chain.flatMap(({ event }) => event ?? []);
    expect(told, 'the first that happened is told first').toEqual([...told].sort((a, b) => a - b));
    const page = renderExplanation(explanation, {
      columns: 80,
      colors: picocolors.createColors(false),
    });
    const lines = page.trimEnd().split('\n');
    expect(lines.length, page).toBeLessThanOrEqual(SCREEN_LINES);
    for (const line of lines) expect(textWidth(line), line).toBeLessThanOrEqual(80);
  },
);

it('advises commands that there are, in words that they take', async () => {
  const advised = new Set<string>();
  for (const { recorded } of scenarios) {
    const { advice } = await explain(readRecorded(readFileSync(recorded, 'utf8')));
    for (const text of advice)
      for (const [words] of text.matchAll(/muster [a-z].*$/g)) advised.add(words);
  }
  const shapes = new Map([...advised].map((words) => [words.replace(/\S*\d+/g, ''), words]));
  expect(shapes.size).toBeGreaterThan(3);
  for (const words of shapes.values()) {
    const { exit, err } = await here(words.split(' ').slice(1), {
      env: { MUSTER_URL: 'http://127.0.0.1:9' },
    });
    expect([words, exit, err]).toEqual([words, EXIT.noServer, expect.anything()]);
  }
});

it('has at least two failures of each kind, sixty in all, and twenty runs that are none', () => {
  const kinds = scenarios.map(({ expected }) => expected.kind);
  for (const kind of Kind.options)
    expect(kinds.filter((one) => one === kind).length, kind).toBeGreaterThanOrEqual(2);
  expect(kinds.filter((kind) => !HEALTHY.has(kind)).length).toBeGreaterThanOrEqual(60);
  expect(kinds.filter((kind) => HEALTHY.has(kind)).length).toBeGreaterThanOrEqual(20);
});

it('has a rule or a text for each word of its answers, once', () => {
  const told = [...CAUSES, ...OTHERWISE].map(({ kind }) => kind);
  expect([...told].sort()).toEqual([...Kind.options].sort());
});

it('docs/causes.md is what the rules say of themselves', () => {
  expect(readFileSync('docs/causes.md', 'utf8'), 'run: npm run docs').toBe(causesPage());
});
