/** The files of a checkout that a word of a script may name, where only the shell knew which. */
import { type Pattern, partsOf } from '../../submission/lint/patterns.ts';

const FILES_MAX = 24;

/** Those that a word may stand for: by its parts, and by the words of the loop that its variable goes through. */
export function filesOf(word: Pattern, script: string, paths: readonly string[]): string[] {
  const last = partsOf(word).at(-1);
  const name = typeof last === 'string' ? undefined : /^\$\{?(\w+)/.exec(last?.hole ?? '')?.[1];
  const loop =
    name === undefined
      ? undefined
      : new RegExp(`\\bfor\\s+${name}\\s+in\\s+([^;\\n]+)`).exec(script)?.[1];
  const before = partsOf(word)
    .slice(0, loop === undefined ? undefined : -1)
    .map((part) => (typeof part === 'string' ? part : '*'))
    .join('');
  const words = (loop ?? '').split(/\s+/).map((one) => `${before}${one.replace(/^["']?\.\//, '')}`);
  const fits = words.flatMap((one) => globOf(one) ?? []);
  const found = paths.filter((path) => fits.some((fit) => fit.test(path)));
  return found.length > FILES_MAX ? [] : [...found].sort();
}

/** `"$here"/setup.d/*.sh`; nothing where it says too little. */
function globOf(word: string): RegExp | undefined {
  const plain = word
    .replace(/["']/g, '')
    .replace(/\$\([^)]*\)|\$\{[^}]*\}|\$\w+/g, '*')
    .replace(/^(?:\*\/|\.\/)+/, '');
  if (!/[\w-]{2}/.test(plain)) return undefined;
  const escaped = plain.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*');
  return new RegExp(`^(?:.*/)?${escaped}$`);
}
