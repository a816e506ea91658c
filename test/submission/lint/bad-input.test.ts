import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lintDefinition } from '../../../submission/lint/lint-definition.ts';
import { lintScript } from './script.ts';

const two = [
  { role: 'server', count: 1 },
  { role: 'client', count: 1 },
];
const said = (script: string, files: Record<string, string | null> = {}) => {
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

describe('a script that no shell reads', () => {
  test.each([
    ['fish', '#!/usr/bin/fish\nif test (lava-role) = server\n  lava-sync up\nend\n'],
    ['csh', '#!/bin/csh\nif (`lava-role` == server) then\n  lava-sync up\nendif\n'],
    ['tcsh', '#!/bin/tcsh -f\nlava-send up\n'],
    ['perl', '#!/usr/bin/perl\nsystem("lava-send", "up");\n'],
    ['python', '#!/usr/bin/env python3\nimport subprocess\nsubprocess.run(["lava-wait", "up"])\n'],
    ['expect', '#!/usr/bin/expect\nspawn lava-wait up\nexpect eof\n'],
    ['node', '#!/usr/bin/env node\nrequire("child_process").execSync("lava-sync up")\n'],
    ['lua', '#!/usr/bin/lua\nos.execute("lava-send up")\n'],
    ['make', '#!/usr/bin/make -f\nall:\n\tlava-sync up\n'],
  ])('but %s is not taken to call nothing where it calls a verb', (_, text) => {
    expect(said('./x', { x: text })).toEqual(['unknown', 'unknown run.sh:1']);
    const harmless = text.replaceAll(/lava-\w+/g, 'true');
    expect(said('./x', { x: harmless })).toEqual(['clean']);
  });

  test('because it is binary is started, and what stands below it is read', () => {
    expect(said('./a.out\nlava-sync end', { 'a.out': null })).toEqual(['clean']);
    expect(said('. ./a.out\nlava-sync end', { 'a.out': null })[0]).toBe('unknown');
    expect(said('sh ./a.out\nlava-sync end', { 'a.out': null })[0]).toBe('unknown');
  });

  test('with carriage returns behind its first line is not found by any kernel', () => {
    expect(said('./x\nlava-sync end', { x: '#!/bin/sh\r\nlava-sync a\r\n' })[0]).not.toBe('clean');
  });
});

describe('a group of 128', () => {
  const crowd = [
    { role: 'server', count: 1 },
    { role: 'client', count: 127 },
  ];

  test('is clean where all come, also by names of their own', () => {
    const all = 'lava-sync start\nlava-send "done-$(lava-self)"\n';
    const server =
      'if [ "$(lava-role)" = server ]; then for c in $(lava-group client); do lava-wait "done-$c"; done; fi';
    expect(lintScript(`${all}${server}`, crowd).verdict).toBe('clean');
  });

  test('is broken where one role lacks, at the line that waits', () => {
    const script =
      'if [ "$(lava-role)" = server ]; then\nlava-wait-all ready client\nelse\nlava-send raedy\nfi';
    const { verdict, findings } = lintScript(script, crowd);
    expect([verdict, findings[0]?.rule, findings[0]?.line]).toEqual([
      'broken',
      'wait-without-send',
      2,
    ]);
  });
});

test('a definition with carriage returns is read as YAML reads it', () => {
  const text =
    'run:\r\n  steps:\r\n    - lava-sync a\r\n    - |\r\n      lava-sync b\r\n      lava-sync c\r\n';
  const { verdict, findings } = lintDefinition({
    file: 'd.yaml',
    text,
    readFile: () => undefined,
    files: [],
    roles: two,
    countsSelf: false,
  });
  expect([verdict, findings]).toEqual(['clean', []]);
});
