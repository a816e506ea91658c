/** docs/contributing.md names, for each step of a change, the code and the test that holds it: both must be there. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { filesUnder } from './files.ts';

const page = readFileSync('docs/contributing.md', 'utf8');

/** The steps of each kind of change. */
const kinds = page
  .split(/^## /m)
  .slice(1)
  .map((section) => ({
    kind: section.slice(0, section.indexOf('\n')),
    rows: section
      .split('\n')
      .filter((line) => line.startsWith('| **'))
      .map((line) => line.split('|').map((cell) => cell.trim())),
  }));

/** `a`, `b` in `file`: each name with its file. */
const named = (cell: string): [name: string, file: string][] =>
  [...cell.matchAll(/((?:`\w+`(?:, )?)+) in `([\w./-]+)`/g)].flatMap(([, names = '', file = '']) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name = '']): [string, string] => [name, file]),
  );

/** `file`: "one sentence", "another": each sentence with its file. */
const told = (cell: string): [sentence: string, file: string][] =>
  [...cell.matchAll(/`(test\/[\w./-]+\.ts)`[^`:]*: ((?:"[^"]+"(?:, )?)+)/g)].flatMap(
    ([, file = '', sentences = '']) =>
      [...sentences.matchAll(/"([^"]+)"/g)].map(([, sentence = '']): [string, string] => [
        sentence,
        file,
      ]),
  );

const declares = (file: string, name: string): boolean => {
  const text = readFileSync(file, 'utf8');
  const declared = /\.tsx?$/.test(file)
    ? new RegExp(`(function|class|const|type|interface) ${name}\\b`)
    : new RegExp(`^${name}\\(\\) `, 'm');
  return declared.test(text);
};

it('docs/contributing.md has steps for every kind of change that the house knows', () => {
  expect(kinds.map(({ kind }) => kind)).toEqual([
    'A verb on boards',
    'A field of an event',
    'A type of event',
    'A command of the rules',
    'A kind of stream',
    'A door of the API',
    'A driver',
    "A message on a worker's line",
    'Another wire',
    'A cause of a failure',
    'A form of a job',
    'A place on the page',
    'A store',
    'A command of the command line',
  ]);
});

describe.each(kinds)('$kind', ({ kind, rows }) => {
  it.each(rows)(`in docs/contributing.md, ${kind}: %s %s is where it says`, (...row) => {
    const [, , code = '', tests = ''] = row;
    for (const [name, file] of named(code))
      expect(declares(file, name), `${name} in ${file}`).toBe(true);
    expect(told(tests).length).toBeGreaterThan(0);
    for (const [sentence, file] of told(tests))
      expect(
        readFileSync(file, 'utf8').replaceAll("\\'", "'"),
        `"${sentence}" in ${file}`,
      ).toContain(sentence);
  });
});

it('board/README.md names every command that a test can call on its board', () => {
  const commands = filesUnder('board/bin').filter((name) => name !== 'lava-test-runner');
  const text = readFileSync('board/README.md', 'utf8');
  expect(commands.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});
