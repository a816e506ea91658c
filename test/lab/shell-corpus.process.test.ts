/** One test shell of each kind on real boards; all of them in `shell-corpus.long.test.ts`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { namespacesSkipped } from '../dispatcher/harness.ts';
import { ShellLab, shellCorpus } from './shell-corpus.ts';

const lack = await namespacesSkipped();
const lab = new ShellLab();
beforeAll(() => (lack === undefined ? lab.start() : undefined));
afterAll(() => lab.stop());

const short = shellCorpus.filter(({ expected }) => expected.isShort);

describe.skipIf(lack !== undefined)('test shells of each kind', () => {
  it.concurrent.each(short.map((one) => [one.name, one] as const))(
    '%s: all came as it was expected',
    async (_, one) => expect(await lab.differences(one)).toEqual([]),
    120_000,
  );
});
