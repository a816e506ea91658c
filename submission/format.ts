/** Problems as the CLI prints them: where, what, and the line itself with a caret under the place. No colour. */

import { withSecretsCovered } from './addresses.ts';
import { printable } from './quoting.ts';
import type { Problem } from './tree.ts';
import { withoutMark } from './tree.ts';

export const PROBLEM_COLUMNS_MAX = 80;
const INDENT = '    ';
const WINDOW = PROBLEM_COLUMNS_MAX - INDENT.length;

/**
 * One block a problem, each line at most PROBLEM_COLUMNS_MAX characters, ended by a newline; no problems: nothing.
 *
 * @param of.file the name to print before line and column
 * @param of.text the document that the problems point into
 */
export function formatProblems(
  problems: readonly Problem[],
  of: { file: string; text: string },
): string {
  const lines = withoutMark(of.text).split('\n');
  return problems.map((problem) => block(problem, of.file, lines)).join('');
}

function block(problem: Problem, file: string, lines: readonly string[]): string {
  const { path, line, column, message } = problem;
  const where = `${printable(file)}:${line}:${column}  ${path === '' ? '' : `${path}: `}`;
  const source = withSecretsCovered((lines[line - 1] ?? '').replace(/\r$/, ''));
  const shown = source.trim() === '' ? [] : excerpt(source, column);
  return [...wrap(`${where}${message}`), ...shown, ''].join('\n');
}

/** Words onto lines; what follows the first is indented. A word that is too long is cut. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.match(/ *[^ ]+/g) ?? []) {
    if (Array.from(line + word).length <= PROBLEM_COLUMNS_MAX) {
      line += word;
      continue;
    }
    if (line.trim() !== '') lines.push(line);
    let rest = Array.from(`${lines.length === 0 ? '' : '  '}${word.trimStart()}`);
    while (rest.length > PROBLEM_COLUMNS_MAX) {
      lines.push(rest.slice(0, PROBLEM_COLUMNS_MAX).join(''));
      rest = ['  ', ...rest.slice(PROBLEM_COLUMNS_MAX)].flatMap((part) => Array.from(part));
    }
    line = rest.join('');
  }
  return [...lines, line];
}

/** The part of the source line around the column, and the caret under it. */
function excerpt(source: string, column: number): string[] {
  // Only what can be seen, and the same width in both lines: one character each, never a terminal's control.
  const near = Math.max(0, column - 1 - 2 * WINDOW);
  const before = visible(source.slice(near, column - 1));
  const after = visible(source.slice(column - 1, column - 1 + 2 * WINDOW));
  const fits = before.length < WINDOW && before.length + after.length <= WINDOW;
  const start = fits ? 0 : Math.max(0, before.length - Math.floor(WINDOW / 2));
  const shown = [...before.slice(start), ...after];
  const isCutBefore = near > 0 || start > 0;
  const isCutAfter = shown.length > WINDOW || source.length > column - 1 + 2 * WINDOW;
  if (isCutBefore) shown[0] = '…';
  if (isCutAfter) shown.splice(Math.min(shown.length, WINDOW) - 1, shown.length, '…');
  const caret = `${INDENT}${' '.repeat(before.length - start)}^`;
  return [`${INDENT}${shown.join('')}`.trimEnd(), caret];
}

const visible = (text: string): string[] =>
  Array.from(text, (c) => (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Mn}]/u.test(c) ? ' ' : c));
