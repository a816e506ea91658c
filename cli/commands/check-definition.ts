/** `muster check-definition`: what test definitions would run, and every problem in them, without a server. */
import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { formatProblems } from '../../submission/format.ts';
import {
  DEFINITION_BYTES_MAX,
  type DefinitionReading,
  readTestDefinition,
} from '../../submission/test-definition.ts';
import type { Problem } from '../../submission/tree.ts';
import { type Cli, exampleText, printJson } from '../command.ts';
import { CliFailure, EXIT } from '../exit.ts';
import { definitionSummary, renderDefinition } from '../pages/definition-page.ts';
import { counted } from '../pages/text.ts';

const FILES_MAX = 100_000;

interface CheckedFile extends DefinitionReading {
  file: string;
  text: string;
}

export function checkDefinitionCommand(cli: Cli): Command {
  return new Command('check-definition')
    .description('show what test definitions would run, and what is wrong with them')
    .argument('<path>', 'a definition, or a folder with any number of them')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `${exampleText(['muster check-definition smoke.yaml', 'muster check-definition tests/'])}

Exit status: 0 all is well, 1 a definition is wrong, 2 there is none.`,
    )
    .action(async (path: string, options: { json?: boolean }) => {
      const { io } = cli;
      const about = await stat(path).catch((error: NodeJS.ErrnoException) => {
        throw none(error.code === 'ENOENT' ? `there is no ${JSON.stringify(path)}` : error.message);
      });
      if (!about.isDirectory() && !about.isFile()) throw none(`${path} is no file and no folder`);
      const { checked, others } = about.isDirectory()
        ? await checkTree(path)
        : { checked: [await check(path)], others: 0 };
      if (checked.length === 0) throw none(`${path}: there is no test definition in it`);
      if (options.json)
        await printJson(io, {
          definitions: checked.map(({ text: _, ...reading }) => reading),
          summary: definitionSummary(checked, others),
        });
      else {
        for (const one of checked) {
          // Of a whole tree only what somebody has to look at.
          if (!about.isDirectory()) await io.out(renderDefinition(one.file, one));
          const { file, text } = one;
          await io.out(formatProblems([...one.problems, ...one.notes], { file, text }));
        }
        const { definitions, wrong, noted, passedOver } = definitionSummary(checked, others);
        if (about.isDirectory())
          await io.out(
            `${counted(definitions, 'definition')}: ${wrong} wrong, ${noted} with notes; ${counted(passedOver, 'other file')}\n`,
          );
      }
      if (checked.some(({ problems }) => problems.length > 0)) cli.exit = EXIT.failed;
    });
}

async function check(file: string): Promise<CheckedFile> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw none(`${file}: ${error.message}`);
  });
  const wrong = (message: string, text = ''): CheckedFile => ({
    ...{ file, text, notes: [] },
    problems: [{ path: '', line: 1, column: 1, message }],
  });
  if (bytes.length > DEFINITION_BYTES_MAX)
    return wrong(`it has ${bytes.length} bytes, more than ${DEFINITION_BYTES_MAX}`);
  if (bytes.includes(0)) return wrong('it is no text in UTF-8: it holds a NUL');
  const text = bytes.toString('utf8');
  const reading = readTestDefinition(text);
  return isJob(reading.notes)
    ? wrong('it looks like a job, not like a test definition', text)
    : { file, text, ...reading };
}

/** Nothing of a job would run, and its fields are only not used. */
const isJob = (notes: readonly Problem[]): boolean => notes.some(({ path }) => path === 'actions');

/** Every definition below a folder, by name; files of YAML that are none are counted. */
async function checkTree(folder: string): Promise<{ checked: CheckedFile[]; others: number }> {
  const checked: CheckedFile[] = [];
  let others = 0;
  for await (const file of filesBelow(folder)) {
    if (checked.length + others >= FILES_MAX)
      throw none(`${folder}: more than ${FILES_MAX} files of YAML`);
    const one = await check(file);
    if (isDefinition(one)) checked.push(one);
    else others += 1;
  }
  return { checked, others };
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== '.git') yield* filesBelow(path);
    else if (/\.ya?ml$/.test(entry.name) && (await isFile(entry, path))) yield path;
  }
}

/** Or a link to one, but no link to a folder: it may lead in a circle. */
const isFile = async (entry: Dirent, path: string): Promise<boolean> =>
  entry.isFile() ||
  (entry.isSymbolicLink() && ((await stat(path).catch(() => undefined))?.isFile() ?? false));

/** By its own word, or by what it has to run: repositories hold jobs and other YAML, too. */
const isDefinition = ({ text, definition }: CheckedFile): boolean =>
  !/^\ufeff?["']?actions["']?[ \t]*:/m.test(text) &&
  (/^[ \t]*["']?format["']?[ \t]*:[ \t]*["']?Lava-Test/im.test(text) ||
    /^\ufeff?["']?(?:run|install)["']?[ \t]*:/m.test(text) ||
    (definition?.steps.length ?? 0) > 0);

const none = (message: string): CliFailure =>
  new CliFailure({ code: 'no-definition', exit: EXIT.usage, message });
