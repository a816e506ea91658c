/**
 * A test definition as its author writes it (SEMANTICS 3), read into what a board and its worker need. Pure, and as
 * lenient as upstream: what is not used is named in `notes`, and no field has to be there.
 */

import { type CaseResult, isCaseResult } from './cases.ts';
import { DefinitionFields, isNothing } from './definition-fields.ts';
import type { ParseRule } from './parse-rules.ts';
import { UnreadablePattern } from './python-characters.ts';
import { translatePattern } from './python-pattern.ts';
import {
  type Entry,
  entryOf,
  lineIn,
  type ObjectTree,
  type Path,
  type Problem,
  settle,
  type Tree,
} from './tree.ts';
import { readUpstreamYaml } from './yaml-text.ts';

export const DEFINITION_BYTES_MAX = 1_048_576;
const PATTERNS_MAX = 100;

export interface GitRepository {
  /** Each of the three may be the name of a parameter. */
  url: string;
  branch?: string;
  /** Folder in the checkout; absent: the repository's own name. */
  destination?: string;
}

export interface TestDefinition {
  /** `metadata.name`, where the author gave one. */
  name?: string;
  keys: string[];
  sources: string[];
  /** Packages that every board needs. */
  deps: string[];
  /** `deps-<distribution>`: packages that boards of that distribution need, too. */
  distributionDeps: [string, string[]][];
  repositories: GitRepository[];
  installSteps: string[];
  /** Of each of `installSteps`, and of each of `steps`: the line of the file in which its text begins, from 1. */
  installStepLines: number[];
  stepLines: number[];
  /** The definition's own defaults, in its order. */
  parameters: [string, string][];
  steps: string[];
  /** What its own words for results stand for. */
  fixups: [string, CaseResult][];
  rules: ParseRule[];
  /** Cases that must come. */
  expected: string[];
}

export interface DefinitionReading {
  /** Absent where there are problems. */
  definition?: TestDefinition;
  problems: Problem[];
  /** What is not used, and what may surprise: not wrong. */
  notes: Problem[];
  /** The text in which `steps` and `installSteps` are offsets: where the value of each step begins. */
  places?: StepPlaces;
}

export interface StepPlaces {
  text: string;
  steps: number[];
  installSteps: number[];
}

