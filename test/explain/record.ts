/** Runs scenarios on real boards and keeps what they left: `npx tsx test/explain/record.ts [NAME ...]`; without a name those that were never run. */
import { existsSync, writeFileSync } from 'node:fs';
import { explain } from '../../answers/explain/explain.ts';
import { ExplainLab } from './lab.ts';
import { writeRecorded } from './recorded.ts';
import { scenarios } from './scenarios.ts';

const AT_ONCE = 2;
const wanted = process.argv.slice(2);
const todo = scenarios.filter(
  ({ name, recorded }) =>
    (wanted.length === 0 && !existsSync(recorded)) || wanted.some((word) => name.startsWith(word)),
);
const lab = new ExplainLab();
await lab.start();
const work = async () => {
  for (let one = todo.shift(); one !== undefined; one = todo.shift()) {
    const evidence = await lab.run(one);
    writeFileSync(one.recorded, await writeRecorded(evidence));
    const { kind, culprit } = await explain(evidence);
    const right = kind === one.expected.kind ? 'ok   ' : 'WRONG';
    console.log(`${right} ${one.name}: ${kind} ${culprit?.role} ${culprit?.file}:${culprit?.line}`);
  }
};
await Promise.all(Array.from({ length: AT_ONCE }, work));
await lab.stop();
