import { describe, expect, it } from 'vitest';
import { formatProblems, PROBLEM_COLUMNS_MAX } from '../../submission/format.ts';
import type { Problem } from '../../submission/tree.ts';
import { problemsOf } from './jobs.ts';

const at = (line: number, column: number, fields: Partial<Problem> = {}): Problem => ({
  path: 'a',
  line,
  column,
  message: 'wrong',
  ...fields,
});
const print = (problem: Problem, text: string) =>
  formatProblems([problem], { file: 'job.json', text });

describe('problems in print', () => {
  it('say file, line, column, path and message, and show the line with a caret', () => {
    const text = '{\n  "device_group": [\n    { "count": -1 } ] }';
    const count = { path: 'device_group[0].count', message: 'expected 1, got -1' };
    expect(print(at(3, 16, count), text)).toBe(
      [
        'job.json:3:16  device_group[0].count: expected 1, got -1',
        '        { "count": -1 } ] }',
        '                   ^',
        '',
      ].join('\n'),
    );
  });

  it('are one block each, and nothing when there are none', () => {
    expect(formatProblems([], { file: 'f', text: 'x' })).toBe('');
    const two = formatProblems([at(1, 1), at(1, 2)], { file: 'f', text: 'xy' });
    expect(two).toBe('f:1:1  a: wrong\n    xy\n    ^\nf:1:2  a: wrong\n    xy\n     ^\n');
  });

  it('leave out an empty path', () => {
    expect(print(at(1, 1, { path: '' }), 'x')).toContain('job.json:1:1  wrong\n');
  });

  it('leave out the CR of a line of Windows', () => {
    expect(print(at(1, 1), `${'x'.repeat(76)}\r\ny`)).toContain(`${'x'.repeat(76)}\n`);
  });

  it('show no line where there is nothing to see', () => {
    expect(print(at(1, 1), '')).toBe('job.json:1:1  a: wrong\n');
  });

  it.each([1, 40, 200, 399, 400, 401])(
    'fit the width, and the caret keeps its place in column %d',
    (column) => {
      const text = `${'x'.repeat(column - 1)}@${'x'.repeat(400)}`;
      const lines = print(at(1, column, { message: 'long '.repeat(60) }), text).split('\n');
      for (const line of lines)
        expect(Array.from(line).length).toBeLessThanOrEqual(PROBLEM_COLUMNS_MAX);
      const [source = '', caret = ''] = lines.slice(-3);
      expect(source[caret.indexOf('^')]).toBe('@');
    },
  );

  it('cut a word that is wider than the screen', () => {
    const printed = print(at(1, 1, { message: 'm'.repeat(500) }), 'x');
    for (const line of printed.split('\n'))
      expect(line.length).toBeLessThanOrEqual(PROBLEM_COLUMNS_MAX);
    expect(printed.match(/m/g)).toHaveLength(500);
  });

  it('keep the caret behind the end of a line of the full width on the screen', () => {
    const lines = print(at(1, 77), 'x'.repeat(76)).split('\n');
    expect(lines[2]).toMatch(/^ +\^$/);
    expect(lines[2]?.length).toBeLessThanOrEqual(PROBLEM_COLUMNS_MAX);
  });

  it('show a line that fits whole', () => {
    const text = `${'x'.repeat(70)}@`;
    expect(print(at(1, 71), text)).toContain(`    ${text}\n${' '.repeat(74)}^\n`);
  });

  it('keep the caret under its place behind tabs, emoji and a byte order mark', () => {
    const lines = print(at(1, 5), '\uFEFF\t😀x@').split('\n');
    expect(lines[1]).toBe('     😀x@');
    expect(lines[2]).toBe('       ^');
  });

  it('carry no control character of the document to the terminal', () => {
    const text = '{"\u001b[31m\u202e": 1,\r\n "a": "\u009b2J"}';
    const file = 'a\u001b[2J.json';
    const printed = formatProblems([...problemsOf(text), at(2, 1)], { file, text });
    expect(printed.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});
