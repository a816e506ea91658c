/**
 * Results as TAP 14 (testanything.org): a subtest for each suite of a board, one that has no case is skipped.
 *
 * Of a case that came again the earlier ones are skipped: the last counts. `unknown` is skipped too: it is no failure
 * anywhere else. A job that ended badly is a test point that is not ok.
 */
import { caseName, noCaseText } from '../../projections/result-words.ts';
import type { CaseView } from '../../projections/views.ts';
import { bySuite, endedBadly, type JobResults, type SuiteCases } from './by-suite.ts';
import { visible } from './visible.ts';
import { yamlText } from './yaml.ts';

export function tap(results: JobResults): string {
  const suites = bySuite(results);
  const points = suites.map((suite, at) => subtest(suite, at + 1));
  if (endedBadly(results)) {
    const { job, state, reason } = results;
    const point = `not ok ${points.length + 1} - job ${job} is ${state}\n`;
    points.push(point + diagnostics({ reason }, ''));
  }
  const why = points.length === 0 ? ' # no suite ran' : '';
  return `TAP version 14\n1..${points.length}${why}\n${points.join('')}`;
}

const INDENT = '    ';

function subtest(suite: SuiteCases, number: number): string {
  const name = described(`${suite.place} ${suite.suite}`);
  const { cases, summary, device, definition, source } = suite;
  const points = cases.map((is, at) => testPoint(is, at + 1)).join('');
  const why = cases.length === 0 ? ` # SKIP ${noCaseText(suite)}` : '';
  const plan = `${INDENT}1..${cases.length}${why}\n`;
  const end = `${summary.fail > 0 ? 'not ok' : 'ok'} ${number} - ${name}${why}\n`;
  return `# Subtest: ${name}\n${plan}${points}${end}${diagnostics({ device, definition, ...source }, '')}`;
}

function testPoint(is: CaseView, number: number): string {
  const { result, counts, note, measurement, units, url, at } = is;
  const isOk = result !== 'fail' || !counts;
  const skip = counts ? result : `${result}; it came again, and the last counts`;
  const isSkipped = !counts || result === 'skip' || result === 'unknown';
  const name = described(caseName(is));
  const point = `${isOk ? 'ok' : 'not ok'} ${number} - ${name}${isSkipped ? ` # SKIP ${skip}` : ''}\n`;
  const facts = { result, measurement, units, note, url, at };
  return INDENT + point + diagnostics(facts, INDENT);
}

/** A description: on one line, and no directive begins in it. */
const described = (text: string): string => visible(text).replace(/[\\#]/g, (c) => `\\${c}`);

/** A block of YAML under a test point; every value is in quotes, as JSON has them. */
function diagnostics(facts: Record<string, string | undefined>, indent: string): string {
  const known = Object.entries(facts).filter((fact) => fact[1] !== undefined);
  if (known.length === 0) return '';
  const lines = known.map(([name, value]) => `${indent}  ${name}: ${yamlText(value ?? '')}\n`);
  return `${indent}  ---\n${lines.join('')}${indent}  ...\n`;
}
