/** Which files of a suite a script takes in: those that it sources or imports, also where only its shell knows which. */
import { importedBy, isForeign } from './foreign-sites.ts';
import { filesOfVariable } from './named-files.ts';

interface Script {
  readonly path: string;
  readonly text: string;
  readonly isMade: boolean;
}

/** The files that a script reads in (`. ./x.sh`, `import x`), and those that they read in. */
export function sourcedBy<T extends Script>(script: T, scripts: readonly T[]): T[] {
  const found = new Set<T>();
  const open = [script];
  for (let next = open.pop(); next !== undefined; next = open.pop())
    for (const file of takenInBy(next, scripts)) {
      if (found.has(file)) continue;
      found.add(file);
      open.push(file);
    }
  return [...found];
}

export function takenInBy<T extends Script>(script: T, scripts: readonly T[]): T[] {
  if (!isForeign(script))
    return [...script.text.matchAll(SOURCES)].flatMap(([, path = '']) => {
      const named = namedBy(path, scripts);
      return named.length > 0 ? named : namedInLoop(path, script, scripts);
    });
  const names = new Set(importedBy(script.text));
  const isNamed = (path: string) => {
    const plain = path.replace(/(?:\/__init__)?\.\w+$/, '');
    return [...names].some((name) => plain === name || plain.endsWith(`/${name}`));
  };
  return scripts.filter((one) => one !== script && !one.isMade && isNamed(one.path));
}

function namedInLoop<T extends Script>(word: string, script: T, scripts: readonly T[]): T[] {
  const files = scripts.filter((one) => !one.isMade);
  const paths = files.map(({ path }) => path);
  const found = new Set(filesOfVariable(word, script.text, paths));
  return files.filter(({ path }) => found.has(path));
}

const SOURCES = /(?:^|[\s;&|(])(?:\.|source)\s+((?:\$\([^)]*\)|[^\s;&|)])+)/gm;

/** The files that a word may lead to: parts that only the shell knows may be anything. */
export function namedBy<T extends Script>(word: string, scripts: readonly T[]): T[] {
  const name = word
    .replace(/["']/g, '')
    .replace(/\$\([^)]*\)|\$\{[^}]*\}|\$\w+/g, '\0')
    .split('/')
    .at(-1);
  if (name === undefined || /^\0?$/.test(name)) return [];
  const pattern = new RegExp(
    `^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('\0', '.*')}$`,
  );
  return scripts.filter((one) => !one.isMade && pattern.test(one.path.split('/').at(-1) ?? ''));
}
