import fc from 'fast-check';
import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import { hang, hangLines, names, textWidth, wrapText } from '../../cli/pages/text.ts';
import { table } from '../../cli/pages/text-table.ts';

const page = { columns: 40, colors: picocolors.createColors(false) };

describe('a table', () => {
  test('puts titles above columns that are as wide as they need, and ends no line in blanks', () => {
    const text = table(
      [{ title: 'N', align: 'right' }, { title: 'NAME' }, { title: 'NOTE' }],
      [
        ['1', 'a', ''],
        ['20', 'long name', 'x'],
      ],
      page,
    );
    expect(text).toBe(' N  NAME       NOTE\n 1  a\n20  long name  x\n');
  });

  test('lets whole lines stand under a row', () => {
    const text = table([{ title: 'N' }], [['1'], ['2']], page, (row) => `under ${row}\n`);
    expect(text).toBe('N\n1\nunder 0\n2\nunder 1\n');
  });

  test('wraps a flexible column where the page is too narrow, and loses no word', () => {
    const words = 'the boards that fit are held by another job';
    const text = table(
      [{ title: 'JOB' }, { title: 'WHY', flexible: true }],
      [['a-job-with-a-name', words]],
      page,
    );
    expect(text).toBe(
      'JOB                WHY\n' +
        'a-job-with-a-name  the boards that fit\n' +
        '                   are held by another\n' +
        '                   job\n',
    );
  });

  test('never is wider than its page, whatever stands in it', () => {
    const cell = fc.string({ unit: 'grapheme', maxLength: 60 });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell, cell), { maxLength: 5 }), (rows) => {
        const text = table(
          [{ title: 'A' }, { title: 'B', flexible: true }, { title: 'C' }],
          rows,
          page,
        );
        for (const line of text.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(40);
      }),
    );
  });

  test('shows an escape sequence from a board as text', () => {
    const text = table([{ title: 'A' }], [['\u001b[2Jgone']], page);
    expect(text).toBe('A\n\\u{1b}[2Jgone\n');
  });

  test('paints a cell after it was laid out', () => {
    const cell = { text: 'ok', paint: (text: string) => `<${text}>` };
    expect(table([{ title: 'STATE' }, { title: 'B' }], [[cell, 'b']], page)).toBe(
      'STATE  B\n<ok>     b\n',
    );
  });
});

describe('text', () => {
  test('wide characters take two columns and combining marks none', () => {
    expect(textWidth('板子')).toBe(4);
    expect(textWidth('e\u0301')).toBe(1);
  });

  test('a word that is longer than the line is split, not cut off', () => {
    expect(wrapText('ab abcdefgh', 4)).toEqual(['ab', 'abcd', 'efgh']);
  });

  test('a long word is broken where its parts meet, when that does not leave half of the line empty', () => {
    expect(wrapText('multinode-sync-ready', 16)).toEqual(['multinode-sync-', 'ready']);
    expect(wrapText('ab-cdefghijklmnop', 8)).toEqual(['ab-cdefg', 'hijklmno', 'p']);
  });

  test('the lines of a text stand a step further in than its sentence', () => {
    expect(hangLines('12:00  ', ['one two three four five', 'six', 'seven'], 22)).toBe(
      '12:00  one two three four\n       five\n         six\n         seven\n',
    );
  });

  test('what follows the first line stands under it', () => {
    expect(hang('12:00  ', 'one two three four five six', 30)).toBe(
      '12:00  one two three four five\n       six\n',
    );
  });

  test('a long list of names says how many more there are', () => {
    expect(names(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
    expect(names(['a', 'b'], 2)).toBe('a, b');
  });
});
