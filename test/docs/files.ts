/** The files of the project, without what is built or fetched: what `.gitignore` names is none of them. */
import { readdirSync, readFileSync } from 'node:fs';

const ignored = readFileSync('.gitignore', 'utf8')
  .split('\n')
  .filter((line) => line.endsWith('/'))
  .map((line) => line.slice(0, -1));

/** The folders at the top. */
export const rooms = readdirSync('.', { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
  .map(({ name }) => name)
  .filter((name) => !ignored.includes(name));

/** Every file under a folder, with its path from there. */
export function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory()) return [entry.name];
    if (ignored.includes(entry.name)) return [];
    return filesUnder(`${folder}/${entry.name}`).map((file) => `${entry.name}/${file}`);
  });
}

/** All of them, with hidden files of the top but no hidden folder other than `.ci`. */
export const projectFiles: readonly string[] = [
  ...readdirSync('.', { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name),
  ...['.ci', ...rooms].flatMap((room) => filesUnder(room).map((file) => `${room}/${file}`)),
];

/** Pages of the project; those that lie in `test/` are material. */
export const pages = projectFiles.filter(
  (file) => file.endsWith('.md') && !file.startsWith('test/'),
);
