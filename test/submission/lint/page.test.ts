/** docs/lint.md is written from the rules: `npx vitest run test/submission/lint/page.test.ts --update`. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { lintPage } from '../../../submission/lint/page.ts';

const FILE = fileURLToPath(new URL('../../../docs/lint.md', import.meta.url));

test('the page of the rules is what the rules say of themselves', async () => {
  await expect(lintPage()).toMatchFileSnapshot(FILE);
});
