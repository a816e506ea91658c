/** Prints what is told of scenarios: `npx tsx test/explain/look.ts NAME [--json]`; without a name, which are wrong. */
import { existsSync, readFileSync } from 'node:fs';
import picocolors from 'picocolors';
import { explain } from '../../answers/explain/explain.ts';
import { renderExplanation } from '../../cli/pages/explain-page.ts';
import { readRecorded } from './recorded.ts';
import { scenarios } from './scenarios.ts';

const [word] = process.argv.slice(2);
let wrong = 0;
for (const { name, recorded, expected } of scenarios) {
  if ((word !== undefined && !name.startsWith(word)) || !existsSync(recorded)) continue;
  const is = await explain(readRecorded(readFileSync(recorded, 'utf8')));
  const got = [
    is.kind,
    expected.role && is.culprit?.role,
    expected.file && is.culprit?.file,
    expected.line && is.culprit?.line,
  ];
  const want = [expected.kind, expected.role, expected.file, expected.line];
  const ok = JSON.stringify(got) === JSON.stringify(want);
  if (!ok) wrong += 1;
  if (!ok || word !== undefined)
    console.log(
      `${ok ? 'ok   ' : 'WRONG'} ${name}: ${got.join(' ')}; expected ${want.join(' ')} [${is.ranked.map((r) => r.kind).join(', ')}]`,
    );
  if (word !== undefined)
    console.log(
      process.argv.includes('--json')
        ? JSON.stringify(is, null, 1)
        : renderExplanation(is, { columns: 80, colors: picocolors.createColors(false) }),
    );
}
console.log(`${wrong} wrong`);
