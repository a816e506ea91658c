/**
 * Makes the folder of one action ready for a board: its suites with their checkouts and scripts.
 * Everything is fetched on the worker. The shapes are those of the wire document: `suites`, and for each suite a folder with
 * `definition`, `tests/`, `install.sh`, and `run.sh` or `commands`.
 */
import { lstat, mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { MemberCommand } from '../machines/commands.ts';
import type { Action, Skippable, TestSource } from '../machines/definition.ts';
import { withoutSecrets } from '../submission/addresses.ts';
import type { CaseResult } from '../submission/cases.ts';
import { NOT_USED } from '../submission/definition-fields.ts';
import type { ParseRule } from '../submission/parse-rules.ts';
import {
  DEFINITION_BYTES_MAX,
  type GitRepository,
  MalformedDefinition,
  parseTestDefinition,
  suiteName,
  type TestDefinition,
} from '../submission/test-definition.ts';
import type { Problem } from '../submission/tree.ts';
import { messageOf, StepAborted, StepFailure, throwIfAborted } from './failure.ts';
import { openUrl } from './fetch.ts';
import { realPathInside } from './files.ts';
import { checkOut } from './git.ts';
import { type Gathered, gatherSources, type Script, type SourceLimits } from './sources.ts';
import { installScript, mergedParameters, runScript, skips, stepPlaces } from './suite-scripts.ts';

/** What the one suite of a `lava_command_run` is called, after its number. */
const COMMAND_SUITE = 'lava-command-run';

export interface SuiteOptions {
  /** How many suites this member ran before. */
  suitesBefore: number;
  allowFiles: readonly string[];
  limits: SourceLimits;
  gitConfigFile: string;
  /** In the environment of git, so that leftovers of a crash are found. */
  mark: Record<string, string>;
  signal: AbortSignal;
  /** A line for the member's console. */
  note(line: string): Promise<void>;
}

type Prepare = Extract<MemberCommand, { type: 'PrepareSuite' }>;

/** What was laid out as one suite: what the server is told of it, and how its console is read. */
export interface PreparedSuite extends Pick<Prepare, 'suite' | 'source' | 'parameters'> {
  definition: string;
  expected: string[];
  /** What its own words for results stand for, in its patterns and in its signals. */
  fixups: [string, CaseResult][];
  rules: ParseRule[];
  /** What ran, for whoever asks later. */
  gathered: Gathered;
}

type ShellAction = Extract<Action, { command: 'lava_test_shell' | 'lava_command_run' }>;

/**
 * Fills `folder` (which exists and is empty) for the action.
 *
 * @throws StepFailure `definition-unreachable`, `definition-refused` or `definition-malformed`; StepAborted
 */
export async function layOutSuites(
  action: ShellAction,
  folder: string,
  options: SuiteOptions,
): Promise<PreparedSuite[]> {
  const suites =
    action.command === 'lava_command_run'
      ? [await layOutCommands(action.parameters.commands, folder, options)]
      : await layOutDefinitions(action.parameters.definitions, folder, options);
  await writeFile(join(folder, 'suites'), suites.map(({ suite }) => `${suite}\n`).join(''));
  return suites;
}

async function layOutCommands(
  commands: readonly string[],
  folder: string,
  { suitesBefore, limits }: SuiteOptions,
): Promise<PreparedSuite> {
  const broken = commands.find((command) => /[\n\0]/.test(command));
  if (broken !== undefined)
    throw new StepFailure(
      'definition-refused',
      `a command of lava_command_run must be one line: ${JSON.stringify(broken.slice(0, 80))}`,
    );
  // Numbered: the same command in two actions is two cases, and a pass must not hide a failure.
  const suite = suiteName(suitesBefore, COMMAND_SUITE);
  await mkdir(join(folder, suite, 'tests'), { recursive: true });
  const lines = commands.map((command) => `${command}\n`).join('');
  await writeFile(join(folder, suite, 'commands'), lines);
  await writeFile(join(folder, suite, 'definition'), `${COMMAND_SUITE}\n`);
  // They are the document's own: nothing else ran.
  const gathered = await gatherSources(join(folder, suite, 'tests'), undefined, [], limits);
  const nothing = { parameters: [], expected: [], fixups: [], rules: [], gathered };
  return { suite, definition: COMMAND_SUITE, source: { from: 'commands' }, ...nothing };
}

async function layOutDefinitions(
  sources: readonly TestSource[],
  folder: string,
  options: SuiteOptions,
): Promise<PreparedSuite[]> {
  const suites: PreparedSuite[] = [];
  for (const [index, source] of sources.entries()) {
    throwIfAborted(options.signal);
    suites.push(await layOutDefinition(source, index, folder, options));
  }
  return suites;
}

async function layOutDefinition(
  source: TestSource,
  index: number,
  folder: string,
  options: SuiteOptions,
): Promise<PreparedSuite> {
  const wrong = source.parameters.find(([, value]) => value.includes('\0'));
  if (wrong !== undefined)
    throw new StepFailure(
      'definition-refused',
      `parameter ${JSON.stringify(wrong[0])} cannot be a variable of a shell`,
    );
  // Under its number first: what it is called stands inside it.
  const place = join(folder, String(index));
  const tests = join(place, 'tests');
  await mkdir(place);
  const { text, file, from } = await (source.from === 'git'
    ? readFromGit(source, tests, options)
    : readFromUrl(source.url, tests, options));
  const { definition, notes } = parsed(text, file);
  for (const line of noteLines(file, notes)) await options.note(line);
  const own = source.parameters;
  const skip = source.skipInstall ?? [];
  if (!skips(skip, 'git-repos')) await cloneExtras(definition, own, tests, options);
  const name = definition.name ?? basename(file).replace(/\.(ya?ml|json)$/i, '');
  await writeFile(join(place, 'definition'), `${name}\n`);
  const scripts = scriptsOf(definition, own, skip);
  for (const { name, text } of scripts) await writeFile(join(place, name), text);
  const gathered = await gatherSources(tests, file, scripts, options.limits);
  const suite = suiteName(options.suitesBefore + index, name);
  await rename(place, join(folder, suite));
  const { expected, fixups, rules } = definition;
  const parameters = mergedParameters(definition.parameters, own).map(
    ([key, value]): [string, string] => [key, withoutSecrets(value)],
  );
  return { suite, definition: name, source: from, parameters, expected, fixups, rules, gathered };
}

function scriptsOf(
  definition: TestDefinition,
  own: TestSource['parameters'],
  skip: readonly Skippable[],
): Script[] {
  const run = runScript(definition, own);
  const steps = stepPlaces(run, definition.steps, definition.stepLines);
  const scripts: Script[] = [{ name: 'run.sh', text: run, steps }];
  const install = installScript(definition, own, skip);
  if (install === undefined) return scripts;
  const { installSteps, installStepLines } = definition;
  const places = skips(skip, 'steps') ? [] : stepPlaces(install, installSteps, installStepLines);
  return [...scripts, { name: 'install.sh', text: install, steps: places }];
}

/** Lines of the console: what is not used is named in one, what may surprise in one each. */
export function noteLines(file: string, notes: readonly Problem[]): string[] {
  const unused = notes.filter(({ message }) => message === NOT_USED);
  const named = unused.slice(0, NAMED_MAX).map(({ path, line }) => `${path} (line ${line})`);
  const more = unused.length > NAMED_MAX ? ` and ${unused.length - NAMED_MAX} more` : '';
  return [
    ...(named.length === 0 ? [] : [`${file}: not used: ${named.join(', ')}${more}`]),
    ...notes
      .filter(({ message }) => message !== NOT_USED)
      .slice(0, NAMED_MAX)
      .map(({ path, line, message }) => `${file}, line ${line}: ${path}: ${message}`),
  ];
}
const NAMED_MAX = 20;

function parsed(text: string, file: string): ReturnType<typeof parseTestDefinition> {
  try {
    return parseTestDefinition(text, file);
  } catch (error) {
    if (error instanceof MalformedDefinition)
      throw new StepFailure('definition-malformed', `test definition ${error.message}`);
    throw error;
  }
}

interface Fetched {
  text: string;
  file: string;
  from: Prepare['source'];
}

async function readFromGit(
  source: Extract<TestSource, { from: 'git' }>,
  tests: string,
  options: SuiteOptions,
): Promise<Fetched> {
  const shown = withoutSecrets(source.repository);
  const at = source.revision === undefined ? '' : ` at ${source.revision}`;
  await options.note(`fetching ${source.path} from ${shown}${at}`);
  const commit = await checkOut(source.repository, source.revision, tests, gitOptions(options));
  const refuse = (why: string) =>
    new StepFailure('definition-refused', `testdef ${source.path} of ${shown}: ${why}`);
  let path: string | undefined;
  try {
    path = await realPathInside(tests, source.path);
  } catch {
    throw new StepFailure(
      'definition-unreachable',
      `testdef ${source.path} of ${shown}${at}: there is no such file`,
    );
  }
  if (path === undefined) throw refuse('it lies outside the repository');
  const about = await stat(path);
  if (!about.isFile()) throw refuse('it is not a file');
  if (about.size > DEFINITION_BYTES_MAX)
    throw refuse(`it has ${about.size} bytes, more than ${DEFINITION_BYTES_MAX}`);
  const { revision } = source;
  return {
    text: await readFile(path, 'utf8'),
    file: source.path,
    from: {
      from: 'git',
      repository: shown,
      ...(revision === undefined ? {} : { revision }),
      commit,
      path: source.path,
    },
  };
}

const gitOptions = ({ gitConfigFile, allowFiles, mark, signal }: SuiteOptions) => ({
  configFile: gitConfigFile,
  allowFiles,
  mark,
  signal,
});

async function readFromUrl(url: string, tests: string, options: SuiteOptions): Promise<Fetched> {
  const shown = withoutSecrets(url);
  await options.note(`fetching ${shown}`);
  const codes = { refused: 'definition-refused', unreachable: 'definition-unreachable' } as const;
  const body = await openUrl('test definition', url, codes, options.allowFiles, options.signal);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > DEFINITION_BYTES_MAX)
        throw new StepFailure(
          codes.refused,
          `test definition ${shown}: more than ${DEFINITION_BYTES_MAX} bytes`,
        );
      chunks.push(Buffer.from(chunk));
    }
  } catch (error) {
    if (options.signal.aborted) throw new StepAborted();
    if (error instanceof StepFailure) throw error;
    throw new StepFailure(codes.unreachable, `test definition ${shown}: ${messageOf(error)}`);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const name = basename(new URL(url).pathname).replace(/[^A-Za-z0-9_.-]/g, '-');
  const file = name === '' || name.startsWith('.') ? 'definition.yaml' : name;
  await mkdir(tests);
  await writeFile(join(tests, file), text);
  return { text, file, from: { from: 'url', url: shown } };
}

