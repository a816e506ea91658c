/**
 * A test definition as its author writes it (SEMANTICS 3), read into what a board needs. Pure, and lenient where
 * the seed's examples are: `run: steps:` alone is a definition. Malformed: one error with line and column.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { shellQuoted } from './programs.ts';

export const DEFINITION_BYTES_MAX = 1_048_576;
const DEFINITION_STEPS_MAX = 10_000;

interface GitRepository {
  url: string;
  branch?: string;
  /** Folder in the checkout; absent: the repository's own name. */
  destination?: string;
}

export interface TestDefinition {
  /** `metadata.name`, where the author gave one. */
  name?: string;
  /** Debian packages that the board needs. */
  deps: string[];
  repositories: GitRepository[];
  installSteps: string[];
  /** The definition's own defaults, in its order. */
  parameters: [string, string][];
  steps: string[];
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
const PACKAGE = /^[A-Za-z0-9][A-Za-z0-9+.:=~_-]*$/;

/** Whether a shell can export a variable of this name. */
export const isVariable = (name: string): boolean => VARIABLE.test(name);

/**
 * @param file what to call the text in errors
 * @throws MalformedDefinition, and nothing else, whatever the text
 */
export function parseTestDefinition(text: string, file: string): TestDefinition {
  return new Reader(text, file).read();
}

type Key = string;
type Fields = Map<Key, { key: Node; value: Node | null }>;

class Reader {
  readonly #lines = new LineCounter();
  readonly #file: string;
  readonly #text: string;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  read(): TestDefinition {
    const root = this.#root();
    const top = this.#fields(root, 'a definition');
    const run = top.get('run');
    if (run === undefined) throw this.#error(root, '"run" with its "steps" is missing');
    const body = this.#fields(run.value ?? run.key, '"run"');
    const steps = body.get('steps');
    if (steps === undefined) throw this.#error(run.value ?? run.key, '"steps" is missing in "run"');
    const metadata = this.#optionalFields(top, 'metadata');
    const install = this.#optionalFields(top, 'install');
    const name = this.#name(metadata);
    return {
      ...(name === undefined ? {} : { name }),
      deps: this.#deps(install),
      repositories: this.#repositories(install),
      installSteps: this.#strings(install.get('steps'), 'steps'),
      parameters: [...this.#parameters(top, 'params'), ...this.#parameters(top, 'parameters')],
      steps: this.#strings(steps, 'steps'),
    };
  }

  #root(): ParsedNode {
    let document: ReturnType<typeof parseDocument>;
    try {
      document = parseDocument(this.#text, { lineCounter: this.#lines, prettyErrors: false });
    } catch (error) {
      throw this.#errorAt(0, error instanceof Error ? error.message : 'not YAML');
    }
    const nul = this.#text.indexOf('\0');
    if (nul !== -1) throw this.#errorAt(nul, 'it holds a NUL');
    const problem = document.errors[0];
    if (problem !== undefined) throw this.#errorAt(problem.pos[0], problem.message);
    const root = document.contents as ParsedNode | null;
    if (root === null) throw this.#errorAt(0, 'it is empty');
    this.#resolve = (node) => (isAlias(node) ? (node.resolve(document) as Node | undefined) : node);
    return root;
  }

  #resolve: (node: Node) => Node | undefined = (node) => node;

  #real(node: Node): Node {
    if (!isAlias(node)) return node;
    const target = this.#resolve(node);
    if (target === undefined) throw this.#error(node, 'an alias of nothing');
    return target;
  }

