// `node scripts/test-totals.mjs REPORT...`: what failed, by name and with its first words, and one line for all runs,
// from vitest's JSON reports. It ends with 1 when a test failed, when a file of tests could not be run, and when a
// report is not there: then nobody knows.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const WORDS = 600;

/** Told again at the end: of a long run, its end is what is kept and read. */
function tell(file, title, words = '') {
  console.log(`FAILED ${relative('', file)}${title}\n${words.slice(0, WORDS)}`.trimEnd());
}

/** A file that failed without a failed test (it does not load, a hook throws) counts as one failure. */
function totalsOf(report) {
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const totals = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, status, message, assertionResults } of testResults) {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    const passed = assertionResults.filter((test) => test.status === 'passed').length;
    for (const test of failed) tell(name, `: ${test.fullName}`, test.failureMessages?.[0]);
    if (status === 'failed' && failed.length === 0) tell(name, '', message);
    totals.passed += passed;
    totals.failed += status === 'failed' ? Math.max(failed.length, 1) : failed.length;
    totals.skipped += assertionResults.length - passed - failed.length;
  }
  return totals;
}

const sum = { passed: 0, failed: 0, skipped: 0 };
for (const report of process.argv.slice(2)) {
  try {
    const totals = totalsOf(report);
    for (const [name, count] of Object.entries(totals)) sum[name] += count;
  } catch (fault) {
    console.error(`no report of a run: ${fault.message}`);
    process.exitCode = 1;
  }
}
if (sum.failed > 0) process.exitCode = 1;
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
