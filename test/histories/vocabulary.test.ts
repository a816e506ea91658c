/**
 * The vocabulary of events, number by number. Events are for ever: a server of an older version must be told what it cannot
 * read, so whatever is new has the number that brought it (`machines/versions.ts`). A line here is never edited.
 */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { type EventType, schemas } from '../../machines/events.ts';
import { VOCABULARY, written } from '../../machines/versions.ts';

const REWRITE = 'npx vitest run test/histories/vocabulary.test.ts --update';
const FILE = fileURLToPath(new URL('vocabulary.txt', import.meta.url));

/** The lowest number with which this much of an event is written whole. */
function numberOf(type: EventType, data: object): number {
  for (let number = 1; number < VOCABULARY; number++) {
    const kept = written(type, data, number)?.data;
    if (kept !== undefined && Object.keys(kept).length === Object.keys(data).length) return number;
  }
  return VOCABULARY;
}

/** What a definition says below its own field counts, too: here it says nothing. */
const bare = (type: EventType) => (type === 'JobSubmitted' ? { definition: { actions: [] } } : {});

it('every type and field of an event has the number of the vocabulary that brought it', async () => {
  const lines = (Object.keys(schemas) as EventType[]).flatMap((type) => [
    `${numberOf(type, bare(type))} ${type}`,
    ...Object.keys(schemas[type].shape).map(
      (field) => `${numberOf(type, { [field]: null, ...bare(type) })} ${type}.${field}`,
    ),
  ]);
  await expect(
    `${lines.sort().join('\n')}\n`,
    `events are not what test/histories/vocabulary.txt says. What is new has a line in \`since\` of machines/versions.ts, ` +
      `with a number that no release has yet; what was released stays. Then run: ${REWRITE}`,
  ).toMatchFileSnapshot(FILE);
});
