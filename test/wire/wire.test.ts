/**
 * What boards of every released version say, and what they were answered, as it went over the wire: a server that is
 * upgraded answers the boards that run on. Named with the version that wrote them; one that was released is never edited.
 * That of this version is made from `examples.ts`. In 0.1.0 no worker had a line: a door for one was there, and nobody
 * at it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { verbNames } from '../../api/board-verbs.ts';
import { boardsDoor, type Step } from './doors.ts';
import { transcript } from './examples.ts';

const REWRITE = 'npx vitest run test/wire/wire.test.ts --update';
const folder = fileURLToPath(new URL('.', import.meta.url));
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const files = readdirSync(folder).filter((name) => /^\d+\.\d+\.\d+\.jsonl$/.test(name));

const stepsOf = (file: string): Step[] =>
  readFileSync(`${folder}${file}`, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

it('what boards say in this version, and what they are answered, is what is recorded of it', async () => {
  const steps = await transcript(true);
  await expect(
    `${steps.map((step) => JSON.stringify(step)).join('\n')}\n`,
    `the wire is not what test/wire/${version}.jsonl says; where that version is not released yet and it is meant, run: ${REWRITE}`,
  ).toMatchFileSnapshot(`${folder}${version}.jsonl`);
});

/** What a later version answers otherwise on purpose, with the rule that says so. */
const otherwise: Record<string, Record<string, string>> = {
  '0.1.0.jsonl': {
    'the same key with other words': 'SEMANTICS 2.4: a key is one request’s alone',
    'the end of a member by its own word, and what it asks then':
      'SEMANTICS 2.4: a member that has ended hears nothing until its board is off',
  },
};

/** Reasons are for people: that there is one is the wire, its words are not. */
const withoutWords = (heard: string): string =>
  heard
    .replace(/("text":"(?:fail|refused|retry|denied)) (?:[^"\\]|\\.)+"/, '$1 ..."')
    .replace(/^(\d+ (?:fail|refused|retry|denied)) .+\n/, '$1 ...\n');

describe.each(files)('the wire of %s', (file) => {
  const steps = stepsOf(file);
  const ways = [...new Set(steps.map(({ by }) => by))];
  const runs = ways.flatMap((by) =>
    [false, true].map((brief) => ({
      by,
      brief,
      how: `by ${by}${brief ? ', waits held for no time' : ''}`,
    })),
  );

  it.each(runs)(`${file} is answered today as it was then, $how`, async ({ by, brief }) => {
    const door = await boardsDoor(brief);
    for (const { step, said, heard, ...is } of steps)
      if (is.by === by && (is.brief ?? false) === brief) {
        const today = await door.say({ by, said }, heard.length);
        if (otherwise[file]?.[step] === undefined)
          expect(today.map(withoutWords), step).toEqual(heard.map(withoutWords));
      }
  });
});

it('has an example of every verb of a board and of every way to answer it', () => {
  const steps = stepsOf(`${version}.jsonl`);
  for (const by of ['line', 'http']) {
    const said = steps
      .filter((step) => step.by === by)
      .flatMap((step) => step.said)
      .join('\n');
    const heard = steps
      .filter((step) => step.by === by)
      .flatMap((step) => step.heard)
      .join('\n');
    for (const verb of verbNames())
      expect(said).toMatch(
        by === 'line' ? `"url":"/board/v1/${verb}"` : `POST /board/v1/${verb} HTTP`,
      );
    for (const status of ['ok', 'wait', 'fail', 'refused', 'retry', 'denied'])
      expect(heard).toMatch(
        new RegExp(by === 'line' ? `"text":"${status}\\b` : `^200 ${status}\\b`, 'm'),
      );
  }
});
