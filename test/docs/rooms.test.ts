/** The tables of rooms and of their files say what is there: nothing is missing, and nothing is listed that is gone. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { expect, it } from 'vitest';
import { filesUnder, pages, rooms } from './files.ts';

/** The rows of the first table of a page that has one, cell by cell; without its head. */
function tableOf(page: string): string[][] {
  const lines = readFileSync(page, 'utf8').split('\n');
  const first = lines.findIndex((line) => line.startsWith('|'));
  const rest = lines.slice(first);
  const length = rest.findIndex((line) => !line.startsWith('|'));
  return rest.slice(2, length < 0 ? undefined : length).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

const named = (cell = ''): string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

const house = tableOf('docs/architecture.md');

it('docs/architecture.md has a row for every folder at the top, and no other', () => {
  expect(house.flatMap(([room]) => named(room)).sort()).toEqual(
    rooms.map((room) => `${room}/`).sort(),
  );
});

it('docs/architecture.md says of each room which rooms it imports, as the arrows have it', () => {
  const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs');
  const arrows = new Map<string, string>();
  for (const { name } of forbidden) {
    const [, room, allowed = ''] = /^(\w+)-imports-only-itself-?(.*)$/.exec(name) ?? [];
    if (room !== undefined) arrows.set(room, allowed.replaceAll('-', ', ') || 'nothing');
  }
  expect(arrows.size).toBeGreaterThan(10);
  for (const [room, imports] of arrows)
    expect(house.find(([cell]) => cell === `\`${room}/\``)?.[2], room).toBe(imports);
});

/** READMEs that list their folder's files: those whose first table has a column `file`. */
const listing = pages.filter(
  (page) =>
    page.includes('/README.md') &&
    !page.startsWith('docs/') &&
    /^\| file /m.test(readFileSync(page, 'utf8')),
);

it('the rooms whose READMEs list their files are known', () => {
  expect(listing.sort()).toEqual([
    'dispatcher/drivers/README.md',
    'scheduler/README.md',
    'simulation/README.md',
    'store/README.md',
    'submission/README.md',
    'submission/lint/README.md',
  ]);
});

/** What a row names, with its path from the folder: a name without one lies where the first of its row does. */
function namesOf([cell]: string[], folder: string): string[] {
  const [first = '', ...others] = named(cell);
  const beside = first.includes('/') ? `${dirname(first)}/` : '';
  return [first, ...others.map((name) => (existsSync(`${folder}/${name}`) ? name : beside + name))];
}

it.each(listing)('%s lists every file of its folder, and no other', (page) => {
  const folder = dirname(page);
  const listed = tableOf(page).flatMap((row) => namesOf(row, folder));
  expect(listed).toEqual([...new Set(listed)]);
  for (const name of listed) expect(existsSync(`${folder}/${name}`), name).toBe(true);
  // The row of a folder stands for all that is in it, unless some of that has a row, too.
  const whole = listed.filter(
    (name) =>
      name.endsWith('/') && !listed.some((other) => other !== name && other.startsWith(name)),
  );
  const files = filesUnder(folder).filter((file) => file.endsWith('.ts'));
  const isListed = (file: string) =>
    listed.includes(file) || whole.some((name) => file.startsWith(name));
  expect(files.filter((file) => !isListed(file))).toEqual([]);
});
