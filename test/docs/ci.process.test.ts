/** What CI runs and says: `.ci/run`, the scripts that it and the pages name, and the line that sums up its runs. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, describe, expect, it } from 'vitest';
import { pages } from './files.ts';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
const ci = readFileSync('.ci/run', 'utf8');

describe('the line that sums up runs', () => {
  const dir = mkdtempSync(join(tmpdir(), 'muster-totals-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const report = (name: string, ...files: { status: string; tests: string[] }[]) => {
    const file = join(dir, name);
    const testResults = files.map(({ status, tests }, at) => ({
      name: resolve(`test/${at}.test.ts`),
      status,
      message: tests.length === 0 ? 'it does not load' : '',
      assertionResults: tests.map((test) => ({
        status: test,
        fullName: 'a rule holds',
        failureMessages: test === 'failed' ? ['expected 1 to be 2'] : [],
      })),
    }));
    writeFileSync(file, JSON.stringify({ testResults }));
    return file;
  };
  const totals = (...files: string[]) => {
    const { stdout, exitCode } = execaSync('node', ['scripts/test-totals.mjs', ...files], {
      reject: false,
    });
    return [stdout, exitCode];
  };

  it('adds runs, and counts what is to do as skipped; no report is a failure', () => {
    const good = report('good', {
      status: 'passed',
      tests: ['passed', 'passed', 'skipped', 'todo'],
    });
    expect(totals(good)).toEqual(['2 passed, 0 failed, 2 skipped', 0]);
    expect(totals(good, join(dir, 'none'))).toEqual(['2 passed, 0 failed, 2 skipped', 1]);
  });

  it('names what failed with its first words, and counts a file that did not load as a failure', () => {
    const bad = report(
      'bad',
      { status: 'failed', tests: ['failed', 'passed'] },
      { status: 'failed', tests: [] },
    );
    expect(totals(bad)).toEqual([
      [
        'FAILED test/0.test.ts: a rule holds',
        'expected 1 to be 2',
        'FAILED test/1.test.ts',
        'it does not load',
        '1 passed, 2 failed, 0 skipped',
      ].join('\n'),
      1,
    ]);
  });
});

it('CI runs what is verified and what is long, and both leave a report for its last line', () => {
  expect(ci).toMatch(/MUSTER_TEST_REPORT="(\S+)" npm run verify \|\| status=1/);
  expect(ci).toMatch(/MUSTER_TEST_REPORT="(\S+)" npm run test:long \|\| status=1/);
  expect(scripts.verify).toMatch(/&& npm test$/);
  expect(execaSync('bash', ['-n', '.ci/run']).exitCode).toBe(0);
});

it('a test is either in npm test or in npm run test:long, by the name of its file', () => {
  expect(scripts.test).toContain("vitest run --exclude 'test/**/*.long.test.ts'");
  expect(scripts['test:long']).toContain('vitest run .long.test.ts');
});

it('every npm script that a page names is there', () => {
  for (const page of ['.ci/run', ...pages])
    for (const [, name = ''] of readFileSync(page, 'utf8').matchAll(
      /npm run (?:--silent )?([a-z:]+)/g,
    ))
      expect(Object.keys(scripts), `${page}: npm run ${name}`).toContain(name);
});