export class MalformedDefinition extends Error {
  override readonly name = 'MalformedDefinition';
  readonly code = 'definition-malformed';
  readonly line: number;
  readonly column: number;
  constructor(where: { file: string; line: number; column: number }, message: string) {
    super(`${where.file}, line ${where.line}, column ${where.column}: ${message}`);
    this.line = where.line;
    this.column = where.column;
  }
}

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** A word for `lava-install-packages`; the board's shell expands what it finds there, as upstream's does. */
const PACKAGES = /^[A-Za-z0-9$`][^\n;&|<>]*$/;

/** Whether a shell can export a variable of this name. */
export const isVariable = (name: string): boolean => VARIABLE.test(name);

/**
 * @param file what to call the text in errors
 * @throws MalformedDefinition, and nothing else, whatever the text
 */
export function parseTestDefinition(
  text: string,
  file: string,
): { definition: TestDefinition; notes: Problem[] } {
  const { definition, problems, notes } = readTestDefinition(text);
  const [first] = problems;
  if (definition !== undefined) return { definition, notes };
  const { line, column, message } = first ?? { line: 1, column: 1, message: 'it is empty' };
  throw new MalformedDefinition({ file, line, column }, message.replace(/\s+/g, ' ').trim());
}

/** Never throws, whatever the text: the definition, or every problem with its place. */
export function readTestDefinition(given: string): DefinitionReading {
  const { text, tree, findings, notes } = readUpstreamYaml(given);
  const reader = new Reader(text, findings, notes);
  const read = tree === undefined ? undefined : reader.read(tree);
  return {
    ...(findings.length > 0 || read === undefined ? {} : read),
    problems: settle(text, findings),
    notes: settle(text, notes),
  };
}

const KNOWN = ['metadata', 'install', 'run', 'parse', 'params', 'parameters', 'expected'];
const INSTALL = ['keys', 'sources', 'deps', 'git-repos', 'steps'];
const DISTRIBUTION = /^deps-(.+)$/;
class Reader extends DefinitionFields {
  read(tree: Tree): { definition: TestDefinition; places: StepPlaces } {
    const top = this.fields(tree, 'a definition', []);
    this.unused(top, [], KNOWN);
    const metadata = this.part(top, 'metadata');
    const install = this.part(top, 'install');
    this.unused(install, ['install'], INSTALL, DISTRIBUTION);
    const run = this.part(top, 'run');
    this.unused(run, ['run'], ['steps']);
    const name = this.#name(metadata);
    const installSteps = this.placed(install, 'steps', ['install']);
    const steps = this.placed(run, 'steps', ['run']);
    const lineOf = lineIn(this.source);
    const definition: TestDefinition = {
      ...(name === undefined ? {} : { name }),
      keys: this.texts(install, 'keys', ['install']),
      sources: this.texts(install, 'sources', ['install']),
      deps: this.#packages(install, 'deps'),
      distributionDeps: [...install.entries.keys()].flatMap((key): [string, string[]][] => {
        const distribution = DISTRIBUTION.exec(key)?.[1];
        return distribution === undefined ? [] : [[distribution, this.#packages(install, key)]];
      }),
      repositories: this.#repositories(install),
      installSteps: installSteps.map(({ text }) => text),
      installStepLines: installSteps.map(({ start }) => lineOf(start)),
      stepLines: steps.map(({ start }) => lineOf(start)),
      parameters: [...this.#parameters(top, 'params'), ...this.#parameters(top, 'parameters')],
      steps: steps.map(({ text }) => text),
      ...this.#rules(top),
      expected: this.texts(top, 'expected', []),
    };
    const starts = (of: typeof steps) => of.map(({ start }) => start);
    const places = { text: this.source, steps: starts(steps), installSteps: starts(installSteps) };
    return { definition, places };
  }

  #name(metadata: ObjectTree): string | undefined {
    const entry = entryOf(metadata, 'name');
    if (entry === undefined || isNothing(entry.value)) return undefined;
    const name = this.text(entry.value, '"name"', ['metadata', 'name'])?.trim();
    if (name !== undefined && (name === '' || name.includes('\n')))
      this.find(entry.value.start, ['metadata', 'name'], '"name" must be one line of text');
    return name;
  }

  #packages(install: ObjectTree, key: string): string[] {
    return this.entries(install, key, ['install']).flatMap(({ item, at }) => {
      if (isNothing(item)) return [];
      const words = this.text(item, `an entry of "${key}"`, at)?.trim();
      if (words === undefined || words === '') return [];
      if (PACKAGES.test(words)) return [words.replace(/\s+/g, ' ')];
      this.find(item.start, at, `${JSON.stringify(words)} is no name of a package`);
      return [];
    });
  }

  #repositories(install: ObjectTree): GitRepository[] {
    return this.entries(install, 'git-repos', ['install']).flatMap(({ item, at }) => {
      if (isNothing(item)) return [];
      if (item.kind === 'scalar') return { url: this.text(item, 'a repository', at) ?? '' };
      const fields = this.fields(item, 'an entry of "git-repos"', at);
      this.unused(fields, at, ['url', 'branch', 'destination', 'skip_by_default']);
      const text = (key: string) => {
        const value = entryOf(fields, key)?.value;
        return value === undefined || isNothing(value)
          ? undefined
          : this.text(value, `"${key}"`, [...at, key]);
      };
      const [url, branch, destination] = [text('url'), text('branch'), text('destination')];
      if (url === undefined)
        this.find(item.start, at, '"url" is missing in an entry of "git-repos"');
      return {
        url: url ?? '',
        ...(branch === undefined ? {} : { branch }),
        ...(destination === undefined ? {} : { destination }),
      };
    });
  }

  #parameters(top: ObjectTree, key: string): [string, string][] {
    const part = this.part(top, key);
    return [...part.entries].flatMap(([name, { keyOffset, value }]): [string, string][] => {
      if (!isVariable(name))
        this.note(keyOffset, [key, name], 'cannot be a variable of a shell: it is not exported');
      if (isNothing(value)) return [[name, '']];
      const text = this.text(value, `parameter "${name}"`, [key, name]);
      return text === undefined ? [] : [[name, text]];
    });
  }

  // parse

  /** `parse`, or several of them in a list, each with a pattern or several. */
  #rules(top: ObjectTree): Pick<TestDefinition, 'fixups' | 'rules'> {
    const value = entryOf(top, 'parse')?.value;
    if (value === undefined || isNothing(value)) return { fixups: [], rules: [] };
    const fixups: [string, CaseResult][] = [];
    const parts = value.kind === 'list' ? value.items : [value];
    const rules = parts.flatMap((part, index) => {
      const path = value.kind === 'list' ? ['parse', index] : ['parse'];
      const fields = this.fields(part, '"parse"', path);
      const own = this.#fixups(fields, path);
      fixups.push(...own);
      return this.#rulesOf(fields, own, path);
    });
    if (rules.length > PATTERNS_MAX)
      this.find(value.start, ['parse'], `more than ${PATTERNS_MAX} patterns`);
    return { fixups, rules };
  }

  #rulesOf(parse: ObjectTree, fixups: [string, CaseResult][], path: Path): ParseRule[] {
    this.unused(parse, path, ['pattern', 'fixupdict']);
    const entry = entryOf(parse, 'pattern');
    if (entry === undefined || isNothing(entry.value)) return [];
    return this.#patterns(entry, [...path, 'pattern']).flatMap(({ tree, at }) => {
      const pattern = this.text(tree, '"pattern"', at);
      const rule = pattern === undefined ? undefined : this.#rule(pattern, tree, at);
      return rule === undefined ? [] : [{ ...rule, fixups }];
    });
  }

  #patterns({ value }: Entry, path: Path): { tree: Tree; at: Path }[] {
    if (value.kind === 'list')
      return value.items.map((tree, index) => ({ tree, at: [...path, index] }));
    if (value.kind === 'object')
      return [...value.entries].map(([key, entry]) => ({ tree: entry.value, at: [...path, key] }));
    return [{ tree: value, at: path }];
  }

  #rule(pattern: string, tree: Tree, path: Path): Omit<ParseRule, 'fixups'> | undefined {
    if (pattern === '') {
      this.note(tree.start, path, 'is empty: no case comes of it');
      return undefined;
    }
    try {
      const { source, flags, groups } = translatePattern(pattern);
      if (!Object.hasOwn(groups, 'test_case_id')) {
        this.note(tree.start, path, 'names no group test_case_id: no case comes of it');
        return undefined;
      }
      return { pattern, source, flags, groups };
    } catch (error) {
      if (!(error instanceof UnreadablePattern)) throw error;
      const where = `character ${error.at + 1} of ${JSON.stringify(pattern)}`;
      this.find(tree.start, path, `the pattern cannot be read: ${error.message} (${where})`);
      return undefined;
    }
  }

  #fixups(parse: ObjectTree, path: Path): [string, CaseResult][] {
    const value = entryOf(parse, 'fixupdict')?.value;
    if (value === undefined || isNothing(value)) return [];
    const at = [...path, 'fixupdict'];
    const fields = this.fields(value, '"fixupdict"', at);
    return [...fields.entries].flatMap(([word, entry]): [string, CaseResult][] => {
      const to = this.text(entry.value, `"${word}"`, [...at, word])
        ?.trim()
        .toLowerCase();
      if (to !== undefined && isCaseResult(to)) return [[word, to]];
      if (to !== undefined)
        this.find(
          entry.value.start,
          [...at, word],
          `${JSON.stringify(to)} is not pass, fail, skip or unknown`,
        );
      return [];
    });
  }
}

/** `<number>_<name>`: what a suite is called in results and in paths on the board. */
export function suiteName(number: number, name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_.-]+/g, '-').slice(0, SUITE_NAME_CHARS_MAX);
  return `${number}_${plain === '' ? 'tests' : plain}`;
}

const SUITE_NAME_CHARS_MAX = 200;
