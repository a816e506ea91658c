/**
 * Results as JUnit's XML, in the form that CI servers check (junit-10.xsd of Jenkins' xunit plugin). A writer of our own: the
 * library at hand writes an attribute that this schema does not have, and drops characters that XML cannot carry.
 *
 * A suite of a board is a `testsuite`, also without a case. Of a case that came again the earlier ones are `skipped`: the
 * last counts. `unknown` is `skipped` too: it is no failure anywhere else. A job that ended badly is an `error`.
 */
import { caseName, measuredText } from '../../projections/result-words.ts';
import type { CaseView } from '../../projections/views.ts';
import { bySuite, endedBadly, type JobResults, type SuiteCases } from './by-suite.ts';
import { visible } from './visible.ts';

export function junit(results: JobResults): string {
  const suites = bySuite(results);
  const isBad = endedBadly(results);
  const total = attributes({
    name: `job ${results.job}`,
    tests: results.cases.length + (isBad ? 1 : 0),
    failures: results.summary.fail,
    errors: isBad ? 1 : 0,
  });
  const parts = suites.map((suite, at) => suiteXml(suite, at));
  if (isBad) parts.push(endXml(results, suites.length));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${total}>\n${parts.join('')}</testsuites>\n`;
}

function suiteXml(suite: SuiteCases, at: number): string {
  const { cases, place, device, startedAt, endedAt } = suite;
  const seconds =
    startedAt === undefined || endedAt === undefined
      ? undefined
      : Math.max(0, (Date.parse(endedAt) - Date.parse(startedAt)) / 1000).toFixed(3);
  const head = attributes({
    name: `${place} ${suite.suite}`,
    tests: cases.length,
    failures: suite.summary.fail,
    errors: 0,
    skipped: cases.filter((is) => skippedAs(is) !== undefined).length,
    time: seconds,
    // The schema's users expect UTC without its letter.
    timestamp: startedAt?.slice(0, 19),
    hostname: device,
    id: at,
  });
  const facts = propertiesXml(suite);
  return `  <testsuite${head}>\n${facts}${cases.map((is) => caseXml(is, suite)).join('')}  </testsuite>\n`;
}

function propertiesXml({ definition, source, state }: SuiteCases): string {
  const facts = { definition, state, ...source };
  const known = Object.entries(facts).filter((fact) => fact[1] !== undefined);
  if (known.length === 0) return '';
  const lines = known.map(([name, value]) => `      <property${attributes({ name, value })}/>\n`);
  return `    <properties>\n${lines.join('')}    </properties>\n`;
}

function caseXml(is: CaseView, { place, suite }: SuiteCases): string {
  const head = attributes({ name: caseName(is), classname: `${place}.${suite}` });
  const skipped = skippedAs(is);
  const inside = [
    skipped && `      <skipped${attributes({ message: skipped })}/>\n`,
    is.counts &&
      is.result === 'fail' &&
      `      <failure${attributes({ message: is.note ?? 'fail', type: 'fail' })}/>\n`,
    systemOut(is),
  ].filter(Boolean);
  if (inside.length === 0) return `    <testcase${head}/>\n`;
  return `    <testcase${head}>\n${inside.join('')}    </testcase>\n`;
}

/** Why a case is neither a success nor a failure; `undefined`: it is one. */
function skippedAs({ result, counts, note }: CaseView): string | undefined {
  if (!counts) return `${result}; it came again, and the last counts`;
  if (result === 'pass' || result === 'fail') return undefined;
  return note === undefined ? result : `${result}: ${note}`;
}

/** What was measured, and the note where no message has it. */
function systemOut(is: CaseView): string {
  const { result, counts, measurement, note } = is;
  const lines = [
    measurement && `measured ${measuredText(is)}`,
    counts && result !== 'pass' ? undefined : note,
  ].filter((line) => line !== undefined);
  if (lines.length === 0) return '';
  return `      <system-out>${escaped(lines.join('\n'))}</system-out>\n`;
}

function endXml({ state, reason, job }: JobResults, id: number): string {
  const head = attributes({ name: 'job', tests: 1, failures: 0, errors: 1, skipped: 0, id });
  const message = reason === undefined ? state : `${state}: ${reason}`;
  const error = attributes({ message, type: state });
  return (
    `  <testsuite${head}>\n    <testcase${attributes({ name: `job ${job}`, classname: 'job' })}>\n` +
    `      <error${error}/>\n    </testcase>\n  </testsuite>\n`
  );
}

function attributes(is: Record<string, string | number | undefined>): string {
  return Object.entries(is)
    .filter((one) => one[1] !== undefined)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** For an attribute or for text: `]]>` cannot arise, and line ends come back as they were. */
const escaped = (text: string): string =>
  visible(text, /[\t\n\r]/).replace(/[<>&"\t\n\r]/g, (c) => ENTITIES[c] ?? c);