/** `install: git-repos:`, each into a new folder in the checkout. */
async function cloneExtras(
  definition: TestDefinition,
  own: TestSource['parameters'],
  tests: string,
  options: SuiteOptions,
): Promise<void> {
  const parameters = new Map(mergedParameters(definition.parameters, own));
  for (const repository of definition.repositories) {
    const { url, branch, destination } = named(repository, parameters);
    const shown = withoutSecrets(url);
    const name = destination ?? basename(url.replace(/\/+$/, '')).replace(/\.git$/, '');
    const refuse = (why: string) =>
      new StepFailure('definition-refused', `git-repos ${shown}: ${why}`);
    const place = await newPlace(tests, name);
    if (place === undefined)
      throw refuse(`${JSON.stringify(name)} is no name of a folder in the checkout`);
    if ((await lstat(place).catch(() => undefined)) !== undefined)
      throw refuse(`${name} is there already`);
    await options.note(`fetching ${shown} into ${name}`);
    await checkOut(url, branch, place, gitOptions(options));
  }
}

/**
 * The path of a new folder that `name` stands for, its parents made. `undefined`: it would not lie in the checkout, or in
 * what git keeps there.
 */
async function newPlace(tests: string, name: string): Promise<string | undefined> {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  const [last] = parts.slice(-1);
  if (last === undefined || name.startsWith('/') || !parts.every((part) => FOLDER.test(part)))
    return undefined;
  let parent = await realpath(tests);
  for (const part of parts.slice(0, -1)) {
    const made = await mkdir(join(parent, part), { recursive: true }).catch(() => undefined);
    // A link in a repository may lead elsewhere.
    if (made === undefined && !(await lstat(join(parent, part))).isDirectory()) return undefined;
    parent = join(parent, part);
  }
  return join(parent, last);
}
const FOLDER = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/** Address, branch and folder may each be the name of a parameter; one that is empty counts as not there. */
function named(repository: GitRepository, parameters: ReadonlyMap<string, string>): GitRepository {
  const value = (word: string | undefined) =>
    word === undefined ? undefined : (parameters.get(word) ?? word).trim() || undefined;
  const branch = value(repository.branch);
  const destination = value(repository.destination);
  return {
    url: value(repository.url) ?? '',
    ...(branch === undefined ? {} : { branch }),
    ...(destination === undefined ? {} : { destination }),
  };
}
