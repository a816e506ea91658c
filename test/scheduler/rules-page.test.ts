/** docs/scheduling.md names, for each rule, the code that keeps it and the test that holds it: both must be there. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync('docs/scheduling.md', 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| **'))
  .map((line) => line.split('|').map((cell) => cell.trim()));

const textOf = (file: string, room: string): string =>
  readFileSync(file.includes('/') ? file : `${room}/${file}`, 'utf8');

/** `a`, `b` in `file`: each name with its file. */
const named = (cell: string): [name: string, file: string][] =>
  [...cell.matchAll(/((?:`\w+`(?:, | and )?)+)[^`]* (?:in|of) `([\w./-]+\.ts)`/g)].flatMap(
    ([, names, file]) =>
      [...(names ?? '').matchAll(/`(\w+)`/g)].map(([, name]): [string, string] => [
        name ?? '',
        file ?? '',
      ]),
  );

/** `file`: "one sentence", "another": each sentence with its file. */
const told = (cell: string): [sentence: string, file: string][] =>
  [...cell.matchAll(/`([\w./-]+\.test\.ts)`: ((?:"[^"]+"(?:, )?)+)/g)].flatMap(
    ([, file, sentences]) =>
      [...(sentences ?? '').matchAll(/"([^"]+)"/g)].map(([, sentence]): [string, string] => [
        sentence ?? '',
        file ?? '',
      ]),
  );

test.each(rows.map(([, rule = '', code = '', tests = '']) => [rule.slice(0, 30), code, tests]))(
  '%s is where the page says',
  (_, code, tests) => {
    expect(named(code).length).toBeGreaterThan(0);
    for (const [name, file] of named(code))
      expect(textOf(file, 'scheduler'), `${name} in ${file}`).toMatch(
        new RegExp(`(function|class|const) ${name}\\b`),
      );
    expect(told(tests).length).toBeGreaterThan(0);
    for (const [sentence, file] of told(tests))
      expect(
        textOf(file, 'test/scheduler').replaceAll("\\'", "'"),
        `"${sentence}" in ${file}`,
      ).toContain(sentence);
  },
);
