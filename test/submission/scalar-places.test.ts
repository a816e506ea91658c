import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { charPlaces } from '../../submission/scalar-places.ts';
import { readTestDefinition } from '../../submission/test-definition.ts';

const steps = (source: string) => {
  const { definition, places } = readTestDefinition(source);
  return (definition?.steps ?? []).map((text, index) => {
    const start = places?.steps[index] ?? 0;
    return { text, line: definition?.stepLines[index], at: charPlaces(source, start, text) };
  });
};

/** The lines of the file in which the words of the steps stand. */
function wordLines(source: string): [string, number][] {
  const lineAt = (offset: number) => source.slice(0, offset).split('\n').length;
  return steps(source).flatMap(({ text, at }) =>
    [...text.matchAll(/\w+/g)].map((word): [string, number] => [
      word[0],
      lineAt(at[word.index] ?? 0),
    ]),
  );
}

describe('the place of a step in its file', () => {
  test.each([
    ['run:\n  steps:\n  - one\n  - two\n', [3, 4]],
    ['run:\n  steps:\n  - |\n    one\n    two\n  - three\n', [4, 6]],
    ['run:\n  steps:\n  - |- # why\n\n    one\n', [5]],
    ['run:\n  steps: [one, "two",\n    three]\n', [2, 2, 3]],
    ['run:\n  steps:\n  - >2-\n    one\n', [4]],
    ['a: &s [one]\nrun:\n  steps: *s\n', [1]],
  ])('is the line in which its text begins: %j', (source, lines) => {
    expect(readTestDefinition(source).definition?.stepLines).toEqual(lines);
  });

  test.each([
    [
      'run:\n  steps:\n  - |\n    one\n\n      two three\n    four\n',
      [
        ['one', 4],
        ['two', 6],
        ['three', 6],
        ['four', 7],
      ],
    ],
    [
      'run:\n  steps:\n  - >\n    one\n    two\n\n    three\n',
      [
        ['one', 4],
        ['two', 5],
        ['three', 7],
      ],
    ],
    [
      'run:\n  steps:\n  - one\n    two\n  - "three\n    fo\\\n     ur"\n',
      [
        ['one', 3],
        ['two', 4],
        ['three', 5],
        ['four', 6],
      ],
    ],
  ])('is known for every word of it: %j', (source, words) => {
    expect(wordLines(source)).toEqual(words);
  });

  test('is that of the same character, whatever its text and the quotes around it', () => {
    const char = fc.constantFrom(...'ab"\'\\ :#|$&;\n\t'.split(''), 'é', '\u{1f600}');
    const text = fc
      .array(char, { minLength: 1, maxLength: 40 })
      .map((chars) => chars.join(''))
      .filter((words) => /\S/.test(words));
    const type = fc.constantFrom('PLAIN', 'QUOTE_SINGLE', 'QUOTE_DOUBLE', 'BLOCK_LITERAL');
    fc.assert(
      fc.property(text, type, fc.nat(60), (words, defaultStringType, lineWidth) => {
        const source = stringify(
          { run: { steps: [words] } },
          { defaultStringType: defaultStringType as 'PLAIN', lineWidth: lineWidth + 20 },
        );
        const [step] = steps(source);
        if (step === undefined) return;
        for (let i = 0; i < step.text.length; i++) {
          const wanted = step.text.charAt(i);
          const found = source.charAt(step.at[i] ?? 0);
          if (/[\s"\\\ud800-\udfff\u0080-\uffff]/.test(wanted)) continue;
          expect([found, i, source]).toEqual([wanted, i, source]);
        }
      }),
      { numRuns: 500 },
    );
  });
});
