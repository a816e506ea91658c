/** The `muster` command line: all commands, and how each way to end becomes an exit code. */
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../server/package-root.ts';
import { ServerProblem } from './client.ts';
import { type Cli, exampleText } from './command.ts';

import { CliFailure, EXIT, Interrupted, OutputClosed } from './exit.ts';
import type { Io } from './io.ts';
import { failureText, hang, hangLines } from './pages/text.ts';

type Build = (cli: Cli) => Command;

/** Every command, in the order of the help; each is loaded when it is asked for, because the server's parts are large. */
const commands: Record<string, () => Promise<Build>> = {
  serve: async () => (await import('./serve.ts')).serveCommand,
  init: async () => (await import('./commands/init.ts')).initCommand,
  submit: async () => (await import('./commands/submit.ts')).submitCommand,
  jobs: async () => (await import('./commands/jobs.ts')).jobsCommand,
  job: async () => (await import('./commands/jobs.ts')).jobCommand,
  queue: async () => (await import('./commands/queue.ts')).queueCommand,
  why: async () => (await import('./commands/why.ts')).whyCommand,
  priority: async () => (await import('./commands/priority.ts')).priorityCommand,
  devices: async () => (await import('./commands/devices.ts')).devicesCommand,
  device: async () => (await import('./commands/devices.ts')).deviceCommand,
  console: async () => (await import('./commands/console.ts')).consoleCommand,
  worker: async () => (await import('./commands/worker.ts')).workerCommand,
  workers: async () => (await import('./commands/workers.ts')).workersCommand,
  lab: async () => (await import('./commands/lab.ts')).labCommand,
  'worker-token': async () => (await import('./commands/worker-token.ts')).workerTokenCommand,
  barriers: async () => (await import('./commands/barriers.ts')).barriersCommand,
  explain: async () => (await import('./commands/explain.ts')).explainCommand,
  results: async () => (await import('./commands/results.ts')).resultsCommand,
  logs: async () => (await import('./commands/logs.ts')).logsCommand,
  events: async () => (await import('./commands/events.ts')).eventsCommand,
  watch: async () => (await import('./commands/watch.ts')).watchCommand,
  replay: async () => (await import('./commands/replay.ts')).replayCommand,
  trace: async () => (await import('./commands/trace.ts')).traceCommand,
  diff: async () => (await import('./commands/diff.ts')).diffCommand,
  'what-if': async () => (await import('./commands/what-if.ts')).whatIfCommand,
  sources: async () => (await import('./commands/sources.ts')).sourcesCommand,
  bundle: async () => (await import('./commands/bundle.ts')).bundleCommand,
  cancel: async () => (await import('./commands/cancel.ts')).cancelCommand,
  simulate: async () => (await import('./commands/simulate.ts')).simulateCommand,
  'check-definition': async () =>
    (await import('./commands/check-definition.ts')).checkDefinitionCommand,
  lint: async () => (await import('./commands/lint.ts')).lintCommand,
  'check-lab': async () => (await import('./commands/check-lab.ts')).checkLabCommand,
  backup: async () => (await import('./commands/backup.ts')).backupCommand,
  verify: async () => (await import('./commands/verify.ts')).verifyCommand,
  export: async () => (await import('./commands/export.ts')).exportCommand,
  import: async () => (await import('./commands/import.ts')).importCommand,
  'import-lava': async () => (await import('./commands/import-lava.ts')).importLavaCommand,
};

/** The command that the words name; all of them when they name none, so that the help and a wrong name know each. */
function asked(argv: readonly string[]): Promise<Build[]> {
  const [name = ''] = argv;
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  return Promise.all((load === undefined ? Object.values(commands) : [load]).map((each) => each()));
}

/**
 * Runs one command line to its end.
 *
 * @param argv the words after `muster`
 * @returns the exit code (exit.ts, EXIT)
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const cli: Cli = { io, exit: EXIT.ok };
  try {
    await parse(cli, argv);
    return cli.exit;
  } catch (error) {
    return exitOf(error, io);
  }
}

/** Help and version are written like all the rest, and waited for. */
async function parse(cli: Cli, argv: readonly string[]): Promise<void> {
  const { io } = cli;
  let help = '';
  const program = buildProgram(cli, await asked(argv), (text) => {
    help += text;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (help !== '') await io.out(help);
    throw error;
  }
}

function buildProgram(
  cli: Cli,
  builds: readonly Build[],
  writeOut: (text: string) => void,
): Command {
  const { io } = cli;
  const program = new Command('muster')
    .description('Runs tests that span several boards, and keeps every step as an event.')
    .version(packageVersion, '--version', 'print the version')
    .showHelpAfterError('(--help shows how it is used)')
    .exitOverride()
    .configureOutput({
      writeOut,
      writeErr: io.err,
      outputError: (text, write) =>
        write(
          hang(
            'muster: ',
            text
              .replace(/^error: /, '')
              .trim()
              .replace(/\s*\n\s*/g, ' '),
            io.columns,
          ),
        ),
      getOutHelpWidth: () => io.columns,
      getErrHelpWidth: () => io.columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText(
      'after',
      exampleText(['muster serve --lab lab.yaml', 'muster submit job.json --wait']),
    );
  for (const build of builds) {
    const command = build(cli);
    program.addCommand(command.copyInheritedSettings(program));
  }
  return program;
}

/** Says what went wrong, and with which exit code that ends. */
function exitOf(error: unknown, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof OutputClosed) return EXIT.ok;
  if (error instanceof Interrupted) {
    if (error.message !== '') io.err(hang('muster: ', error.message, io.columns));
    return EXIT.interrupted;
  }
  if (error instanceof CliFailure) {
    io.err(failureText('muster: ', error.message, io.columns));
    return error.exit;
  }
  if (error instanceof ServerProblem) {
    io.err(hangLines('muster: ', problemText(error).split('\n'), io.columns));
    for (const { path, message } of error.problems) {
      const what = path === '' ? message : `${path}: ${message}`;
      if (!error.message.includes(what)) io.err(hang('  ', what, io.columns));
    }
    return EXIT.failed;
  }
  io.err(`muster: internal error: ${error instanceof Error ? error.stack : String(error)}\n`);
  return EXIT.failed;
}

function problemText(problem: ServerProblem): string {
  if (problem.status === 401)
    return `${problem.message}: put the server's API token into the variable MUSTER_API_TOKEN`;
  return problem.message;
}
