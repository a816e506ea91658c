/** Pages lead somewhere: each link and each file that a page names is there, and lists of pages are complete. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { pages, rooms } from './files.ts';

const textOf = (page: string) => readFileSync(page, 'utf8').replace(/^```[\s\S]*?^```/gm, '');

it.each(pages)('every link of %s leads to a file', (page) => {
  for (const [, to = ''] of textOf(page).matchAll(/\]\(([^)\s#]+)[^)]*\)/g))
    if (!/^[a-z]+:/.test(to)) expect(existsSync(join(dirname(page), to)), to).toBe(true);
});

const ROOMS = rooms.join('|');

it.each(pages)('every file of a room that %s names in full is there', (page) => {
  const names = textOf(page).matchAll(new RegExp(`\`((?:${ROOMS})/[\\w./-]+)\``, 'g'));
  for (const [, name = ''] of names) expect(existsSync(name), name).toBe(true);
});

it('the list of decisions has each page once', () => {
  const listed = [...textOf('docs/decisions/README.md').matchAll(/^\| \[([\w-]+\.md)\]/gm)];
  const there = readdirSync('docs/decisions').filter((file) => file !== 'README.md');
  expect(listed.map(([, file]) => file).sort()).toEqual(there.sort());
});

it('the list of how-tos has each page once', () => {
  const listed = [...textOf('docs/how-to/README.md').matchAll(/\]\(([\w-]+\.md)\)/g)];
  const there = readdirSync('docs/how-to').filter(
    (file) => file.endsWith('.md') && file !== 'README.md',
  );
  expect(listed.map(([, file]) => file).sort()).toEqual(there.sort());
});

it('every page of docs/ can be reached from the README', () => {
  const seen = new Set<string>();
  const follow = (page: string) => {
    if (seen.has(page) || !pages.includes(page)) return;
    seen.add(page);
    for (const [, to = ''] of textOf(page).matchAll(/\]\(([^)\s#]+\.md)[^)]*\)/g))
      follow(join(dirname(page), to));
  };
  follow('README.md');
  expect(pages.filter((page) => page.startsWith('docs/') && !seen.has(page))).toEqual([]);
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

it("the README's first screen leads from the demo to boards of one's own", () => {
  const screen = textOf('README.md').split('\n').slice(0, 40).join('\n');
  for (const way of [
    'npm run demo',
    'init',
    'add-a-board.md',
    'lab-hardware.md',
    'remote-worker.md',
  ])
    expect(screen).toContain(way);
});
