/**
 * From what a board said of who called to the line of a file: the scripts of a suite are found among its sources, and within
 * a script the call by how far its shell had read, and by the verb and its words.
 */
import type { Caller, Callers } from '../machines/events.ts';
import type { SourceFile, SourceList } from '../wire/sources.ts';
import { branchOf, functionAround } from './branches.ts';
import { OURS, scriptOf } from './callers.ts';
import type { RanSource } from './evidence.ts';
import { foreignSitesOf, isForeign, linesThatRun } from './foreign-sites.ts';
import { lineOfProgram, matched, type Site, sitesOf } from './shell-sites.ts';
import { namedBy, sourcedBy, takenInBy } from './taken-in.ts';

/** A line of what a job ran. `file`: within its repository; empty: it is a command of the job's document. */
export interface Place {
  readonly suite: string;
  readonly file: string;
  readonly line: number;
  /** The line itself, without the blanks around it. */
  readonly text: string;
}

/** A request as it is looked for in scripts. */
export interface Wanted {
  readonly member: string;
  readonly role: string;
  /** All roles of the job. */
  readonly roles: ReadonlySet<string>;
  readonly suite: string | undefined;
  readonly verb: string;
  /** As they were sent: of a send or a wait the id first. */
  readonly words: readonly string[];
  readonly from: Callers | undefined;
  /** The words are those that were sent, and no others were. */
  readonly isWhole: boolean;
}

/** A file of a suite, as it lay on the board. */
export interface Script {
  readonly suite: string;
  /** `run.sh`, `install.sh`, or the path within the checkout. */
  readonly path: string;
  readonly isMade: boolean;
  readonly text: string;
  readonly sites: readonly Site[];
}

/** What the commands of a `lava_command_run` count as: they stand in the job's document, and in no file. */
const COMMANDS = 'commands';

export class Places {
  readonly #sources: readonly RanSource[];
  readonly #commands: ReadonlyMap<string, readonly string[]>;
  readonly #scripts = new Map<RanSource, readonly Script[]>();

  /** `commands`: of the suites that are commands of the job's document, by `DEVICE SUITE`. */
  constructor(
    sources: readonly RanSource[],
    commands: ReadonlyMap<string, readonly string[]> = new Map(),
  ) {
    this.#sources = sources;
    this.#commands = commands;
  }

  /** Whether anything was kept of what a member ran. */
  knows(member: string): boolean {
    return this.#sources.some((one) => one.member === member && one.list !== undefined);
  }

  suitesOf(member: string): RanSource[] {
    return this.#sources.filter((one) => one.member === member && one.list !== undefined);
  }

  /** The text files of a suite, the made scripts first. */
  scripts(source: RanSource): readonly Script[] {
    const known = this.#scripts.get(source);
    if (known !== undefined) return known;
    const { list, suite } = source;
    const commands = this.#commands.get(`${source.member} ${suite}`);
    if (commands !== undefined) {
      const text = commands.map((command) => `${command}\n`).join('');
      const only = [{ suite, path: COMMANDS, isMade: true, text, sites: sitesOf(text) }];
      this.#scripts.set(source, only);
      return only;
    }
    const made = (list?.scripts ?? []).map(({ name, digest }) => ({
      path: name,
      digest,
      isMade: true,
    }));
    const files = (list?.files ?? [])
      .filter((file) => file.notKept === undefined && file.path !== list?.definition)
      .map(({ path, digest }) => ({ path, digest, isMade: false }));
    const scripts = [...made, ...files].flatMap(({ path, digest, isMade }) => {
      const text = source.text(digest);
      if (text === undefined) return [];
      const sites = isForeign({ path, text }) ? foreignSitesOf(text) : sitesOf(text);
      return [{ suite, path, isMade, text, sites }];
    });
    this.#scripts.set(source, scripts);
    return scripts;
  }

  /** All lines of a file of a suite, the definition too; none where it was not kept. */
  linesOf({ list, text }: RanSource, path: string): string[] {
    const file = list?.files.find((one) => one.path === path);
    return (file === undefined ? undefined : text(file.digest))?.split('\n') ?? [];
  }

