/** Definitions that lint reads at submission, from a real repository on this machine. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lintSources } from '../../server/lint-sources.ts';

let dir: string;
const git = (...words: string[]) =>
  execFileSync('git', [
    '-C',
    join(dir, 'allowed/tests'),
    '-c',
    'user.name=t',
    '-c',
    'user.email=t@t',
    ...words,
  ]);

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'muster-lint-sources-'));
  for (const repository of ['allowed/tests', 'other'])
    mkdirSync(join(dir, repository), { recursive: true });
  git('init', '-q', '-b', 'main');
  writeFileSync(join(dir, 'allowed/tests/d.yaml'), 'run:\n  steps:\n    - ./go.sh\n');
  writeFileSync(join(dir, 'allowed/tests/go.sh'), 'lava-sync one\n');
  writeFileSync(join(dir, 'allowed/tests/big.sh'), '#'.repeat(100_000));
  writeFileSync(join(dir, 'allowed/tests/image'), '\0\0');
  symlinkSync('/etc/passwd', join(dir, 'allowed/tests/link.sh'));
  git('add', '.');
  git('commit', '-q', '-m', 'one');
  git('tag', 'v1');
  writeFileSync(join(dir, 'allowed/tests/go.sh'), 'lava-sync two\n');
  git('commit', '-q', '-a', '-m', 'two');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const open = (repository: string, of: { path?: string; revision?: string } = {}) =>
  lintSources(() => [join(dir, 'allowed')])(
    { from: 'git', repository, path: 'd.yaml', parameters: [], ...of },
    AbortSignal.timeout(20_000),
  );

test('a repository in a folder that jobs may read is read at its revision, with the small texts around', async () => {
  const now = await open(join(dir, 'allowed/tests'));
  const then = await open(`file://${join(dir, 'allowed/tests')}`, { revision: 'v1' });
  if ('missing' in now || 'missing' in then) throw new Error('missing');
  expect(now.text).toContain('./go.sh');
  expect([now.readFile('go.sh'), then.readFile('go.sh')]).toEqual([
    'lava-sync two\n',
    'lava-sync one\n',
  ]);
  // Too large, no text, a link out of it: there is something, and nobody reads it.
  expect(['big.sh', 'image', 'link.sh', 'none'].map((path) => now.readFile(path))).toEqual([
    null,
    null,
    undefined,
    undefined,
  ]);
});

test.each([
  ['a repository elsewhere on this machine', () => open(join(dir, 'other'))],
  ['one on another machine', () => open('https://example.org/tests.git')],
  ['a revision that there is not', () => open(join(dir, 'allowed/tests'), { revision: 'v9' })],
  ['a revision that is an option', () => open(join(dir, 'allowed/tests'), { revision: '--all' })],
  ['a definition that there is not', () => open(join(dir, 'allowed/tests'), { path: 'e.yaml' })],
])('%s is not read, and why is said', async (_, opening) => {
  expect(await opening()).toEqual({ missing: expect.stringMatching(/./) });
});

test('reading ends when it has taken too long', async () => {
  const given = lintSources(() => [join(dir, 'allowed')])(
    { from: 'git', repository: join(dir, 'allowed/tests'), path: 'd.yaml', parameters: [] },
    AbortSignal.abort(new Error('too long')),
  );
  await expect(given).rejects.toThrow('too long');
});
