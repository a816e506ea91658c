/**
 * `test/corpus/definitions/`: a definition a file, and beside it what it is read as. Of the fields of `expect`, `problems`
 * and `notes` are `line:column path: message` from their beginning, and none where they are not there; the others are
 * fields of the definition (`patterns`: those of its rules).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readTestDefinition, type TestDefinition } from '../../submission/test-definition.ts';
import type { Problem } from '../../submission/tree.ts';

const folder = new URL('../corpus/definitions/', import.meta.url);
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.slice(0, -'.yaml'.length));

interface Expect extends Partial<TestDefinition> {
  patterns?: string[];
  problems?: string[];
  notes?: string[];
}
const said = (problems: Problem[]) =>
  problems.map(
    ({ line, column, path, message }) =>
      `${line}:${column} ${path === '' ? '' : `${path}: `}${message}`,
  );
const begins = (texts: string[] = []) =>
  texts.map((text) =>
    expect.stringMatching(new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`)),
  );

test('the corpus is as large as it is meant to be', () => {
  expect(names.length).toBeGreaterThanOrEqual(60);
});

test.each(names)('%s is read as its author meant it', (name) => {
  const text = readFileSync(new URL(`${name}.yaml`, folder), 'utf8');
  const wanted = JSON.parse(readFileSync(new URL(`${name}.expect.json`, folder), 'utf8')) as Expect;
  const { problems, notes, patterns, ...fields } = wanted;
  const read = readTestDefinition(text);
  expect(said(read.problems)).toEqual(begins(problems));
  if (problems !== undefined) return;
  expect(said(read.notes)).toEqual(begins(notes));
  expect(read.definition).toMatchObject(fields);
  if (patterns !== undefined)
    expect(read.definition?.rules.map(({ pattern }) => pattern)).toEqual(patterns);
});
