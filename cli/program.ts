/** The `muster` command line: all commands, and how each way to end becomes an exit code. */
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../server/package-root.ts';
import { ServerProblem } from './client.ts';
import { type Cli, exampleText } from './command.ts';
import { backupCommand } from './commands/backup.ts';
import { barriersCommand } from './commands/barriers.ts';
import { cancelCommand } from './commands/cancel.ts';
import { checkDefinitionCommand } from './commands/check-definition.ts';
import { checkLabCommand } from './commands/check-lab.ts';
import { deviceCommand, devicesCommand } from './commands/devices.ts';
import { eventsCommand } from './commands/events.ts';
import { exportCommand } from './commands/export.ts';
import { importCommand } from './commands/import.ts';
import { jobCommand, jobsCommand } from './commands/jobs.ts';
import { logsCommand } from './commands/logs.ts';
import { priorityCommand } from './commands/priority.ts';
import { queueCommand } from './commands/queue.ts';
import { resultsCommand } from './commands/results.ts';
import { simulateCommand } from './commands/simulate.ts';
import { submitCommand } from './commands/submit.ts';
import { verifyCommand } from './commands/verify.ts';
import { watchCommand } from './commands/watch.ts';
import { whyCommand } from './commands/why.ts';
import { CliFailure, EXIT, Interrupted, OutputClosed } from './exit.ts';
import type { Io } from './io.ts';
import { failureText, hang } from './pages/text.ts';

/**
 * Runs one command line to its end.
 *
 * @param argv the words after `muster`
 * @param local commands that need no server, such as `serve`
 * @returns the exit code (failure.ts, EXIT)
 */
export async function run(
  argv: readonly string[],
  io: Io,
  local: readonly Command[],
): Promise<number> {
  const cli: Cli = { io, exit: EXIT.ok };
  try {
    await parse(cli, argv, local);
    return cli.exit;
  } catch (error) {
    return exitOf(error, io);
  }
}

/** Help and version are written like all the rest, and waited for. */
async function parse(cli: Cli, argv: readonly string[], local: readonly Command[]): Promise<void> {
  const { io } = cli;
  let help = '';
  const program = buildProgram(cli, local, (text) => {
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
  local: readonly Command[],
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
        write(hang('muster: ', text.replace(/^error: /, '').trim(), io.columns)),
      getOutHelpWidth: () => io.columns,
      getErrHelpWidth: () => io.columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText(
      'after',
      exampleText(['muster serve --lab lab.yaml', 'muster submit job.json --wait']),
    );
  const remote = [
    submitCommand,
    jobsCommand,
    jobCommand,
    queueCommand,
    whyCommand,
    priorityCommand,
    devicesCommand,
    deviceCommand,
    barriersCommand,
    resultsCommand,
    logsCommand,
    eventsCommand,
    watchCommand,
    cancelCommand,
    simulateCommand,
    checkDefinitionCommand,
    checkLabCommand,
    backupCommand,
    verifyCommand,
    exportCommand,
    importCommand,
  ];
  for (const command of [...local, ...remote.map((build) => build(cli))])
    program.addCommand(command.copyInheritedSettings(program));
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
    io.err(hang('muster: ', problemText(error), io.columns));
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
