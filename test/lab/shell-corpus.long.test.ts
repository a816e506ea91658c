/** The whole corpus of test shells on real boards. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { namespacesSkipped } from '../dispatcher/harness.ts';
import { ShellLab, shellCorpus } from './shell-corpus.ts';

const lack = await namespacesSkipped();
const lab = new ShellLab();
beforeAll(() => (lack === undefined ? lab.start() : undefined));
afterAll(() => lab.stop());

const long = shellCorpus.filter(({ expected }) => !expected.isShort);

describe.skipIf(lack !== undefined)('test shells in every disguise', () => {
  it.concurrent.each(long.map((one) => [one.name, one] as const))(
    '%s: all came as it was expected',
    async (_, one) => expect(await lab.differences(one)).toEqual([]),
    240_000,
  );
});