  /** Those scripts of a suite that its made ones lead to, as far as their text names them. */
  reachable(source: RanSource): readonly Script[] {
    const scripts = this.scripts(source);
    const reached = new Set(scripts.filter(({ isMade }) => isMade));
    for (const script of reached) {
      for (const file of takenInBy(script, scripts)) reached.add(file);
      for (const [word] of script.text.matchAll(WORDS_OF_TEXT))
        for (const file of namedBy(word, scripts))
          if (!/\.ya?ml$/.test(file.path)) reached.add(file);
    }
    return [...reached];
  }

  /** The line that made a request. */
  find(wanted: Wanted): Place | undefined {
    const source = this.#sourceOf(wanted);
    if (source === undefined) return undefined;
    const scripts = this.scripts(source);
    for (const [depth, caller] of (wanted.from ?? []).entries()) {
      if (OURS.test(scriptOf(caller).path ?? '')) continue;
      const script = scriptNamed(scripts, scriptOf(caller).path, wanted.suite);
      if (script === undefined) continue;
      const line = lineIn(script, scripts, wanted, caller.read, wanted.from?.[depth - 1]);
      if (line !== undefined) return this.place(source, line.script, line.line);
    }
    const best = bestSite(scripts, wanted);
    return best === undefined ? undefined : this.place(source, best.script, best.site.line);
  }

  /** A line of a script as its author knows it: one of the made scripts stands in the definition. */
  place(source: RanSource, script: Script, line: number): Place {
    const { suite } = script;
    const text = script.text.split('\n')[line - 1]?.trim() ?? '';
    if (script.path === COMMANDS && script.isMade) return { suite, file: '', line, text };
    if (!script.isMade) return { suite, file: script.path, line, text };
    return (
      inDefinition(source, script.path, line, text) ?? { suite, file: script.path, line, text }
    );
  }

  #sourceOf({ member, suite, from }: Wanted): RanSource | undefined {
    const mine = this.suitesOf(member);
    const paths = (from ?? []).map((caller) => scriptOf(caller).path ?? '');
    return (
      mine.find((one) => paths.some((path) => path.includes(`/${one.suite}/`))) ??
      mine.find((one) => one.suite === suite)
    );
  }
}

/** The file that a path on a board leads to. */
export function scriptNamed(
  scripts: readonly Script[],
  path: string | undefined,
  suite?: string,
): Script | undefined {
  if (path === undefined || path === '') return undefined;
  const made = /\/([^/]+)\/(run\.sh|install\.sh)$/.exec(path);
  const isOfSuite = made !== null && scripts.some((one) => one.suite === made[1]);
  if (isOfSuite || (suite !== undefined && made?.[1] === suite))
    return scripts.find((one) => one.isMade && one.path === made?.[2]);
  const within = /\/tests\/(.+)$/.exec(path)?.[1];
  const plain = normal(within ?? path);
  const files = scripts.filter((one) => !one.isMade);
  const ends = (one: Script) => plain === one.path || plain.endsWith(`/${one.path}`);
  const within_ = files.filter((one) => ends(one) || one.path.endsWith(`/${plain}`));
  if (within_.length > 0) return within_.find((one) => one.path === plain) ?? within_[0];
  const name = plain.split('/').at(-1);
  const named = files.filter((one) => one.path.split('/').at(-1) === name);
  return named.length === 1 ? named[0] : undefined;
}

function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/'))
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  return parts.join('/');
}

interface Found {
  script: Script;
  line: number;
}

/** The line of a call within a script, or within one that it reads in. `read`: how far its shell had read. */
function lineIn(
  script: Script,
  scripts: readonly Script[],
  wanted: Wanted,
  read: number | undefined,
  nearer: Caller | undefined,
): Found | undefined {
  const direct = bestSite([script], wanted, read);
  if (direct !== undefined) return { script, line: direct.site.line };
  const sourced = sourcedBy(script, scripts);
  const caller =
    read === undefined ? '' : (script.text.split('\n')[lineAt(script, read) - 1] ?? '');
  const there = bestSite(sourced, wanted, undefined, caller);
  if (there !== undefined) return { script: there.script, line: there.site.line };
  // A program between it and the verb is called from here by its own words.
  const inner =
    nearer === undefined
      ? undefined
      : lineOfProgram(
          script.text,
          nearer.argv,
          read === undefined ? undefined : lineAt(script, read),
        );
  if (inner !== undefined) return { script, line: inner };
  if (read !== undefined) return { script, line: lineAt(script, read) };
  const only = linesThatRun(script);
  return only.length === 1 && only[0] !== undefined ? { script, line: only[0] } : undefined;
}

