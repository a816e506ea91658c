/** Programs of the board: what a few of them print is known, how they end is not. */
import { exact, type Pattern, unknown } from './patterns.ts';
import { either } from './results.ts';
import { failed, ok } from './scope.ts';
import { foreign } from './script-files.ts';
import type { Statement } from './shell-tree.ts';
import { grepped, toolOutput } from './text-tools.ts';
import { CACHE_FILE, type Field, type Result, type Walk } from './walk.ts';

const MULTINODE = /^lava-(?:send|wait|wait-all|sync|network)$/;

/** A program of the board: what it prints is known for a few, how it ends is not. */
export function program(
  walk: Walk,
  statement: Statement,
  name: string,
  args: readonly Field[],
): Result {
  noteReads(walk, statement, name, args);
  const words = args.map(({ value }) => value);
  if (words.some((word) => word.kind === 'exact' && MULTINODE.test(word.text)))
    walk.open('command', statement);
  const script = words.find(
    (word) => word.kind === 'exact' && /\.(?:py|pl|rb|exp|lua)$/.test(word.text),
  );
  if (/^(?:.*\/)?(?:python\d?(?:\.\d+)?|perl|expect|ruby|lua|make)$/.test(name)) {
    const file = walk.inCheckout(script ?? exact('Makefile'));
    const text = file === undefined ? undefined : walk.readFile(file);
    if (typeof text === 'string' && file !== undefined) foreign(walk, statement, file, text);
  }
  const base = name.replace(/^.*\//, '');
  const texts: string[] = [];
  for (const word of words) if (word.kind === 'exact') texts.push(word.text);
  const isKnown = texts.length === words.length && !args.some(({ isOpen }) => isOpen);
  const input = walk.input?.kind === 'exact' ? walk.input.text : undefined;
  if (base === 'grep' && isKnown && input !== undefined) {
    const found = grepped(texts, input);
    if (found !== undefined)
      return { status: found.isFound ? ok : failed, out: exact(found.output) };
  }
  if (base === 'cat' && texts.includes(CACHE_FILE)) return { status: ok, out: walk.cacheText() };
  const given =
    base === 'cat' && texts.length === 1 && isKnown
      ? walk.fileText(exact(texts[0] ?? ''))
      : undefined;
  if (given !== undefined) return { status: ok, out: given };
  const output = isKnown ? toolOutput([base, ...texts], input) : undefined;
  if (output !== undefined) return { status: ok, out: exact(output) };
  if (base === 'echo' || base === 'printf') return { status: ok, out: echoed(base, args) };
  const isSure =
    /^(?:sleep|cd|mkdir|cat|cut|awk|head|tail|sort|tr|wc|uniq|tee|sed|date|hostname|uname|ifconfig|ip)$/.test(
      base,
    );
  const out =
    base === 'hostname' && words.length === 0 ? unknown('$(hostname)', 'hostname') : undefined;
  return { status: isSure && walk.isCapturing ? ok : either(walk, statement), out };
}

function echoed(base: string, args: readonly Field[]): Pattern | undefined {
  if (base !== 'echo') return undefined;
  const [first] = args;
  if (args.length !== 1 || first === undefined || first.isOpen) return undefined;
  return first.value;
}

/** `grep key cache`, `awk '/key/' cache`, and the same behind `cat cache |`. */
function noteReads(walk: Walk, statement: Statement, name: string, args: readonly Field[]): void {
  if (!/^(?:.*\/)?(?:grep|egrep|fgrep|sed|awk|gawk)$/.test(name)) return;
  const words = args.flatMap(({ value }) => (value.kind === 'exact' ? [value.text] : ['']));
  const isCache = words.includes(CACHE_FILE) || walk.isCacheInput;
  if (!isCache || words.some((word) => /^-[a-zA-Z]*v/.test(word))) return;
  const pattern = args.find(
    ({ value }) => value.kind !== 'exact' || !value.text.startsWith('-'),
  )?.value;
  if (pattern === undefined) return;
  const isGrep = /grep$/.test(name);
  for (const key of pattern.kind === 'exact' ? keysOf(pattern.text, isGrep) : [pattern])
    walk.readKey(typeof key === 'string' ? exact(key) : key, walk.textOf(statement), statement);
}

/** The keys that a regular expression looks for, as far as it names any. */
function keysOf(pattern: string, isGrep: boolean): string[] {
  const named = [...pattern.matchAll(/(?:^|[/^:\s(|])([A-Za-z][A-Za-z0-9_.-]*)=/g)].map(
    ([, key = '']) => key,
  );
  if (named.length > 0) return named;
  const bare = isGrep
    ? /^[:^]?([A-Za-z][A-Za-z0-9_-]*)$/.exec(pattern)
    : /\/\^?([A-Za-z][A-Za-z0-9_-]*)\//.exec(pattern);
  return bare?.[1] === undefined ? [] : [bare[1]];
}

// what runs another command
