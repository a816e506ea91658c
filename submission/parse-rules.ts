/**
 * `parse` of a test definition, applied to one line of its console: each match of a pattern is a case. Pure; it runs in
 * a thread of its own (`parse-thread.ts`), because nobody can tell how long a pattern takes.
 */
import { CASE_CHARS_MAX, type CaseResult, type FoundCase, measured, resultOf } from './cases.ts';

export interface ParseRule {
  /** As it stands in the definition. */
  pattern: string;
  /** The same in JavaScript, see `python-pattern.ts`. */
  source: string;
  flags: string;
  /** Python's names of groups to those in `source`. */
  groups: Record<string, string>;
  /** What words stand for which result. Empty: upstream's own words. */
  fixups: [string, CaseResult][];
}

export interface CompiledRule extends ParseRule {
  regexp: RegExp;
}

export const compiled = (rule: ParseRule): CompiledRule => ({
  ...rule,
  regexp: new RegExp(rule.source, `${rule.flags}g`),
});

/** Of one line: a pattern that matches a single character would make thousands of cases of it. */
const LINE_MATCHES_MAX = 100;

export interface LineCases {
  cases: FoundCase[];
  /** Matches without a name that a case can have. */
  unnamed: number;
}

/** The cases of one line, pattern by pattern, from left to right. */
export function casesOf(line: string, rules: readonly CompiledRule[]): LineCases {
  const cases: FoundCase[] = [];
  let unnamed = 0;
  for (const rule of rules) {
    let matches = 0;
    for (const match of line.matchAll(rule.regexp)) {
      if (match[0] === '') continue;
      matches += 1;
      if (matches > LINE_MATCHES_MAX) break;
      const found = caseOf(match, rule);
      if (found === undefined) unnamed += 1;
      else cases.push(found);
    }
  }
  return { cases, unnamed };
}

function caseOf(match: RegExpExecArray, rule: ParseRule): FoundCase | undefined {
  const group = (name: string): string | undefined => {
    const inSource = Object.hasOwn(rule.groups, name) ? rule.groups[name] : undefined;
    return inSource === undefined ? undefined : match.groups?.[inSource];
  };
  const name = group('test_case_id')?.trim() ?? '';
  if (name === '' || /\s/.test(name) || name.length > CASE_CHARS_MAX) return undefined;
  const measurement = measured(group('measurement'), group('units'));
  const word = group('result')?.trim();
  // A figure is worth a pass: upstream's first reader let `appendall` say so, today's cannot go on without a result.
  if (word === undefined)
    return {
      case: name,
      result: measurement.measurement === undefined ? 'unknown' : 'pass',
      ...measurement,
    };
  const result = resultOf(word, rule.fixups);
  if (result !== undefined) return { case: name, result, ...measurement };
  const note = `the result ${JSON.stringify(word.slice(0, CASE_CHARS_MAX))} is none that is known`;
  return {
    case: name,
    result: 'unknown',
    ...measurement,
    note: measurement.note === undefined ? note : `${note}; ${measurement.note}`,
  };
}
