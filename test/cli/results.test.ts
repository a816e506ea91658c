/** `muster results` in its forms, and one case over many jobs, in this process against scripted answers. */
import { describe, expect, test } from 'vitest';
import { resultFormats } from '../../api/formats/formats.ts';
import { CaseSeries } from '../../projections/case-series.ts';
import { resultsOf } from '../../projections/results.ts';
import { widest } from './fake-server.ts';
import { recorded, results, story } from './job-12.ts';
import { muster } from './scripted.ts';

/** The speed of job 12 again and again, slower from the seventh run on, failing in the last. */
function history() {
  const series = new CaseSeries('speed');
  const speeds = ['93.5', '93.6', '93.4', '93.5', '93.7', '93.5', '41.0', '41.2'];
  for (const [at, measurement] of speeds.entries())
    series.take(
      { job: at + 1, name: 'a meeting of two boards with a name that is long' },
      resultsOf(
        recorded(
          story.map((event) =>
            event.type === 'ResultRecorded'
              ? {
                  ...event,
                  data: { ...event.data, measurement, result: at === 7 ? 'fail' : 'pass' },
                }
              : event,
          ),
        ),
      ),
    );
  return {
    case: 'speed',
    name: 'a*',
    series: series.views(),
    without: [3, 4],
    lookedAt: { jobs: 30, events: 500 },
    next: 7,
  };
}
const over = { 'GET /api/results': history() };

describe('the results of a job', () => {
  test.each(Object.keys(resultFormats))(
    'in the form %s are printed as the server gives them',
    async (format) => {
      const { exit, out, err, asked } = await muster(`results 12 --format ${format}`, {
        'GET /api/jobs/12/results': (_, reply) => reply.end('grüße\r\n\u0000 as they are'),
      });
      expect([exit, out, err]).toEqual([0, 'grüße\r\n\u0000 as they are', '']);
      expect(asked.map(({ path }) => path)).toEqual([`/api/jobs/12/results?format=${format}`]);
    },
  );

  test('as JSON are the same with --json and with --format json', async () => {
    const one = await muster('results 12 --json');
    expect((await muster('results 12 --format json')).out).toBe(one.out);
    expect(JSON.parse(one.out)).toEqual(JSON.parse(JSON.stringify(results)));
  });

  test('are a table with --format table', async () => {
    const table = await muster('results 12');
    expect((await muster('results 12 --format table')).out).toBe(table.out);
  });
});

describe('a case over many jobs', () => {
  test('asks for the last twenty of any name, or for what was said', async () => {
    const asked = async (args: string) =>
      (await muster(`results --case speed${args}`, over)).asked.map(({ path }) => path);
    expect(await asked('')).toEqual(['/api/results?case=speed&last=20']);
    expect(await asked(' --name a* --last 5 --before 40')).toEqual([
      '/api/results?case=speed&last=5&name=a*&before=40',
    ]);
  });

  test('shows each run, the median and the spread, and what changed under the run that differs', async () => {
    const { exit, out, err } = await muster('results --case speed', over);
    expect([exit, err]).toEqual([0, 'older ones: --before 7\n']);
    expect(widest(out)).toBeLessThanOrEqual(80);
    const lines = out.split('\n');
    expect(lines[0]).toBe('client[0]  0_meet  speed');
    expect(lines[1]).toBe('  8 runs: 7 pass, 1 fail, 0 skip, 0 unknown');
    expect(lines[2]).toMatch(
      /^ {2}median 93\.5 Mbit\/s, spread [\d.]+ to [\d.]+, seen 41 to 93\.7$/,
    );
    expect(out).toContain('  changed first in job 7, 1 more change after it\n');
    const slow = lines.findIndex((line) => /^ +7 .*pass +41\.0 Mbit\/s$/.test(line));
    expect(lines.slice(slow).join('\n')).toMatch(
      /below the spread of the 6 runs before it: median 93\.5/,
    );
    expect(out).toMatch(/\n +8 .*fail +41\.2 Mbit\/s\n(?: .*\n)* {5}fail, after pass\n/);
    expect(out).toContain('did not come in  3, 4\n');
    expect(out.endsWith('speed came in 8 of 30 jobs looked at\n')).toBe(true);
  });

  test('as JSON is what the server answered', async () => {
    const { out } = await muster('results --case speed --json', over);
    expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify(over['GET /api/results'])));
  });

  test('that came nowhere says how many jobs were looked at', async () => {
    const nowhere = { case: 'x', series: [], without: [], lookedAt: { jobs: 1, events: 9 } };
    const { exit, out } = await muster('results --case x', { 'GET /api/results': nowhere });
    expect([exit, out]).toEqual([0, 'x came in 0 of 1 job looked at\n']);
  });
});

test.each([
  'results',
  'results --name a*',
  'results --case=',
  'results --case speed --name=',
  'results 12 --case speed',
  'results 12 --last 3',
  'results --case speed --last 0',
  'results --case speed --format junit',
  'results 12 --format pdf',
  'results 12 --json --format csv',
])('muster %s is wrong usage: exit 2, a line on stderr, nothing asked', async (args) => {
  const { exit, out, err, asked } = await muster(args, over);
  expect([exit, out, asked]).toEqual([2, '', []]);
  expect(err).toMatch(/^muster: .*\n(.*\n)*\(--help shows how it is used\)\n$/);
  expect(widest(err)).toBeLessThanOrEqual(80);
});
