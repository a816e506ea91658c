/** The page of `muster check-lab`: what can never run, what nothing uses, and a line for each property. */
import type { LabReport, Verdict } from '../../simulation/check-lab.ts';
import type { Told } from '../../simulation/trace-story.ts';
import { counted, hang } from './text.ts';
import type { Page } from './text-table.ts';

const NAME_COLUMNS = 16;
const TIME_COLUMNS = 10;

export function renderLabCheck(report: LabReport, seed: number, page: Page): string {
  const { never, unused, properties } = report;
  const { columns, colors } = page;
  const runs = properties.map((verdict) => renderVerdict(verdict, page)).join('');
  const rules =
    properties.length > 0
      ? `Scheduling rules, on random runs (seed ${seed}):\n${runs}`
      : 'No job of these can run here, so there is nothing to try the rules on.\n';
  const jobs = never.map(({ job, reasons }) =>
    colors.red(hang(`  ${job}  `, reasons.join('; '), columns)),
  );
  return [
    rules,
    jobs.length > 0 ? `\nCan never run here:\n${jobs.join('')}` : '',
    unused !== null && unused.length > 0
      ? `\n${hang('Used by none of the jobs: ', unused.join(', '), columns)}`
      : '',
  ].join('');
}

function renderVerdict({ name, says, runs, failure }: Verdict, page: Page): string {
  const { columns, colors } = page;
  const mark = failure === undefined ? 'ok  ' : 'FAIL';
  const line = hang(
    `  ${mark}  ${name.padEnd(NAME_COLUMNS)}  `,
    `${says} (${counted(runs, 'run')})`,
    columns,
  );
  if (failure === undefined) return colors.green(line);
  return [
    colors.red(line),
    hang('        ', 'the shortest run found in which it does not hold:', columns),
    ...failure.timeline.map((told) => renderTold(told, columns)),
    colors.red(hang(' '.repeat(TIME_COLUMNS + 4), `WRONG: ${failure.wrong}`, columns)),
  ].join('');
}

const renderTold = ({ seconds, says }: Told, columns: number): string =>
  hang(`${`${seconds} s`.padStart(TIME_COLUMNS + 2)}  `, says, columns);
