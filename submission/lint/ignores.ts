/** `# muster-lint: ignore RULE reason`: on the line of a finding, or on a line of its own above it. */
import { type Finding, rules } from './findings.ts';

const IGNORE = /#\s*muster-lint:\s*ignore(?![\w-])[ \t]*([\w-]+(?:\s*,\s*[\w-]+)*)?[ \t]*(\S?)/;
const NAMES = new Set<string>(rules.map(({ id }) => id));

/** A reason has to stand there: an ignore without one is none. */
export function isIgnored({ rule, line }: Finding, lines: readonly string[]): boolean {
  if (names(lines[line - 1], rule)) return true;
  for (let above = line - 2; above >= 0 && /^\s*#/.test(lines[above] ?? ''); above--)
    if (names(lines[above], rule)) return true;
  return false;
}

/** The lines of a text in which something is ignored; of any other none: nothing is looked for in them. */
export const linesToIgnore = (text: string): readonly string[] =>
  text.includes('muster-lint:') ? text.split('\n') : [];

function names(line: string | undefined, rule: string): boolean {
  const [, given = '', reason = ''] = IGNORE.exec(line ?? '') ?? [];
  return reason !== '' && given.split(/\s*,\s*/).includes(rule);
}

/** Comments that ignore nothing: of a rule that there is not, or without a reason. */
export function ignoreFindings(file: string, text: string): Finding[] {
  if (!text.includes('muster-lint:')) return [];
  return text.split('\n').flatMap((line, index): Finding[] => {
    const found = IGNORE.exec(line);
    if (found === null) return [];
    const [, given = '', reason = ''] = found;
    const unknown = given.split(/\s*,\s*/).filter((name) => !NAMES.has(name));
    const message =
      unknown.length > 0
        ? `there is no rule ${unknown[0] === '' ? 'named here' : unknown.join(', ')}`
        : reason === ''
          ? `${given} is not ignored: the reason is missing`
          : undefined;
    if (message === undefined) return [];
    const at = { file, line: index + 1, column: found.index + 1 };
    return [{ ...at, rule: 'ignore', severity: 'warning', message, related: [] }];
  });
}
