/** Programs of the board: what a few of them print is known, how they end is not. */
import { sum } from './arithmetic.ts';
import { exact, joined, type Pattern, partsOf, unknown } from './patterns.ts';
import { cacheResult } from './reads.ts';
import { either } from './results.ts';
import { failed, ok } from './scope.ts';
import { foreign } from './script-files.ts';
import type { Statement } from './shell-tree.ts';
import { fileSource } from './source.ts';
import { grepped, toolOutput } from './text-tools.ts';
import type { Field, Result, Walk } from './walk.ts';
import { CHECKOUT } from './walk-files.ts';

/** A script that runs others, which may. */
const RUNS_OTHERS = /(?:^|[\s;&|(])(?:\.|source|sh|bash)[ \t]+\S|(?:^|[\s;&|(])\.\.?\/\w/;
const CALLS = /\blava-(?:send|wait|wait-all|sync|network)\b/;
/** Programs that are given texts, and files that they do not run. */
const SPEAKS_OF =
  /^(?:.*\/)?(?:echo|printf|[ef]?grep|sed|awk|logger|cat|tee|ls|stat|file|wc|head|tail|diff|cmp|cp|mv|rm|ln|chmod|chown|install|touch|mkdir|basename|dirname|readlink|realpath|du|df|less|more|nl|tac|rev|uniq|paste|comm|scp|rsync|wget|curl|zip|unzip|gzip|gunzip|base64|xxd|od|strings|getopt|date|test|which|type|pkill|killall|pgrep|expr|git|tar|sort|tr|cut|md5sum|sha\d+sum|dos2unix|shellcheck|apt|apt-get|dnf|yum|opkg)$/;

/** Whether a program that is given this word may call a verb by it. */
function mayCall(walk: Walk, word: Pattern): boolean {
  const text = partsOf(word)
    .map((part) => (typeof part === 'string' ? part : ' '))
    .join('');
  if (CALLS.test(text)) return true;
  if (word.kind !== 'exact' || !/[./]/.test(word.text)) return false;
  // Which scripts those are, nobody asks here.
  if (/[*?[].*\.(?:sh|bash)$/.test(word.text)) return true;
  const given = walk.fileText(word);
  return given?.kind === 'exact' && (CALLS.test(given.text) || RUNS_OTHERS.test(given.text));
}

/** `find . -name '*.sh' -exec sh {} \\;`. */
function findRuns(words: readonly Pattern[]): boolean {
  const texts = words.map((word) => (word.kind === 'exact' ? word.text : ''));
  const at = texts.findIndex((text) => /^-(?:exec|execdir|ok|okdir)$/.test(text));
  return at >= 0 && !SPEAKS_OF.test(texts[at + 1] ?? '');
}

/** A program of the board: what it prints is known for a few, how it ends is not. */
export function program(
  walk: Walk,
  statement: Statement,
  name: string,
  args: readonly Field[],
): Result {
  const ofCache = cacheResult(walk, statement, name, args);
  if (ofCache !== undefined) return ofCache;
  const words = args.map(({ value }) => value);
  if (!SPEAKS_OF.test(name) && words.some((word) => mayCall(walk, word)))
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
  const given =
    base === 'cat' && texts.length === 1 && isKnown
      ? walk.fileText(exact(texts[0] ?? ''))
      : undefined;
  if (given !== undefined) return { status: ok, out: given };
  const place = /^(?:readlink|realpath)$/.test(base) ? placeOf(walk, words) : undefined;
  if (place !== undefined) return { status: ok, out: place };
  if (base === 'run-parts' || (base === 'find' && findRuns(words))) walk.open('command', statement);
  if (base === 'mkdir') for (const word of words) walk.makeFolder(word);
  const files = fileTool(walk, statement, base, args);
  if (files !== undefined) return files;
  if (base === 'expr') return summed(walk, statement, words);
  if (base === 'cat' && words.length === 0 && walk.input !== undefined)
    return { status: ok, out: walk.input };
  if (base === 'tee' && isKnown) tee(walk, statement, texts);
  if (base === 'printf') {
    const out = walk.lifted(words, '$(printf)', printed);
    if (out.kind !== 'unknown' || walk.cases.has(out.id ?? '')) return { status: ok, out };
  }
  const output = isKnown ? toolOutput([base, ...texts], input) : undefined;
  if (output !== undefined) return { status: ok, out: exact(output) };
  if (base === 'echo' || base === 'printf') return { status: ok, out: echoed(base, args) };
  const isSure =
    /^(?:sleep|mkdir|cat|cut|awk|head|tail|sort|tr|wc|uniq|tee|sed|date|hostname|uname|ifconfig|ip)$/.test(
      base,
    );
  const out =
    base === 'hostname' && words.length === 0 ? unknown('$(hostname)', 'hostname') : undefined;
  // What makes ready is taken to do so.
  const isReady = /^(?:mkdir|touch|sleep|sync|date)$/.test(base);
  return { status: isReady || (isSure && walk.isCapturing) ? ok : either(walk, statement), out };
}

/** `readlink -f "$0"`, `realpath ..`: of a path in the checkout. */
function placeOf(walk: Walk, words: readonly Pattern[]): Pattern | undefined {
  const paths = words.filter((word) => word.kind !== 'exact' || !/^-[efmq]+$|^--$/.test(word.text));
  const [path] = paths;
  const inside = path === undefined || paths.length > 1 ? undefined : walk.inCheckout(path);
  return inside === undefined
    ? undefined
    : exact(`${CHECKOUT}/${inside}`.replace(/\/$/, '').concat('\n'));
}

/** `printf '%s-%02d' a 1`: with what is known of its words. */
function printed(words: readonly Pattern[]): Pattern {
  const [format, ...values] = words;
  if (format?.kind !== 'exact') return unknown('$(printf)');
  const texts: string[] = [];
  for (const word of words) if (word.kind === 'exact') texts.push(word.text);
  if (texts.length === words.length) {
    const out = toolOutput(['printf', ...texts], undefined);
    return out === undefined ? unknown('$(printf)') : exact(out);
  }
  // One after another, where each is put in as it is.
  const pieces = format.text.split('%s');
  if (pieces.length - 1 !== values.length || /[%\\]/.test(pieces.join('').replace(/\\n$/, '')))
    return unknown('$(printf)');
  return joined(
    pieces.flatMap((piece, index) => {
      const value = values[index];
      const text = exact(piece.replace(/\\n$/, '\n'));
      return value === undefined ? [text] : [text, value];
    }),
  );
}

/** `expr $i + 1`. */
function summed(walk: Walk, statement: Statement, words: readonly Pattern[]): Result {
  const asIs = walk.textOf(statement);
  const isSum = words.every(
    (word, index) => index % 2 === 0 || (word.kind === 'exact' && /^[-+*/%]$/.test(word.text)),
  );
  if (!isSum || words.length < 3) return { status: either(walk, statement), out: undefined };
  const out = walk.lifted(words, asIs, (known) => {
    const texts: string[] = [];
    for (const word of known)
      if (word.kind === 'exact' && /^(?:-?\d+|[-+*/%])$/.test(word.text)) texts.push(word.text);
    const value =
      texts.length === known.length
        ? sum(
            texts.join(' '),
            () => undefined,
            () => {},
          )
        : undefined;
    return value === undefined ? unknown(asIs, `expr ${walk.id()}`) : exact(String(value));
  });
  const isZero = out.kind === 'exact' && out.text === '0';
  const line = joined([out, exact('\n')]);
  return { status: isZero ? failed : ok, out: out.kind === 'unknown' ? out : line };
}

/** `cp`, `mv`, `rm` and the like: which file is where. */
function fileTool(
  walk: Walk,
  statement: Statement,
  base: string,
  args: readonly Field[],
): Result | undefined {
  if (!/^(?:cp|mv|install|ln|rm|chmod)$/.test(base)) return undefined;
  const paths = args
    .map(({ value }) => value)
    .filter(
      (value) => value.kind !== 'exact' || !/^-|^[0-7]{3,4}$|^[ugoa]*[-+=]\w*$/.test(value.text),
    );
  const isKnown =
    paths.length > 0 &&
    paths.slice(0, base === 'rm' ? undefined : 1).every((path) => walk.hasFile(path));
  const result = { status: isKnown ? ok : either(walk, statement), out: exact('') };
  if (base === 'chmod') return result;
  if (base === 'rm') {
    for (const path of paths) {
      const at = walk.pathOf(path);
      if (at === undefined) continue;
      walk.scope.written.delete(at);
      walk.scope.written.delete(`${at}/`);
    }
    return result;
  }
  const to = paths.at(-1);
  if (to?.kind !== 'exact' || paths.length < 2) return result;
  for (const from of paths.slice(0, -1)) {
    const text = walk.fileText(from);
    if (text === undefined || from.kind !== 'exact') continue;
    const isFolder =
      to.text.endsWith('/') ||
      paths.length > 2 ||
      /^(?:\.|\/(?:tmp|usr\/(?:local\/)?s?bin|s?bin|root|opt))$/.test(to.text);
    const path = isFolder
      ? `${to.text.replace(/\/$/, '')}/${from.text.replace(/^.*\//, '')}`
      : to.text;
    const inside = walk.inCheckout(from);
    const known = walk.writtenAt(from);
    const of =
      inside === undefined || text.kind !== 'exact'
        ? walk.source
        : fileSource(walk.prefix + inside, text.text);
    const written = known ?? { text, of, at: 0, isLines: true };
    if (inside !== undefined && known === undefined) walk.files.add(walk.prefix + inside);
    for (const one of [path, ...onPath(path)]) walk.write(exact(one), written);
  }
  return result;
}

/** What lies where programs are looked for has its name alone, too. */
const onPath = (path: string): string[] => {
  const [, name] = /^\/(?:usr\/)?(?:local\/)?s?bin\/([^/]+)$/.exec(path) ?? [];
  return name === undefined ? [] : [name];
};

function tee(walk: Walk, statement: Statement, args: readonly string[]): void {
  const isAppended = args.includes('-a');
  for (const path of args.filter((arg) => !arg.startsWith('-'))) {
    const before = isAppended ? walk.fileText(exact(path)) : exact('');
    const text = before && walk.input ? joined([before, walk.input]) : undefined;
    walk.write(exact(path), { text, of: walk.source, at: statement.start, isLines: false });
  }
}

function echoed(base: string, args: readonly Field[]): Pattern | undefined {
  if (base !== 'echo') return undefined;
  if (args.some(({ isOpen }) => isOpen)) return undefined;
  const [first] = args;
  if (first?.value.kind === 'exact' && /^-/.test(first.value.text)) return undefined;
  const words = args.flatMap(({ value }, index) => (index === 0 ? [value] : [exact(' '), value]));
  if (words.some((word) => word.kind === 'exact' && word.text.includes('\\'))) return undefined;
  return args.length === 1 ? first?.value : joined(words);
}
