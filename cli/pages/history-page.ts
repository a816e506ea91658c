/** One case over many jobs: a block a series, what changed under the run that differs. */
import type { z } from 'zod';
import type { CaseHistory } from '../../api/schemas.ts';
import { caseName, measuredText, placeName } from '../../projections/result-words.ts';
import type { CaseChangeView, CaseSeriesView, SpreadView } from '../../projections/views.ts';
import { stateCell } from './job-page.ts';
import { counted, dateAndTime, hang, names } from './text.ts';
import { type Column, type Page, table } from './text-table.ts';

type History = z.infer<typeof CaseHistory>;

const COLUMNS: readonly Column[] = [
  { title: 'JOB', align: 'right' },
  { title: 'NAME', flexible: true },
  { title: 'WHEN' },
  { title: 'BOARD' },
  { title: 'RESULT' },
  { title: 'MEASURED', align: 'right' },
];
const UNDER = '     ';

export function renderHistory(history: History, page: Page): string {
  const { series, without, lookedAt } = history;
  const blocks = series.map((one) => `${renderSeries(history.case, one, page)}\n`);
  const missing =
    without.length === 0
      ? ''
      : hang('did not come in  ', names(without.map(String), WITHOUT_SHOWN_MAX), page.columns);
  const found = new Set(series.flatMap(({ runs }) => runs.map(({ job }) => job))).size;
  const total = `${history.case} came in ${found} of ${counted(lookedAt.jobs, 'job')} looked at`;
  return blocks.join('') + missing + hang('', total, page.columns);
}
const WITHOUT_SHOWN_MAX = 20;

function renderSeries(name: string, series: CaseSeriesView, page: Page): string {
  const { suite, set, runs, summary, measured, changes } = series;
  const { pass, fail, skip, unknown } = summary;
  const where = `${placeName(series)}  ${suite}  ${caseName({ ...(set && { set }), case: name })}`;
  const counts = `${counted(runs.length, 'run')}: ${pass} pass, ${fail} fail, ${skip} skip, ${unknown} unknown`;
  const rows = runs.map((run) => [
    String(run.job),
    run.name,
    dateAndTime(run.at),
    run.device,
    stateCell(run.result, page.colors),
    measuredText(run),
  ]);
  const under = (at: number): string =>
    changes
      .filter(({ job }) => job === runs[at]?.job)
      .map((change) => page.colors.bold(hang(UNDER, changeText(change), page.columns)))
      .join('');
  return (
    hang('', where, page.columns) +
    hang('  ', counts, page.columns) +
    (measured === undefined ? '' : hang('  ', spreadText(measured), page.columns)) +
    (changes.length === 0 ? '' : hang('  ', firstText(changes), page.columns)) +
    table(COLUMNS, rows, page, under)
  );
}

/** `median 93.5 Mbit/s, spread 92.8 to 94.2, from 93.1 to 93.9`. */
function spreadText({ median, low, high, min, max, units }: SpreadView): string {
  const unit = units === undefined ? '' : ` ${units}`;
  return `median ${plain(median)}${unit}, spread ${plain(low)} to ${plain(high)}, seen ${plain(min)} to ${plain(max)}`;
}

const firstText = ([first, ...more]: readonly CaseChangeView[]): string =>
  first === undefined
    ? ''
    : `changed first in job ${first.job}${more.length > 0 ? `, ${counted(more.length, 'more change')} after it` : ''}`;

function changeText(change: CaseChangeView): string {
  switch (change.what) {
    case 'result':
      return `${change.to}, after ${change.from}`;
    case 'units':
      return `in ${change.to || 'no units'}, after ${change.from || 'no units'}`;
    case 'measurement': {
      const { from, to } = change;
      const how = to > from.high ? 'above' : 'below';
      return `${how} the spread of the ${counted(from.count, 'run')} before it: median ${plain(from.median)}, ${plain(from.low)} to ${plain(from.high)}`;
    }
  }
}

/** As many digits as a person compares. */
const plain = (value: number): string => String(Number(value.toPrecision(6)));