  #fields(node: Node, what: string): Fields {
    const real = this.#real(node);
    if (!isMap(real)) throw this.#error(node, `${what} must be a mapping, not ${kindOf(real)}`);
    const fields: Fields = new Map();
    for (const { key, value } of (real as YAMLMap<Node, Node | null>).items) {
      if (!isScalar(key)) throw this.#error(key, 'a key must be a word');
      fields.set(String(key.value), { key, value });
    }
    return fields;
  }

  /** Absent or empty: no fields. */
  #optionalFields(top: Fields, key: string): Fields {
    const value = top.get(key)?.value;
    if (value === undefined || value === null || isNothing(value)) return new Map();
    return this.#fields(value, `"${key}"`);
  }

  #name(metadata: Fields): string | undefined {
    const field = metadata.get('name');
    if (field === undefined || isNothing(field.value)) return undefined;
    const name = this.#textOf(field.value, '"name"').trim();
    if (name === '' || name.includes('\n'))
      throw this.#error(field.value ?? field.key, '"name" must be one line of text');
    return name;
  }

  #strings(field: { key: Node; value: Node | null } | undefined, what: string): string[] {
    if (field === undefined || isNothing(field.value)) return [];
    const list = this.#real(field.value ?? field.key);
    if (!isSeq<Node>(list))
      throw this.#error(field.value ?? field.key, `"${what}" must be a list, not ${kindOf(list)}`);
    if (list.items.length > DEFINITION_STEPS_MAX)
      throw this.#error(list, `"${what}" has more than ${DEFINITION_STEPS_MAX} entries`);
    return list.items.map((item) => this.#textOf(item, `an entry of "${what}"`));
  }

  /** A scalar as it was written: a step `true` is the program, not a boolean. */
  #textOf(node: Node | null, what: string): string {
    const real = node === null ? null : this.#real(node);
    if (real === null || !isScalar(real) || isNothing(real)) {
      const hint = real !== null && isMap(real) ? ' (quote a text with ": " in it)' : '';
      throw this.#error(node, `${what} must be a text, not ${kindOf(real)}${hint}`);
    }
    if (typeof real.value === 'string') return real.value;
    return (real as Scalar).source ?? '';
  }

  #deps(install: Fields): string[] {
    const field = install.get('deps');
    const deps = this.#strings(field, 'deps');
    const wrong = deps.find((dep) => !PACKAGE.test(dep));
    if (wrong !== undefined)
      throw this.#error(field?.value ?? null, `${JSON.stringify(wrong)} is no name of a package`);
    return deps;
  }

  #repositories(install: Fields): GitRepository[] {
    const field = install.get('git-repos');
    if (field === undefined || isNothing(field.value)) return [];
    const list = this.#real(field.value ?? field.key);
    if (!isSeq<Node>(list))
      throw this.#error(list, `"git-repos" must be a list, not ${kindOf(list)}`);
    return list.items.map((item) => {
      if (isScalar(this.#real(item))) return { url: this.#textOf(item, 'a repository') };
      const fields = this.#fields(item, 'an entry of "git-repos"');
      const text = (key: string) => {
        const value = fields.get(key)?.value;
        return value === undefined || isNothing(value)
          ? undefined
          : this.#textOf(value, `"${key}"`);
      };
      const url = text('url');
      if (url === undefined) throw this.#error(item, '"url" is missing in an entry of "git-repos"');
      const branch = text('branch');
      const destination = text('destination');
      return {
        url,
        ...(branch === undefined ? {} : { branch }),
        ...(destination === undefined ? {} : { destination }),
      };
    });
  }

  #parameters(top: Fields, key: string): [string, string][] {
    const field = top.get(key);
    if (field === undefined || isNothing(field.value)) return [];
    return [...this.#fields(field.value ?? field.key, `"${key}"`)].map(([name, entry]) => {
      if (!isVariable(name))
        throw this.#error(entry.key, `${JSON.stringify(name)} cannot be a variable of a shell`);
      if (isNothing(entry.value)) return [name, ''];
      return [name, this.#textOf(entry.value, `parameter "${name}"`)];
    });
  }

  #error(node: Node | null, message: string): MalformedDefinition {
    return this.#errorAt(node?.range?.[0] ?? 0, message);
  }

  #errorAt(offset: number, message: string): MalformedDefinition {
    const { line, col } = this.#lines.linePos(offset);
    const where = { file: this.#file, line: Math.max(line, 1), column: Math.max(col, 1) };
    return new MalformedDefinition(where, message.replace(/\s+/g, ' ').trim());
  }
}

function isNothing(node: Node | null): boolean {
  return node === null || (isScalar(node) && node.value === null);
}

function kindOf(node: Node | null): string {
  if (node === null || isNothing(node)) return 'nothing';
  if (isMap(node)) return 'a mapping';
  if (isSeq(node)) return 'a list';
  return 'a single value';
}

/** The lines with which a script exports the parameters: the definition's defaults, then the job's own. */
export function exportLines(...lists: (readonly (readonly [string, string])[])[]): string {
  const merged = new Map(lists.flat());
  return [...merged].map(([name, value]) => `export ${name}=${shellQuoted(value)}\n`).join('');
}

/** `run.sh`: parameters, then the steps, one after the other in one shell. */
export function runScript(definition: TestDefinition, own: readonly [string, string][]): string {
  return exportLines(definition.parameters, own) + lines(definition.steps);
}

/** `install.sh`, or `undefined` when there is nothing to install. Packages that are there already need no network. */
export function installScript(
  definition: TestDefinition,
  own: readonly [string, string][],
): string | undefined {
  if (definition.deps.length === 0 && definition.installSteps.length === 0) return undefined;
  const deps = definition.deps.map(
    (dep) =>
      `dpkg -s ${shellQuoted(dep)} >/dev/null 2>&1 || ` +
      `DEBIAN_FRONTEND=noninteractive apt-get install -y -q ${shellQuoted(dep)}`,
  );
  return exportLines(definition.parameters, own) + lines(deps) + lines(definition.installSteps);
}

const lines = (steps: readonly string[]): string =>
  steps.map((step) => (step.endsWith('\n') ? step : `${step}\n`)).join('');

/** `<number>_<name>`: what a suite is called in results and in paths on the board. */
export function suiteName(number: number, name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_.-]+/g, '-').slice(0, SUITE_NAME_CHARS_MAX);
  return `${number}_${plain === '' ? 'tests' : plain}`;
}

const SUITE_NAME_CHARS_MAX = 200;
