/** What the pages under docs/how-to/ tell people to type is there: every command, and every option of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const reference = read('test/cli/reference.md');
const pages = readdirSync(new URL('../../docs/how-to', import.meta.url)).filter((name) =>
  name.endsWith('.md'),
);

/** The help of a command; empty: there is none. */
const helpOf = (command: string): string =>
  reference.split(`\n## muster ${command}\n`)[1]?.split('\n## ')[0] ?? '';

/** What a page tells to type. */
const commandsIn = (page: string): string[] =>
  [...read(`docs/how-to/${page}`).matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) =>
    block.split('\n').filter((line) => line.startsWith('muster ')),
  );

test('some of docs/how-to is there to be typed', () => {
  expect(pages.flatMap(commandsIn).length).toBeGreaterThan(10);
});

describe.each(pages)('docs/how-to/%s', (page) => {
  test('names commands and options that there are', () => {
    for (const line of commandsIn(page)) {
      const [, command = '', ...words] = line.split(/\s+/);
      const help = helpOf(command);
      expect(help, line).not.toBe('');
      for (const option of words.filter((word) => word.startsWith('--')))
        expect(help, line).toMatch(new RegExp(`^ {2}${option}\\b`, 'm'));
    }
  });
});
