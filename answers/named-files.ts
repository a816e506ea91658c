/** The files of a checkout that a word of a script may name, where only the shell knew which. */
import { type Pattern, partsOf } from '../submission/lint/patterns.ts';

const FILES_MAX = 24;

/** Those that a word may stand for: by its parts, and by the words of the loop that its variable goes through. */
export function filesOf(word: Pattern, script: string, paths: readonly string[]): string[] {
  const last = partsOf(word).at(-1);
  const name = typeof last === 'string' ? undefined : /^\$\{?(\w+)/.exec(last?.hole ?? '')?.[1];
  const loop = name === undefined ? undefined : loopOver(name, script);
  const before = partsOf(word)
    .slice(0, loop === undefined ? undefined : -1)
    .map((part) => (typeof part === 'string' ? part : '*'))
    .join('');
  return filesThatFit(before, loop ?? '', paths);
}

/** `"$hook"`, in a loop over `./hooks-"$(lava-role)"/[0-9]*`. */
export function filesOfVariable(word: string, script: string, paths: readonly string[]): string[] {
  const name = /^"?\$\{?(\w+)\}?"?$/.exec(word)?.[1];
  const loop = name === undefined ? undefined : loopOver(name, script);
  return loop === undefined ? [] : filesThatFit('', loop, paths);
}

const loopOver = (name: string, script: string): string | undefined =>
  new RegExp(`\\bfor\\s+${name}\\s+in\\s+([^;\\n]+)`).exec(script)?.[1];

function filesThatFit(before: string, loop: string, paths: readonly string[]): string[] {
  const words = loop.split(/\s+/).map((one) => `${before}${one.replace(/^["']?\.\//, '')}`);
  const fits = words.flatMap((one) => globOf(one) ?? []);
  const found = paths.filter((path) => fits.some((fit) => fit.test(path)));
  return found.length > FILES_MAX ? [] : [...found].sort();
}

/** `"$here"/setup.d/*.sh`, `hooks-$(lava-role)/[0-9]?-*`; nothing where it says too little. */
function globOf(word: string): RegExp | undefined {
  const plain = word
    .replace(/["']/g, '')
    .replace(/\$\([^)]*\)|\$\{[^}]*\}|\$\w+/g, '*')
    .replace(/^(?:\*\/|\.\/)+/, '');
  if (!/[\w-]{2}/.test(plain)) return undefined;
  const escaped = plain
    .split(/(\[!?[\w-]+\]|[*?])/)
    .map((part, at) => (at % 2 === 0 ? literal(part) : (GLOBS[part] ?? part.replace('[!', '[^'))))
    .join('');
  return new RegExp(`^(?:.*/)?${escaped}$`);
}
const GLOBS: Readonly<Record<string, string>> = { '*': '[^/]*', '?': '[^/]' };
const literal = (text: string): string => text.replace(/[.+?^${}()|[\]\\*]/g, '\\$&');
