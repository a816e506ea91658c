/** One case over many runs: where its measurements lie, and which run first differs from those before it. Pure. */
import type {
  CaseChangeView,
  CaseRunView,
  CaseSeriesView,
  CaseView,
  MemberView,
  ResultsView,
  SpreadView,
} from './views.ts';

/** A run is judged by its measurement when so many runs before it have one. */
const BASELINE_RUNS_MIN = 5;
/** The modified z-score of Iglewicz and Hoaglin (1993): beyond 3.5 a value is an outlier. */
const DEVIATIONS_MAX = 3.5;
/** The median absolute deviation of a normal distribution, and its mean one, in standard deviations. */
const MEDIAN_DEVIATION = 0.6745;
const MEAN_DEVIATION = 0.7979;

/** Gathers runs, whichever way they come, and gives a series for each place, suite and set. */
export class CaseSeries {
  readonly #case: string;
  readonly #series = new Map<
    string,
    Pick<CaseSeriesView, 'role' | 'index' | 'suite' | 'set'> & { runs: CaseRunView[] }
  >();
  /** In all series together. */
  runCount = 0;

  constructor(name: string) {
    this.#case = name;
  }

  /** Whether the case came in this job. */
  take(job: { job: number; name: string }, { members, cases }: ResultsView): boolean {
    const places = new Map(members.map((member) => [member.device, member]));
    const came = cases.filter((is) => is.counts && is.case === this.#case);
    for (const is of came) this.#add(job, is, places.get(is.device));
    return came.length > 0;
  }

  #add(
    job: { job: number; name: string },
    { device, role, suite, set, result, measurement, value, units, note, at }: CaseView,
    place: MemberView | undefined,
  ): void {
    const index = place?.index ?? 0;
    const key = JSON.stringify([role, index, suite, set]);
    const series = this.#series.get(key) ?? {
      role,
      index,
      suite,
      ...(set !== undefined && { set }),
      runs: [],
    };
    this.#series.set(key, series);
    this.runCount += 1;
    series.runs.push({
      ...job,
      device,
      result,
      ...(measurement !== undefined && { measurement }),
      ...(value !== undefined && { value }),
      ...(units !== undefined && { units }),
      ...(note !== undefined && { note }),
      at,
    });
  }

  views(): CaseSeriesView[] {
    return [...this.#series.values()].map(({ runs, ...of }) => {
      const oldestFirst = [...runs].sort((a, b) => a.job - b.job);
      const summary = { pass: 0, fail: 0, skip: 0, unknown: 0 };
      for (const { result } of runs) summary[result]++;
      const units = oldestFirst.findLast((run) => run.value !== undefined)?.units;
      const measured = spreadOf(valuesOf(oldestFirst, units), units);
      return {
        ...of,
        runs: oldestFirst,
        summary,
        ...(measured !== undefined && { measured }),
        changes: changesOf(oldestFirst),
      };
    });
  }
}

const valuesOf = (runs: readonly CaseRunView[], units: string | undefined): number[] =>
  runs.flatMap((run) => (run.value !== undefined && run.units === units ? [run.value] : []));

/** `undefined`: there are no values. */
export function spreadOf(values: readonly number[], units?: string): SpreadView | undefined {
  if (values.length === 0) return undefined;
  const median = medianOf(values);
  const away = values.map((value) => finite(Math.abs(value - median)));
  const mean = away.reduce((sum, each) => sum + each / away.length, 0);
  // More than half of the runs alike: their median deviation is nothing, and says nothing of the others.
  const deviation = medianOf(away) / MEDIAN_DEVIATION || mean / MEAN_DEVIATION;
  return {
    count: values.length,
    ...(units !== undefined && { units }),
    median,
    low: finite(median - DEVIATIONS_MAX * deviation),
    high: finite(median + DEVIATIONS_MAX * deviation),
    min: values.reduce((a, b) => Math.min(a, b)),
    max: values.reduce((a, b) => Math.max(a, b)),
  };
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (sorted[middle - 1] ?? 0) / 2 + upper / 2;
}

/** What JSON can hold. */
const finite = (value: number): number =>
  Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));

/** @param runs the oldest first */
export function changesOf(runs: readonly CaseRunView[]): CaseChangeView[] {
  const changes: CaseChangeView[] = [];
  let before: CaseRunView | undefined;
  let units: string | undefined;
  /** Since the last change. */
  let values: number[] = [];
  for (const run of runs) {
    const { job, result, value } = run;
    if (before !== undefined && before.result !== result)
      changes.push({ what: 'result', job, from: before.result, to: result });
    before = run;
    if (value === undefined) continue;
    if (values.length > 0 && units !== run.units) {
      changes.push({ what: 'units', job, from: units ?? '', to: run.units ?? '' });
      values = [];
    }
    units = run.units;
    const from = values.length < BASELINE_RUNS_MIN ? undefined : spreadOf(values, units);
    if (from !== undefined && (value < from.low || value > from.high)) {
      changes.push({ what: 'measurement', job, from, to: value });
      values = [];
    }
    values.push(value);
  }
  return changes;
}
