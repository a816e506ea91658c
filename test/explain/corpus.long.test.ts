/**
 * Of each kind one of the corpus of failures once more on real boards: what is told of a run of today is what was told of the
 * recorded one. All of them take half an hour: `npx tsx scripts/failures.ts record ''`.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { explain } from '../../answers/explain/explain.ts';
import { namespacesSkipped } from '../dispatcher/harness.ts';
import { ExplainLab } from './lab.ts';
import { differences, scenarios } from './scenarios.ts';

const lack = await namespacesSkipped();
let lab: ExplainLab;
beforeAll(async () => {
  if (lack !== undefined) return;
  lab = new ExplainLab();
  await lab.start();
});
afterAll(() => (lack === undefined ? lab.stop() : undefined));

/** The first that has each kind. */
const ofEachKind = [
  ...new Map(scenarios.toReversed().map((one) => [one.expected.kind, one])).values(),
].toReversed();

it
  .skipIf(lack !== undefined)
  .each(ofEachKind.map((scenario) => [scenario.name, scenario] as const))(
  'boards that do %s are explained',
  async (_, scenario) => {
    expect(differences(scenario.expected, await explain(await lab.run(scenario)))).toEqual([]);
  },
  180_000,
);
