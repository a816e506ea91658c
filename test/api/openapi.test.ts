/** What the API says of itself, committed whole: it is a contract, and a change of it is seen. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { doors } from './bench.ts';

const REWRITE = 'npx vitest run test/api/openapi.test.ts --update';
const FILE = fileURLToPath(new URL('openapi.json', import.meta.url));

test('the OpenAPI file in the repository is what the server says of its routes', async () => {
  const { app } = await doors({ version: 'of this code' });
  const said = JSON.parse((await app.inject('/openapi.json')).body);
  await expect(
    `${JSON.stringify(said, null, 2)}\n`,
    `the API is not what test/api/openapi.json says; where that is meant, run: ${REWRITE}`,
  ).toMatchFileSnapshot(FILE);
});
