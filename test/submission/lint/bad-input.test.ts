import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lintScript } from './script.ts';

const two = [
  { role: 'server', count: 1 },
  { role: 'client', count: 1 },
];
const said = (script: string, files: Record<string, string> = {}) => {
  const { verdict, findings } = lintScript(script, two, { files });
  return [verdict, ...findings.map(({ rule, file, line }) => `${rule} ${file}:${line}`)];
};

describe('a script that cannot be resolved is never called clean', () => {
  test.each([
    ['a word of the board', 'lava-wait "$PHASE"'],
    ['a word of a program', 'lava-send "$(cat /etc/phase)"'],
    ['a command in a variable', '$RUNNER'],
    ['a script that is not there', './made-by-make.sh'],
    ['a number of rounds of the board', 'for i in $(cat /etc/rounds); do lava-sync r$i; done'],
    ['a script of another language that calls a verb', './a.py'],
    ['a wait below a wrong line', 'for i in 1; then\nlava-send x\nfi\nlava-sync y'],
    ['words that somebody else runs', 'xargs lava-wait < list'],
  ])('%s', (_, script) => {
    const files = { 'a.py': '#!/usr/bin/python3\nimport os\nos.system("lava-sync x")\n' };
    expect(said(script, files)[0]).toBe('unknown');
  });
});

test('a script with carriage returns is refused its ids, in its own lines', () => {
  expect(said('lava-sync a\r\nlava-sync b\r\n')).toEqual(['broken', 'refused-call run.sh:1']);
});

test('whatever the text, lint comes to an end and says something', () => {
  const piece = fc.constantFrom(
    ...[
      'if',
      'then',
      'fi',
      'for',
      'do',
      'done',
      'case',
      'esac',
      'in',
      ';;',
      '{',
      '}',
      '(',
      ')',
      '&&',
      '||',
      '|',
      '&',
      ';',
    ],
    ...[
      '\n',
      ' ',
      '"',
      "'",
      '`',
      '$(',
      '$((',
      '${',
      '}',
      '))',
      '<<A',
      '\nA\n',
      '\\',
      '#',
      '*',
      '!',
      '[[',
      ']]',
      '=',
    ],
    ...[
      'lava-sync x',
      'lava-send y a=b',
      'x=1',
      '$x',
      '\r',
      '\0',
      '\uD800',
      'while',
      'eval',
      'sh -c',
      'trap',
      'EXIT',
    ],
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      expect(lintScript(pieces.join(''), two).verdict).toMatch(/clean|broken|unknown/);
    }),
    { numRuns: 400 },
  );
});

test('nesting without end is not followed without end', () => {
  expect(lintScript(`${'('.repeat(5_000)}lava-sync x`, two).verdict).not.toBe('clean');
  expect(lintScript(`x=${'$(echo '.repeat(3_000)}`, two).verdict).not.toBe('clean');
  expect(lintScript('f() { f; }; f; lava-wait x', two).verdict).not.toBe('clean');
  expect(lintScript('while :; do lava-send x; done', two).verdict).not.toBe('clean');
});
