/** What scripts look for in the cache file of the last wait, and what is told by it: whether there is such a line, and a value. */
import type { Seek } from './call-graph.ts';
import { exact, type Pattern, unknown } from './patterns.ts';
import { ok, type Status } from './scope.ts';
import type { Statement } from './shell-tree.ts';
import { expressionOf } from './text-tools.ts';
import type { Field, Result, Taken, Walk } from './walk.ts';
import { CACHE_FILE } from './walk-files.ts';

const ANY: Seek = { isOpen: false, needsValue: false };
const READERS = /^(?:.*\/)?(?:grep|egrep|fgrep|sed|awk|gawk)$/;
/** Programs that print something where they are given something. */
const FILTERS = /^(?:cat|cut|head|tail|sort|uniq|tr|sed|awk|xargs|tee|rev|grep)$/;

/** `grep ^ip= cache`, `sed -n s/^ip=//p cache`, the same behind `cat cache |`, and what stands behind them in a pipe. */
export function cacheResult(
  walk: Walk,
  statement: Statement,
  name: string,
  args: readonly Field[],
): Result | undefined {
  const words = args.map(({ value }) => value);
  const texts = words.map((word) => (word.kind === 'exact' ? word.text : ''));
  const isCache = texts.includes(CACHE_FILE);
  const before = isCache ? undefined : takenOf(walk, walk.input);
  const isWhole = isCache || walk.isCacheInput;
  if (!isWhole && before === undefined) return undefined;
  const base = name.replace(/^.*\//, '');
  if (!FILTERS.test(base) && !READERS.test(base)) return undefined;
  const own = texts.map((word, index) => (word === CACHE_FILE ? undefined : words[index]));
  const given = own.filter((word) => word !== undefined);
  if (isWhole) noteReads(walk, statement, base, given);
  const seek = isWhole ? seekOf(base, given, ANY) : narrowed(base, given, before?.seek ?? ANY);
  if (seek === undefined) return undefined;
  const isSame = !isWhole && before !== undefined && seek === before.seek;
  const taken = isSame ? before : asked(walk, seek);
  const out = holeOf(walk, statement, taken);
  const asks = /grep$/.test(base);
  const isQuiet = asks && texts.some((text) => /^-[a-zA-Z]*q/.test(text));
  const status: Status = asks ? told(taken.key, walk.textOf(statement)) : ok;
  return { status, out: isQuiet ? exact('') : out };
}

/** Asks for it where the script stands. */
export function asked(walk: Walk, seek: Seek): Taken {
  const key = `read ${walk.id()}`;
  walk.emit({ op: 'read', key, seek, read: walk.reads.length - 1 });
  return { key, seek };
}

export function holeOf(walk: Walk, statement: Statement | undefined, taken: Taken): Pattern {
  const id = `taken ${walk.id()}`;
  walk.taken.set(id, taken);
  return unknown(statement === undefined ? '' : walk.textOf(statement), id);
}

export const told = (key: string, text: string): Status => ({
  is: 'either',
  key,
  isFlipped: false,
  text,
  isCall: true,
});

export const takenOf = (walk: Walk, pattern: Pattern | undefined): Taken | undefined =>
  pattern?.kind === 'unknown' && pattern.id !== undefined ? walk.taken.get(pattern.id) : undefined;

/** What a program looks for in the file; `undefined`: nothing that could be told. */
function seekOf(base: string, words: readonly Pattern[], within: Seek): Seek | undefined {
  const flags = words
    .flatMap((word) => (word.kind === 'exact' && /^-[a-zA-Z]+$/.test(word.text) ? [word.text] : []))
    .join('');
  const [pattern] = words.filter((word) => word.kind !== 'exact' || !/^-./.test(word.text));
  const open: Seek = { ...within, isOpen: true };
  if (/grep$/.test(base)) {
    if (pattern === undefined || /[vcL]/.test(flags)) return undefined;
    if (pattern.kind !== 'exact' || /[ifw]/.test(flags)) return open;
    const isFixed = base === 'fgrep' || flags.includes('F');
    const text = isFixed ? pattern.text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : pattern.text;
    const isExtended = isFixed || base === 'egrep' || /[EP]/.test(flags);
    const expression = isFixed ? text : expressionOf(text, isExtended)?.source;
    return expression === undefined ? open : { ...within, expression };
  }
  if (base === 'sed') return sedSeek(words, flags, within);
  if (/awk$/.test(base)) return awkSeek(words, within);
  // `cut -d= -f2` of lines: what stands behind the sign.
  return base === 'cut' ? { ...within, needsValue: true } : within;
}

function sedSeek(words: readonly Pattern[], flags: string, within: Seek): Seek | undefined {
  const script = words.find((word) => word.kind !== 'exact' || !/^-./.test(word.text));
  if (script?.kind !== 'exact') return { ...within, isOpen: true };
  const isQuiet = flags.includes('n');
  const [, sign = '', from = '', rest = ''] = /^s(.)(.*?)\1(.*)$/.exec(script.text) ?? [];
  const takesAway = from.endsWith('=') || from.endsWith('.*=');
  if (sign === '') {
    const [, address] = /^\/(.*)\/p$/.exec(script.text) ?? [];
    const expression = address === undefined ? undefined : expressionOf(address, false)?.source;
    return expression === undefined || !isQuiet
      ? { ...within, isOpen: true }
      : { ...within, expression };
  }
  if (!isQuiet) return takesAway ? { ...within, needsValue: true } : within;
  const expression = expressionOf(from, /[Er]/.test(flags))?.source;
  if (expression === undefined || !rest.includes('p')) return { ...within, isOpen: true };
  return { ...within, expression, needsValue: takesAway };
}

function awkSeek(words: readonly Pattern[], within: Seek): Seek {
  const open: Seek = { ...within, isOpen: true };
  const script = words.find((word) => word.kind !== 'exact' || /[{/$]/.test(word.text));
  if (script?.kind !== 'exact') return open;
  const separator = words.some((word) => word.kind === 'exact' && /^-F ?=$|^=$/.test(word.text));
  const [, field, text] =
    /^\s*\$1\s*(==)\s*"([^"]*)"\s*\{\s*print\s*\$2\s*;?\s*\}\s*$/.exec(script.text) ?? [];
  if (field !== undefined && text !== undefined && separator)
    return {
      ...within,
      expression: `^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}=`,
      needsValue: true,
    };
  const [, address, printed] =
    /^\s*\/([^/]*)\/\s*(?:\{\s*print\s*(\$2)?\s*;?\s*\})?\s*$/.exec(script.text) ?? [];
  const expression = address === undefined ? undefined : expressionOf(address, true)?.source;
  if (expression === undefined) return /^\s*\{\s*print/.test(script.text) ? within : open;
  return { ...within, expression, needsValue: printed !== undefined && separator };
}

/** What a second program in a pipe makes of it. */
function narrowed(base: string, words: readonly Pattern[], seek: Seek): Seek | undefined {
  const [first] = words;
  if (/grep$/.test(base)) {
    const pattern = words.find((word) => word.kind !== 'exact' || !/^-./.test(word.text));
    const isAny = pattern?.kind === 'exact' && /^\^?\.?\*?\$?$/.test(pattern.text);
    if (isAny || (first?.kind === 'exact' && /^-[a-zA-Z]*c/.test(first.text))) return seek;
    return seek.expression === undefined && !seek.needsValue
      ? seekOf(base, words, seek)
      : { ...seek, isOpen: true };
  }
  if (base === 'cut' || base === 'awk' || base === 'sed') {
    const text = words.map((word) => (word.kind === 'exact' ? word.text : '')).join(' ');
    const isOfValue = text.includes('=') && !seek.needsValue;
    return isOfValue ? { ...seek, needsValue: true } : seek;
  }
  return seek;
}

/** Keys that are read, for whoever compares them with those that are sent. */
function noteReads(
  walk: Walk,
  statement: Statement,
  base: string,
  words: readonly Pattern[],
): void {
  if (!READERS.test(base)) return;
  if (words.some((word) => word.kind === 'exact' && /^-[a-zA-Z]*v/.test(word.text))) return;
  const pattern = words.find((word) => word.kind !== 'exact' || !word.text.startsWith('-'));
  if (pattern === undefined) return;
  const isGrep = /grep$/.test(base);
  for (const key of pattern.kind === 'exact' ? keysOf(pattern.text, isGrep) : [pattern])
    walk.readKey(typeof key === 'string' ? exact(key) : key, walk.textOf(statement), statement);
}

/** The keys that a regular expression looks for, as far as it names any. */
function keysOf(pattern: string, isGrep: boolean): string[] {
  const named = [...pattern.matchAll(/(?:^|[/^:\s(|*])([A-Za-z][A-Za-z0-9_.-]*)=/g)].map(
    ([, key = '']) => key,
  );
  if (named.length > 0) return named;
  const bare = isGrep
    ? /^[:^]?([A-Za-z][A-Za-z0-9_-]*)$/.exec(pattern)
    : (/\/\^?([A-Za-z][A-Za-z0-9_-]*)\//.exec(pattern) ??
      /\$1\s*==\s*"([A-Za-z][A-Za-z0-9_.-]*)"/.exec(pattern));
  return bare?.[1] === undefined ? [] : [bare[1]];
}
