/**
 * Which keys of messages a member reads: by the commands with the cache file that its shell said it runs, by what shells say of
 * variables that are not set, and else by the lines of its scripts that speak of the cache file.
 */
import { tracesOf } from '../../submission/traces.ts';
import { isForeign } from '../foreign-sites.ts';
import type { Place, Script } from '../places.ts';
import type { Member } from './facts.ts';
import type { Situation } from './situation.ts';

const CACHE = /lava_multi_node_cache|LAVA_MULTI_NODE_CACHE/;
/** `^ip=`, `"panda01:ip="`, `:ip=*`. */
const KEY = /(?:^|[\s'"^/:|(\\*])([A-Za-z_][\w.-]*)=(?=['"/\\\s.(*[]|$)/g;
const AWK_KEY = /\$1\s*==\s*["']([\w.-]+)["']|\/\^([\w.-]+)=?\/|\/([\w.-]+)=\//g;
const GREP_WORD =
  /\bgrep\s+(?:-[A-Za-z]+\s+)*["']?\^?([A-Za-z_][\w.-]*)["']?\s+\S*(?:cache|CACHE)/g;
const UNBOUND =
  /: (?:line )?\d+: (\w+): (?:unbound variable|parameter (?:not set|null or not set))/;

/** A dictionary of Python that was made of the cache file. */
const KEY_ERROR = /^KeyError: ["']([\w.-]+)["']$/;

export interface KeysRead {
  /** Those that it did read, where its shell told; else those of its scripts. */
  readonly read: readonly string[];
  /** Those that it may read elsewhere, too. */
  readonly known: ReadonlySet<string>;
  /** Those that it looks for where a line begins: so they do not stand behind `lava-wait-all`. */
  readonly atStart: ReadonlySet<string>;
}

export function keysRead(situation: Situation, member: Member): KeysRead {
  const keys = new Set<string>();
  const inScripts = new Set<string>();
  const said = situation.said.get(member.device) ?? [];
  const scripts = situation.places
    .suitesOf(member.device)
    .flatMap((source) => situation.places.reachable(source));
  const isReadIn = scripts.some(({ text }) => readIn(text) !== undefined);
  const isLookedUp = scripts.some(
    (script) => isForeign(script) && cacheLines(script.text).length > 0,
  );
  for (const command of tracesOf(said.map(({ text }) => text)))
    if (command !== undefined && CACHE.test(command)) addKeys(keys, command);
  for (const { text } of said) {
    const [, variable] = UNBOUND.exec(text) ?? [];
    const [, lacked] = KEY_ERROR.exec(text) ?? [];
    if (lacked !== undefined && isLookedUp) keys.add(lacked);
    if (isReadIn && variable !== undefined) keys.add(variable);
  }
  for (const script of scripts) addOfScript(inScripts, script);
  for (const { key } of situation.graphs.of(member)?.reads ?? [])
    if (key.kind === 'exact') inScripts.add(key.text);
  return {
    read: [...(keys.size > 0 ? keys : inScripts)],
    known: new Set([...keys, ...inScripts]),
    atStart: new Set([...keys, ...inScripts].filter((key) => isAtStart(scripts, key))),
  };
}

/** Only where none of the lines that speak of the cache file takes the sender's name away. */
function isAtStart(scripts: readonly Script[], key: string): boolean {
  const plain = key.replaceAll('.', '\\.');
  const looks = new RegExp(
    `\\^${plain}=|\\$1\\s*==\\s*["']${plain}["']|(?:^|\\bin|;;)\\s*\\(?["']?${plain}["']?(?:=\\*)?\\)|={1,2}\\s*["']?${plain}["']?\\s*\\]`,
  );
  const lines = scripts.flatMap(({ text }) =>
    text.split('\n').filter((line) => !/^\s*#/.test(line)),
  );
  return lines.some((line) => looks.test(line)) && !lines.some((line) => NAME_TAKEN.test(line));
}
/** `sed 's/^[^:]*://'`, `cut -d: -f2`, `IFS=:=`, `${line#*:}`, `*:ip=*)`. */
const NAME_TAKEN = /\[\^:\]|-d\s*["']?:|-F\s*["']?\[?=?:|IFS=["']?=?:|#\*:|\*:|\.\*:/;

/** The line on which a member looks for a key. */
export function readingPlace(situation: Situation, member: Member, key: string): Place | undefined {
  const read = situation.graphs
    .of(member)
    ?.reads.find((one) => one.key.kind === 'exact' && one.key.text === key);
  const plain = new RegExp(
    `(?<![\\w.-])${key.replaceAll('.', '\\.')}(?:=|["']?(?:=\\*)?\\)|["']?\\s*\\]|["'])`,
  );
  for (const source of situation.places.suitesOf(member.device))
    for (const script of situation.places.reachable(source)) {
      const lines = script.text.split('\n');
      const isIn = script.path === read?.file;
      const line = isIn
        ? read?.line
        : lines.findIndex((text) => plain.test(text) && !/lava-send/.test(text)) + 1;
      if (line !== undefined && line > 0 && (isIn || cacheLines(script.text).length > 0))
        return situation.places.place(source, script, line);
    }
  return undefined;
}

function addOfScript(keys: Set<string>, { path, text }: Script): void {
  const lines = cacheLines(text);
  if (lines.length > 0 && isForeign({ path, text }))
    for (const key of lookedUp(text)) keys.add(key);
  for (const line of lines) addKeys(keys, line);
  if (lines.length > 0 && isForeign({ path, text }))
    for (const line of text.split('\n')) if (MATCHES.test(line)) addKeys(keys, line);
  const from = readIn(text);
  if (from !== undefined) for (const name of variablesOf(text, from)) keys.add(name);
  if (lines.some((line) => /\bdone\s*</.test(line)) || /\bread\b.*\n[\s\S]*\bcase\b/.test(text))
    for (const label of lines.length === 0 ? [] : [...caseLabels(text), ...comparedIn(text)])
      keys.add(label);
}

/** `re.search(r"^addr=(.*)"`, `=~ /^addr=/`, `startswith("addr=")`, `regexp {^addr=}`. */
const MATCHES = /\bre\.\w+\(|=~|\bstartswith\(|\bstartsWith\(|\.match\(|\bregexp\b|\bscan\b/;

/** `$h{mac}`, `h["mac"]`, `h.get("mac")`, where `h` is made of what stands on the two sides of a `=`. */
function lookedUp(text: string): string[] {
  const names = [...text.matchAll(DICTIONARY)].flatMap(
    ([, one, two, three]) => one ?? two ?? three ?? [],
  );
  return [...new Set(names)].flatMap((name) =>
    [
      ...text.matchAll(
        new RegExp(
          `[$@%]?\\b${name}(?:->)?\\s*(?:\\{\\s*["']?|\\[\\s*["']|\\.get\\(\\s*["'])([A-Za-z_][\\w.-]*)["']?\\s*[}\\])]`,
          'g',
        ),
      ),
    ].map(([, key = '']) => key),
  );
}
/** `my %h = map { split /=/ ...`, `h = dict(l.split("=", 1) ...`, `h[k] = v`, `$h{$k} = $v`. */
const DICTIONARY =
  /(?:%|\b)(\w+)\s*=[^=\n]*\bsplit\b[^\n]*=|(?:^|\s)(\w+)\[\w+\]\s*=\s*\w+|\$(\w+)\{\s*\$\w+\s*\}\s*=\s*\$/gm;

/** `[ "$k" = port ]`, where a loop reads each line into `k`. */
function comparedIn(text: string): string[] {
  return [...text.matchAll(/\bread\s+(?:-\w+\s+)*(\w+)([\s\S]*?)\bdone\b/g)].flatMap(
    ([, name = '', loop = '']) =>
      [
        ...loop.matchAll(
          new RegExp(`\\$\\{?${name}\\}?["']?\\s*={1,2}\\s*["']?([A-Za-z_][\\w.-]*)`, 'g'),
        ),
      ].map(([, key = '']) => key),
  );
}

function addKeys(keys: Set<string>, words: string): void {
  // What is set on the line is a variable, and no key.
  const line = words.replace(/^\s*(?:(?:export|local|readonly)\s+)?\w+=/, '');
  for (const pattern of [KEY, AWK_KEY, GREP_WORD])
    for (const [, one, two, three] of line.matchAll(pattern)) {
      const key = one ?? two ?? three;
      if (key !== undefined) keys.add(key);
    }
}

/** Lines with the name of the cache file, or of a variable that holds it. */
function cacheLines(text: string): string[] {
  const names = cacheNames(text);
  return text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .filter((line) => CACHE.test(line) || names.some((name) => name.test(line)));
}

const cacheNames = (text: string): RegExp[] =>
  [
    ...text.matchAll(
      /^\s*(?:export\s+|local\s+)?(\w+)=["']?\S*(?:lava_multi_node_cache|LAVA_MULTI_NODE_CACHE)/gm,
    ),
  ].map(([, name = '']) => new RegExp(`\\$\\{?${name}\\b`));

/** Behind the line that reads the cache file in as shell (`. /tmp/lava_multi_node_cache.txt`). */
function readIn(text: string): number | undefined {
  const names = cacheNames(text);
  for (const found of text.matchAll(/(?:^|[\s;&|(])(?:\.|source)\s+(\S+)/gm)) {
    const [, word = ''] = found;
    if (CACHE.test(word) || names.some((name) => name.test(word)))
      return found.index + found[0].length;
  }
  return undefined;
}

/** Variables that are used from there on, and that the script itself does not set. */
function variablesOf(text: string, from: number): string[] {
  const set = new Set(
    [
      ...text.matchAll(
        /(?:^|[;&|(]|\bthen\b|\bdo\b)\s*(?:for\s+|read\s+(?:-\w+\s+)*|local\s+|export\s+)?([A-Za-z_]\w*)(?==|\s+in\b)/gm,
      ),
    ].map(([, name]) => name),
  );
  const used = [...text.slice(from).matchAll(/\$\{?([A-Za-z_]\w*)/g)].map(([, name = '']) => name);
  return [...new Set(used)].filter((name) => !set.has(name) && !KNOWN.test(name));
}
const KNOWN =
  /^(?:LAVA_|MUSTER_|BASH|HOME$|PATH$|PWD$|USER$|SHELL$|TMPDIR$|LANG|IFS$|RANDOM$|SECONDS$|HOSTNAME$)/;

/** `ip)` and `*:ip=*)` of the `case`s between a `read` and its `done`. */
function caseLabels(text: string): string[] {
  return [...text.matchAll(/\bread\b[\s\S]*?\bdone\b/g)].flatMap(([loop]) =>
    [...loop.matchAll(/(?:^|\bin|;;)\s*\(?["']?(?:\*:)?([A-Za-z_][\w.-]*)["']?(?:=\*)?\)/gm)].map(
      ([, label = '']) => label,
    ),
  );
}
