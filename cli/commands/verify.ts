/** `muster verify`: reads a whole log strictly, also while a server writes to it. */
import type { Command } from 'commander';
import { directoryProjection } from '../../engine/directory-projection.ts';
import type { Projection } from '../../engine/projection-runner.ts';
import { jobOf } from '../../machines/names.ts';
import { kindOfLog, openLogToRead, type WhichLog } from '../../server/open-log.ts';
import { archivedIn } from '../../store/archive/archive-index.ts';
import { fileCheckpoints, memoryCheckpoints } from '../../store/checkpoints.ts';
import { checkpointsFolder, lastConsole, logFile, traceOfLog } from '../../store/data-folder.ts';
import { type Cli, printJson } from '../command.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import {
  announce,
  countsTo,
  folderOf,
  type LogOptions,
  logCommand,
  onLog,
  whichLog,
} from '../log-command.ts';
import { counted, hang } from '../pages/text.ts';
import type { Fault } from '../verify/event-checks.ts';
import { type Verified, verifyLog } from '../verify/verify-log.ts';

export function verifyCommand(cli: Cli): Command {
  return logCommand('verify', 'check the whole log: every event, stream and checkpoint', [
    'muster verify --data /var/lib/muster',
  ])
    .option('--store <url>', 'a log in EventStoreDB instead of the folder: esdb://HOST:PORT')
    .addHelpText(
      'after',
      '\nExit 0: all is well; 1: it is not; 2: there is no log to read; 3: its server\ndoes not answer.',
    )
    .action((options: LogOptions) => onLog(cli, () => verify(cli, options)));
}

async function verify(cli: Cli, options: LogOptions): Promise<number> {
  const { io } = cli;
  const which = whichLog(options);
  const folder = folderOf(options);
  const log = await openLogToRead(which);
  try {
    const faults = fileFaults(io, which);
    const verified = await verifyLog({
      store: log.store,
      checkpoints: folder === undefined ? memoryCheckpoints() : inFolder(folder),
      projections: folder === undefined ? [] : [directoryProjection as Projection<unknown>],
      fileFaults: faults,
      wasArchived: async (stream) => {
        const job = jobOf(stream);
        if (folder === undefined || job === undefined) return false;
        return (await archivedIn(folder, job)) !== undefined;
      },
      beside: folder === undefined ? undefined : besideLog(folder),
      onProgress: countsTo(io, 'checked'),
    });
    if (options.json) await printJson(io, verified);
    else await io.out(renderVerified(verified, io.columns));
    return verified.faultCount === 0 ? EXIT.ok : EXIT.failed;
  } finally {
    await log.close();
  }
}

const inFolder = (folder: string) => fileCheckpoints(checkpointsFolder(folder));

const besideLog = (folder: string) => ({
  trace: traceOfLog(folder),
  console: lastConsole(folder),
});

function fileFaults(io: Io, which: WhichLog): string[] {
  const kind = kindOfLog(which);
  if (!kind.isShared) announce(io, 'checking the pages of', logFile(which.dataDir));
  return kind.faults(which.dataDir);
}

function renderVerified(verified: Verified, columns: number): string {
  const { events, streams, jobsOver, head, faultCount, faults, notes } = verified;
  const size = `${counted(events, 'event')} in ${counted(streams, 'stream')}, ${counted(jobsOver, 'job')} over, up to position ${head}`;
  const verdict =
    faultCount === 0
      ? 'all is well'
      : `${counted(faultCount, 'fault')}; docs/operations.md says what to do (When something is wrong)`;
  return [
    hang('', size, columns),
    ...notes.map((note) => hang('note: ', note, columns)),
    ...faults.map((fault) => hang('fault: ', faultText(fault), columns)),
    faults.length < faultCount ? hang('', `and ${faultCount - faults.length} more`, columns) : '',
    hang('', verdict, columns),
  ].join('');
}

function faultText({ stream, version, position, type, reason }: Fault): string {
  const where = [
    stream ?? '',
    version === undefined ? '' : `event ${version}`,
    type === undefined ? '' : `(${type})`,
    position === undefined ? '' : `at position ${position}`,
  ].filter((part) => part !== '');
  const why = reason.replaceAll(/\n\s*/g, ' ');
  return where.length === 0 ? why : `${where.join(' ')}: ${why}`;
}
