/** One case over many runs: median, spread, and the first run that differs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CaseSeries, changesOf, spreadOf } from '../../projections/case-series.ts';
import { type CaseRunView, CaseSeriesView, type ResultsView } from '../../projections/views.ts';

const at = '2026-08-01T12:00:00.000Z';
const run = (job: number, value?: number, more: Partial<CaseRunView> = {}): CaseRunView => ({
  job,
  name: 'n',
  device: 'a',
  result: 'pass',
  ...(value !== undefined && { measurement: String(value), value }),
  at,
  ...more,
});
const runs = (...values: number[]) => values.map((value, n) => run(n + 1, value));
const steady = [93.5, 93.7, 93.4, 93.6, 93.5, 93.8, 93.5];

describe('the spread of measurements', () => {
  it.each([
    [[3], 3],
    [[1, 9, 5], 5],
    [[1, 3], 2],
    [[4, 1, 3, 2], 2.5],
  ])('of %j has the median %d', (values, median) => {
    expect(spreadOf(values)?.median).toBe(median);
  });

  it('is around the median, and one wild value does not widen it', () => {
    const calm = spreadOf(steady);
    const wild = spreadOf([...steady, 1e9]);
    expect(calm).toMatchObject({ count: 7, min: 93.4, max: 93.8 });
    expect(calm!.low).toBeLessThan(93.4);
    expect(calm!.high).toBeGreaterThan(93.8);
    expect(wild!.high).toBeLessThan(95);
    expect(wild!.max).toBe(1e9);
  });

  it('of values that are mostly alike still has room for those that are not', () => {
    const { low = 0, high = 0 } = spreadOf([9, 9, 9, 9, 9, 9, 10]) ?? {};
    expect(low).toBeLessThan(9);
    expect(high).toBeGreaterThan(9);
  });

  it('of no values is none', () => {
    expect(spreadOf([])).toBeUndefined();
  });

  it('is in order and can be written as JSON, whatever the doubles', () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(double, { minLength: 1, maxLength: 30 }), (values) => {
        const is = spreadOf(values)!;
        for (const value of Object.values(is)) expect(Number.isFinite(value)).toBe(true);
        expect(is.min).toBeLessThanOrEqual(is.median);
        expect(is.median).toBeLessThanOrEqual(is.max);
        expect(is.low).toBeLessThanOrEqual(is.median);
        expect(is.median).toBeLessThanOrEqual(is.high);
      }),
    );
  });
});

describe('what changed', () => {
  it('is nothing where all runs are alike', () => {
    expect(changesOf(runs(...steady, ...steady))).toEqual([]);
  });

  it('is the first run beyond the spread of those before it, and not each one after it', () => {
    expect(changesOf(runs(...steady, 40.1, 40.2, 40.0, 40.1, 40.3, 40.1))).toEqual([
      { what: 'measurement', job: 8, from: spreadOf(steady), to: 40.1 },
    ]);
  });

  it('is no measurement as long as few runs are known', () => {
    expect(changesOf(runs(1, 1000, 2, 5000))).toEqual([]);
  });

  it('is a run with another result than the one before it, and the way back', () => {
    const results = ['pass', 'pass', 'fail', 'fail', 'pass'] as const;
    expect(changesOf(results.map((result, n) => run(n + 1, undefined, { result })))).toEqual([
      { what: 'result', job: 3, from: 'pass', to: 'fail' },
      { what: 'result', job: 5, from: 'fail', to: 'pass' },
    ]);
  });

  it('is other units, after which what was measured before is not compared', () => {
    const before = steady.map((value, n) => run(n + 1, value, { units: 'Mbit/s' }));
    const after = steady.map((value, n) => run(n + 8, value / 8, { units: 'MB/s' }));
    expect(changesOf([...before, ...after])).toEqual([
      { what: 'units', job: 8, from: 'Mbit/s', to: 'MB/s' },
    ]);
  });
});

describe('the series of a case', () => {
  const none = { pass: 0, fail: 0, skip: 0, unknown: 0 };
  const results = (
    members: [device: string, role: string, index: number][],
    ...cases: Partial<ResultsView['cases'][number]>[]
  ): ResultsView => ({
    members: members.map(([device, role, index]) => ({ device, role, index })),
    suites: [],
    cases: cases.map((is) => ({
      device: 'a',
      role: 'r',
      suite: 's',
      case: 'x',
      result: 'pass',
      counts: true,
      at,
      ...is,
    })),
    garbled: [],
    attachments: [],
    summary: none,
  });

  it('are one for each place, suite and set, whichever board had the place; the oldest run first', () => {
    const series = new CaseSeries('x');
    const two = { job: 2, name: 'n' };
    const place = ['r', 0] as const;
    expect(
      series.take(two, results([['b', ...place]], { device: 'b' }, { device: 'b', set: 't' })),
    ).toBe(true);
    expect(series.take({ job: 1, name: 'n' }, results([['a', ...place]], {}))).toBe(true);
    const views = series.views();
    expect(
      views.map(({ set, runs: of }) => [set, of.map(({ job, device }) => [job, device])]),
    ).toEqual([
      [
        undefined,
        [
          [1, 'a'],
          [2, 'b'],
        ],
      ],
      ['t', [[2, 'b']]],
    ]);
    for (const view of views) expect(CaseSeriesView.parse(view)).toEqual(view);
  });

  it('hold what counts alone, and not the case of another name', () => {
    const series = new CaseSeries('x');
    const job = { job: 1, name: 'n' };
    expect(series.take(job, results([['a', 'r', 0]], { case: 'y' }))).toBe(false);
    series.take(
      job,
      results([['a', 'r', 0]], { result: 'fail', counts: false }, { result: 'pass' }),
    );
    expect(series.views()[0]?.summary).toEqual({ ...none, pass: 1 });
  });

  it('measure in the units of the newest run', () => {
    const series = new CaseSeries('x');
    for (const [job, units] of ['MB/s', 'Mbit/s', 'Mbit/s'].entries())
      series.take(
        { job, name: 'n' },
        results([['a', 'r', 0]], { measurement: '1', value: 1, units }),
      );
    expect(series.views()[0]?.measured).toMatchObject({ count: 2, units: 'Mbit/s' });
  });
});
