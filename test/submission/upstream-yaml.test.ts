/**
 * Texts as PyYAML reads them: `test/corpus/pyyaml.jsonl` holds documents (hand-written ones, and mutations of them) with
 * what PyYAML 6 made of each, scalars as their author wrote them.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tree } from '../../submission/tree.ts';
import { settle } from '../../submission/tree.ts';
import { readUpstreamYaml } from '../../submission/yaml-text.ts';

type Value = string | null | Value[] | { m: [string, Value][] };
const treeValue = (tree: Tree): Value => {
  if (tree.kind === 'scalar') return tree.value === null ? null : String(tree.value);
  if (tree.kind === 'list') return tree.items.map(treeValue);
  return { m: [...tree.entries].map(([key, entry]) => [key, treeValue(entry.value)]) };
};
const read = (text: string): Value | undefined => {
  const { tree, findings } = readUpstreamYaml(text);
  expect(findings).toEqual([]);
  return tree && treeValue(tree);
};

const corpus = readFileSync(new URL('../corpus/pyyaml.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as { text: string; value: Value });

test('every recorded document has the value that PyYAML gave it', () => {
  expect(corpus.length).toBeGreaterThan(200);
  for (const { text, value } of corpus) expect(read(text), text).toEqual(value);
});

describe('a text of YAML 1.1', () => {
  test.each([
    [
      'a quoted text that goes on at the margin',
      'a:\n  b: "c\nd"\n',
      { m: [['a', { m: [['b', 'c d']] }]] },
    ],
    [
      'brackets that go on and close at the margin',
      'a:\n  b: [c,\nd\n]\n',
      { m: [['a', { m: [['b', ['c', 'd']]] }]] },
    ],
    ['a comment right behind a bracket', 'a: [b]#c\n', { m: [['a', ['b']]] }],
    ['a comment right behind a comma', 'a: [b,#c\nd]\n', { m: [['a', ['b', 'd']]] }],
    ['lines that end with CR LF', 'a: "b\r\n  c"\r\n', { m: [['a', 'b c']] }],
    [
      'lines that end with CR',
      'a: b\rc: d\r',
      {
        m: [
          ['a', 'b'],
          ['c', 'd'],
        ],
      },
    ],
    ['a byte order mark', '\uFEFFa: b\n', { m: [['a', 'b']] }],
    ['a document between its marks', '---\na: b\n...\n', { m: [['a', 'b']] }],
    ['a tab behind a colon', 'a:\tb\t# c\n', { m: [['a', 'b']] }],
    [
      'a merge',
      'a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n',
      {
        m: [
          [
            'a',
            {
              m: [
                ['b', '1'],
                ['c', '2'],
              ],
            },
          ],
          [
            'd',
            {
              m: [
                ['b', '1'],
                ['c', '3'],
              ],
            },
          ],
        ],
      },
    ],
    ['a quoted "<<", which merges nothing', '"<<": a\n', { m: [['<<', 'a']] }],
    [
      'scalars as they are written',
      '[yes, 010, 1.10, 1e3, 1:30, 2020-01-01, 0x1F, TRUE]',
      ['yes', '010', '1.10', '1e3', '1:30', '2020-01-01', '0x1F', 'TRUE'],
    ],
    [
      'nothing in each of its spellings',
      '[~, null, Null, NULL, "", "null"]',
      [null, null, null, null, '', 'null'],
    ],
    ['a block whose last line has no end', 'a: |\n  b', { m: [['a', 'b']] }],
  ] as [string, string, Value][])('has %s', (_, text, value) => {
    expect(read(text)).toEqual(value);
  });

  test('says which key is there twice, and takes the last', () => {
    const { tree, text, findings, notes } = readUpstreamYaml('a: 1\nb: 2\na: 3\n');
    expect(findings).toEqual([]);
    expect(tree && treeValue(tree)).toEqual({
      m: [
        ['a', '3'],
        ['b', '2'],
      ],
    });
    expect(settle(text, notes)).toMatchObject([
      { line: 3, column: 1, message: '"a" is here twice; the first is at line 1, column 1' },
    ]);
  });

  test.each([
    ['two documents', 'a: b\n---\nc: d\n', 2, 1],
    ['a tag that only a program knows', 'a: !!python/name:os.system x\n', 1, 4],
    ['a merge of a text', 'a: b\n<<: c\n', 2, 1],
    ['a quoted text without its end', 'a: "b\nc: d\n', 2, 5],
    ['a NUL', 'a: b\0\n', 1, 5],
    ['nothing at all', '# only this\n', 1, 1],
  ])('is refused with %s, at its place', (_, source, line, column) => {
    const { text, findings } = readUpstreamYaml(source);
    expect(settle(text, findings)[0]).toMatchObject({ line, column });
  });

  test('may be nested without end: it is refused and nothing falls over', () => {
    for (const deep of ['['.repeat(100_000), '- '.repeat(100_000), '{a: '.repeat(100_000)])
      expect(readUpstreamYaml(deep).findings.length).toBeGreaterThan(0);
  });

  test('never throws, whatever it is', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 5 }),
      fc.constantFrom(
        'a: ',
        '\n',
        '  ',
        '- ',
        '"',
        "'",
        '[',
        ']',
        '{',
        '}',
        '<<: ',
        '*x',
        '&x ',
        '|\n',
        '\r',
        '\t',
        '#',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
        const { tree, findings } = readUpstreamYaml(pieces.join(''));
        expect(tree !== undefined || findings.length > 0).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