/** The line on which the last command ended that a shell had read. */
export function lineAt(script: Script, read: number): number {
  const until = Buffer.from(script.text, 'utf8').subarray(0, Math.max(0, read));
  const text = until.toString('utf8').replace(/\s+$/, '');
  return text.split('\n').length;
}

/** Whatever may be the name of a file. */
const WORDS_OF_TEXT = /(?:\$\([^)]*\)|[^\s;&|"'()<>`=])+/g;

/** The site that a request came from, as well as the text can tell. */
function bestSite(
  scripts: readonly Script[],
  wanted: Wanted,
  read?: number,
  caller = '',
): { script: Script; site: Site } | undefined {
  let best: { script: Script; site: Site; score: number } | undefined;
  for (const script of scripts)
    for (const site of script.sites) {
      if (site.verb !== wanted.verb) continue;
      if (read !== undefined && site.offset >= read) continue;
      const certain = scoreOf(site, wanted);
      if (certain === undefined) continue;
      const branch = branchOf(script, site.line, wanted.role, wanted.roles);
      const within =
        caller !== '' && caller.includes(functionAround(script, site.line) ?? '\0') ? 1 : 0;
      const isOfRole = script.path.includes(wanted.role) ? 1 : 0;
      const score = certain * 4 + branch * 2 + within + isOfRole;
      // Of equals the last one before the place that was read, else the first.
      if (best === undefined || score > best.score || (read !== undefined && score === best.score))
        best = { script, site, score };
    }
  return best;
}

function scoreOf({ words }: Site, wanted: Wanted): number | undefined {
  // What stands there is sent.
  const more = words.slice(wanted.words.length);
  if (wanted.isWhole && more.some(([begins = '']) => begins.includes('='))) return undefined;
  let score = 0;
  for (const [at, word] of wanted.words.entries()) {
    const pattern = words[at];
    // `"$@"` stands for as many words as there are.
    if (pattern === undefined)
      // A verb without words has them from elsewhere: `xargs -n1 lava-wait`.
      return words.length === 0 || words.some((one) => one.length > 1) ? score : undefined;
    const certain = matched(pattern, word);
    if (certain === undefined)
      return words.length < wanted.words.length && at > 0 ? score : undefined;
    score += certain;
  }
  return score;
}

/** Of a line of a made script: the line of the definition that it was made of. */
function inDefinition(
  source: RanSource,
  name: string,
  line: number,
  text: string,
): Place | undefined {
  const { suite, list } = source;
  const definition = list?.definition;
  const steps = list?.scripts.find((one) => one.name === name)?.steps ?? [];
  const at = steps.findLastIndex(([begins]) => begins <= line);
  const [begins, first] = steps[at] ?? [];
  if (definition === undefined || begins === undefined || first === undefined) return undefined;
  const lines = definitionLines(source, list);
  const next = steps[at + 1]?.[1] ?? lines.length + 1;
  const expected = first + line - begins;
  const isIt = (n: number) => text !== '' && (lines[n - 1] ?? '').includes(text);
  // A step of several lines may begin on the line of its mark (`- |`), or after it.
  const range = Array.from({ length: Math.max(1, next - first) }, (_, i) => first + i);
  const nearest = range
    .filter(isIt)
    .sort((a, b) => Math.abs(a - expected) - Math.abs(b - expected))[0];
  const found = nearest ?? first;
  return { suite, file: definition, line: found, text: (lines[found - 1] ?? text).trim() };
}

function definitionLines(source: RanSource, list: SourceList | undefined): string[] {
  const file: SourceFile | undefined = list?.files.find(({ path }) => path === list.definition);
  const text = file === undefined ? undefined : source.text(file.digest);
  return text?.split('\n') ?? [];
}
