/** `# muster-lint: ignore RULE reason`: on the line of a finding, or on a line of its own above it. */
import type { Finding } from './findings.ts';

const IGNORE = /#\s*muster-lint:\s*ignore\s+([\w-]+(?:\s*,\s*[\w-]+)*)\s+\S/;

/** A reason has to stand there: an ignore without one is none. */
export function isIgnored({ rule, line }: Finding, text: string | undefined): boolean {
  if (text === undefined) return false;
  const lines = text.split('\n');
  if (names(lines[line - 1], rule)) return true;
  for (let above = line - 2; above >= 0 && /^\s*#/.test(lines[above] ?? ''); above--)
    if (names(lines[above], rule)) return true;
  return false;
}

function names(line: string | undefined, rule: string): boolean {
  const found = IGNORE.exec(line ?? '')?.[1];
  return found?.split(/\s*,\s*/).includes(rule) ?? false;
}
