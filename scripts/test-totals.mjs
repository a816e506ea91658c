// `node scripts/test-totals.mjs REPORT...`: one line for all runs, from vitest's JSON reports. It ends with 1 when a
// test failed, when a file of tests could not be run, and when a report is not there: then nobody knows.
import { readFileSync } from 'node:fs';

/** A file that failed without a failed test (it does not load, a hook throws) counts as one failure. */
function totalsOf(file) {
  const { testResults } = JSON.parse(readFileSync(file, 'utf8'));
  const totals = { passed: 0, failed: 0, skipped: 0 };
  for (const { status, assertionResults } of testResults) {
    const failed = assertionResults.filter((test) => test.status === 'failed').length;
    const passed = assertionResults.filter((test) => test.status === 'passed').length;
    totals.passed += passed;
    totals.failed += status === 'failed' ? Math.max(failed, 1) : failed;
    totals.skipped += assertionResults.length - passed - failed;
  }
  return totals;
}

const sum = { passed: 0, failed: 0, skipped: 0 };
for (const file of process.argv.slice(2)) {
  try {
    const totals = totalsOf(file);
    for (const [name, count] of Object.entries(totals)) sum[name] += count;
  } catch (fault) {
    console.error(`no report of a run: ${fault.message}`);
    process.exitCode = 1;
  }
}
if (sum.failed > 0) process.exitCode = 1;
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
