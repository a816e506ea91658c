/** `muster lint`: what jobs and test definitions will come to, told before a board is taken, without a server. */
import { statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { LintFacts } from '../../api/schemas.ts';
import { parseJob } from '../../submission/job.ts';
import type { Finding, LintReport } from '../../submission/lint/findings.ts';
import { FORMATS, type Format, formatReport } from '../../submission/lint/formats.ts';
import { type LabFacts, labFactsOf, lintJob } from '../../submission/lint/lint.ts';
import { lintDefinition } from '../../submission/lint/lint-definition.ts';
import { type Cli, exampleText, withServer } from '../command.ts';
import { CliFailure, EXIT } from '../exit.ts';
import { filesBelow, folderReader, opener, readText, rootOf, shownPath } from '../lint-files.ts';

interface LintOptions {
  format: Format;
  strict?: boolean;
  roles?: { role: string; count: number }[];
  countsSelf?: boolean;
  checkout: Map<string, string>;
  server?: string | true;
  lab?: LabFacts;
}

export function lintCommand(cli: Cli): Command {
  return new Command('lint')
    .description('say what jobs and test definitions will come to, before a board is taken')
    .argument('<path>', 'a job, a definition, or a folder with any number of them')
    .addOption(
      new Option('--format <format>', 'how to print it').choices([...FORMATS]).default('text'),
    )
    .option('--strict', 'warnings count as errors')
    .option('--roles <roles>', 'roles of a definition, such as server,client:2', rolesOf)
    .option('--counts-self', 'a wait counts the board that waits')
    .option(
      '--checkout <url=dir>',
      'a folder that stands for a repository',
      checkoutOf,
      new Map<string, string>(),
    )
    .option(
      '--server [url]',
      'ask a server (default: MUSTER_URL) which boards there are, and what they took to boot',
    )
    .addHelpText(
      'after',
      `${exampleText(['muster lint job.json', 'muster lint smoke.yaml --roles server,client:2', 'muster lint tests/ --format sarif'])}

Exit status: 0 no errors, 1 errors (with --strict: or warnings), 2 nothing to lint.`,
    )
    .action(async (path: string, options: LintOptions) => {
      const lab = await labOf(cli, options.server);
      const report = together(reportsOf(path, { ...options, ...(lab && { lab }) }));
      await cli.io.out(formatReport(report, options.format));
      const counts = options.strict ? ['error', 'warning'] : ['error'];
      if (report.findings.some(({ severity }) => counts.includes(severity))) cli.exit = EXIT.failed;
    });
}

/** What a server knows of the lab; nothing, where none is asked. */
async function labOf(cli: Cli, server: string | true | undefined): Promise<LabFacts | undefined> {
  if (server === undefined) return undefined;
  let lab: LabFacts | undefined;
  await withServer(cli, server === true ? {} : { url: server }, async ({ client }) => {
    lab = labFactsOf(await client.json('/api/lint/facts', LintFacts));
    return EXIT.ok;
  });
  return lab;
}

function rolesOf(words: string): { role: string; count: number }[] {
  return words.split(',').map((word) => {
    const [, role, count = '1'] = /^([^\s:,]+)(?::(\d{1,3}))?$/.exec(word) ?? [];
    if (role === undefined) throw new InvalidArgumentError(`${word} is no role, or role:count.`);
    return { role, count: Number(count) };
  });
}

function checkoutOf(word: string, before: Map<string, string>): Map<string, string> {
  const at = word.lastIndexOf('=');
  if (at < 1) throw new InvalidArgumentError('It is an address, a =, and a folder.');
  return new Map([...before, [word.slice(0, at), word.slice(at + 1)]]);
}

function reportsOf(path: string, options: LintOptions): LintReport[] {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch {
    throw none(`there is no ${path}`);
  }
  if (!isFolder) {
    const report = lintFile(path, options);
    if (report === undefined) throw none(`${path} is no job and no test definition`);
    return [report];
  }
  const files = [...filesBelow(path)].filter((file) => /\.(?:ya?ml|json)$/.test(file));
  const jobs = files.flatMap((file) =>
    isJob(readText(file)) ? (lintFile(file, options) ?? []) : [],
  );
  const seen = new Set(jobs.flatMap((report) => report.files.map((file) => resolve(file))));
  const definitions = files
    .filter((file) => !seen.has(resolve(file)))
    .flatMap((file) => (isDefinition(readText(file)) ? (lintFile(file, options) ?? []) : []));
  if (jobs.length + definitions.length === 0)
    throw none(`${path}: there is no job and no test definition in it`);
  return [...jobs, ...definitions];
}

function lintFile(path: string, options: LintOptions): LintReport | undefined {
  const text = readText(path);
  if (typeof text !== 'string') return undefined;
  if (isJob(text)) return lintJobFile(path, text, options);
  if (!isDefinition(text)) return undefined;
  // A definition does not say where its checkout begins: at the repository, beside it, or between.
  const roots = [dirname(resolve(path))];
  const top = rootOf(path);
  while (roots[0] !== undefined && roots[0] !== top && roots.length < ROOTS_MAX)
    roots.unshift(dirname(roots[0]));
  let best: LintReport | undefined;
  for (const root of roots) {
    const report = lintInCheckout(path, text, root, options);
    if (best === undefined || unread(report) < unread(best)) best = report;
  }
  return best;
}
const ROOTS_MAX = 8;

function lintInCheckout(
  path: string,
  text: string,
  root: string,
  options: LintOptions,
): LintReport {
  const folder = dirname(resolve(path));
  return lintDefinition({
    file: relative(root, resolve(path)),
    text,
    readFile: folderReader(root),
    files: [...filesBelow(folder)].flatMap((file) => [
      relative(root, file),
      relative(folder, file),
    ]),
    prefix: shownPrefix(root),
    countsSelf: options.countsSelf ?? false,
    ...(options.roles !== undefined && { roles: options.roles }),
  });
}

const unread = ({ findings }: LintReport): number =>
  findings.filter(({ rule }) => rule === 'unknown').length;

const shownPrefix = (root: string): string => {
  const shown = shownPath(root);
  return shown === root && root === process.cwd() ? '' : `${shown}/`;
};

function lintJobFile(path: string, text: string, options: LintOptions): LintReport {
  const parsed = parseJob(text);
  const file = shownPath(resolve(path));
  if ('problems' in parsed)
    return {
      findings: parsed.problems.map(
        ({ line, column, message, path: at }): Finding => ({
          file,
          line,
          column,
          rule: 'job',
          severity: 'error',
          message: at === '' ? message : `${at}: ${message}`,
          related: [],
        }),
      ),
      ignored: 0,
      verdict: 'broken',
      files: [file],
    };
  const { countsSelf = parsed.definition.countsSelf } = options;
  return lintJob({
    file,
    text,
    definition: { ...parsed.definition, countsSelf },
    open: opener(path, options.checkout),
    ...(options.lab !== undefined && { lab: options.lab }),
  });
}

const isJob = (text: string | null | undefined): boolean => {
  if (typeof text !== 'string') return false;
  if (/^\s*\{/.test(text)) return /"actions"\s*:/.test(text);
  return /^(?:actions|job_name|device_group|protocols)[ \t]*:/m.test(text);
};

/** By its own word, or by what it has to run: repositories hold other YAML, too. */
const isDefinition = (text: string | null | undefined): boolean =>
  typeof text === 'string' &&
  !isJob(text) &&
  /^[\s{]*["']?(?:run|install|metadata)["']?[ \t]*:/m.test(text);

const WORST = ['clean', 'unknown', 'broken'] as const;

function together(reports: readonly LintReport[]): LintReport {
  const verdict = Math.max(...reports.map((report) => WORST.indexOf(report.verdict)));
  return {
    findings: reports.flatMap(({ findings }) => findings),
    ignored: reports.reduce((sum, { ignored }) => sum + ignored, 0),
    verdict: WORST[verdict] ?? 'unknown',
    files: [...new Set(reports.flatMap(({ files }) => files))],
  };
}

const none = (message: string): CliFailure =>
  new CliFailure({ code: 'nothing-to-lint', exit: EXIT.usage, message });
