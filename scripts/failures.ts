/**
 * The corpus of failures (test/corpus/failures): `record NAME...` runs those whose names begin so on real boards and keeps what
 * they left, without a name those that were never run; `show NAME` prints what is told of them, without a name what is wrong.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import picocolors from 'picocolors';
import { explain } from '../answers/explain/explain.ts';
import { renderExplanation } from '../cli/pages/explain-page.ts';
import { ExplainLab } from '../test/explain/lab.ts';
import { readRecorded, writeRecorded } from '../test/explain/recorded.ts';
import { differences, type Scenario, scenarios } from '../test/explain/scenarios.ts';

const AT_ONCE = 2;

async function record(todo: Scenario[]): Promise<void> {
  const lab = new ExplainLab();
  await lab.start();
  const work = async () => {
    for (let one = todo.shift(); one !== undefined; one = todo.shift()) {
      const evidence = await lab.run(one);
      writeFileSync(one.recorded, await writeRecorded(evidence));
      await tell(one, false);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  await lab.stop();
}

async function tell({ name, recorded, expected }: Scenario, isWhole: boolean): Promise<void> {
  const explanation = await explain(readRecorded(readFileSync(recorded, 'utf8')));
  const wrong = differences(expected, explanation);
  console.log(`${wrong.length === 0 ? 'right' : 'WRONG'} ${name} ${wrong.join('; ')}`);
  if (!isWhole) return;
  console.log(
    renderExplanation(explanation, { columns: 80, colors: picocolors.createColors(false) }),
  );
}

const [order, ...words] = process.argv.slice(2);
const named = scenarios.filter(({ name }) => words.some((word) => name.startsWith(word)));
if (order === 'record')
  await record(
    words.length > 0 ? named : scenarios.filter(({ recorded }) => !existsSync(recorded)),
  );
else
  for (const scenario of words.length > 0 ? named : scenarios)
    if (existsSync(scenario.recorded)) await tell(scenario, words.length > 0);
