/** Pages lead somewhere: each link and each file that a page names is there, and lists of pages are complete. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execaSync } from 'execa';
import { expect, it } from 'vitest';

const pages = execaSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'])
  .stdout.split('\n')
  .filter((page) => existsSync(page) && !page.startsWith('test/'));
const textOf = (page: string) => readFileSync(page, 'utf8').replace(/^```[\s\S]*?^```/gm, '');

it.each(pages)('every link of %s leads to a file', (page) => {
  for (const [, to = ''] of textOf(page).matchAll(/\]\(([^)\s#]+)[^)]*\)/g))
    if (!/^[a-z]+:/.test(to)) expect(existsSync(join(dirname(page), to)), to).toBe(true);
});

const ROOMS =
  'machines|submission|scheduler|projections|simulation|store|wire|engine|api|dispatcher|worker|server|cli|board|bench|scripts|test|docs';

it.each(pages)('every file of a room that %s names in full is there', (page) => {
  const names = textOf(page).matchAll(new RegExp(`\`((?:${ROOMS})/[\\w./-]+)\``, 'g'));
  for (const [, name = ''] of names) expect(existsSync(name), name).toBe(true);
});

it('the list of decisions has each page once', () => {
  const listed = [...textOf('docs/decisions/README.md').matchAll(/^\| \[([\w-]+\.md)\]/gm)];
  const there = readdirSync('docs/decisions').filter((file) => file !== 'README.md');
  expect(listed.map(([, file]) => file).sort()).toEqual(there.sort());
});

it('every page of docs/ can be reached from the README', () => {
  const readme = textOf('README.md');
  for (const file of readdirSync('docs').filter((name) => name.endsWith('.md')))
    expect(readme, file).toContain(`(docs/${file})`);
  for (const file of readdirSync('docs/how-to'))
    expect(readme, file).toContain(`(docs/how-to/${file})`);
  expect(readme).toContain('(docs/decisions/README.md)');
});

it('the changelog begins with the version of the package', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  const [, first] = /^## (\S+?),? /m.exec(readFileSync('CHANGELOG.md', 'utf8')) ?? [];
  expect(first).toBe(version);
});

it('the glossary explains each word once', () => {
  const words = [...textOf('docs/glossary.md').matchAll(/^\| \*\*([^*]+)\*\*/gm)].map(
    ([, word]) => word,
  );
  expect(words.length).toBeGreaterThan(40);
  expect(words).toEqual([...new Set(words)]);
});
