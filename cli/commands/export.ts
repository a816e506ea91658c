/** `muster export ID FILE`, `muster export --all FILE`: events as lines of JSON, to keep or to import elsewhere. */
import type { Command } from 'commander';
import { jobStream } from '../../machines/names.ts';
import { openLogToRead } from '../../server/open-log.ts';
import { archivedIn } from '../../store/archive/archive-index.ts';
import { makeFile } from '../../store/durable-file.ts';
import type { EventStore } from '../../store/port.ts';
import { exportText } from '../../store/transfer.ts';
import { type Cli, jobId, printJson } from '../command.ts';
import { CliFailure, EXIT, Interrupted } from '../exit.ts';
import {
  countsTo,
  folderOf,
  type LogOptions,
  logCommand,
  onLog,
  whichLog,
} from '../log-command.ts';
import { counted, hang } from '../pages/text.ts';

interface ExportOptions extends LogOptions {
  all?: boolean;
}

export function exportCommand(cli: Cli): Command {
  return logCommand('export', 'write a job, or the whole log, as lines of JSON', [
    'muster export 12 job-12.jsonl',
    'muster export --all log.jsonl',
  ])
    .argument('<words...>', "the job's number and the file; with --all the file alone")
    .option('--all', 'the whole log')
    .option('--store <url>', 'a log in EventStoreDB instead of the folder: esdb://HOST:PORT')
    .action((words: string[], options: ExportOptions) =>
      onLog(cli, () => exportLog(cli, words, options)),
    );
}

async function exportLog(cli: Cli, words: string[], options: ExportOptions): Promise<number> {
  const { io } = cli;
  const { job, file } = whatAndWhere(words, options);
  const log = await openLogToRead(whichLog(options));
  try {
    if (job !== undefined) await expectJob(log.store, job, options);
    const { store } = log;
    let events = 0;
    const progress = countsTo(io, 'exported');
    const text = exportText(
      job === undefined ? store.readAll() : store.read(jobStream(job)),
      (count) => {
        events = count;
        progress(count);
      },
    );
    const interrupt = io.interrupt();
    await makeFile(file, 'the export', async (handle) => {
      for await (const chunk of text) {
        if (interrupt.aborted) throw new Interrupted(`${file} was not made`);
        await handle.writeFile(chunk);
      }
    });
    if (options.json) await printJson(io, { file, events });
    else await io.out(hang('', `${file}: ${counted(events, 'event')}`, io.columns));
    return EXIT.ok;
  } finally {
    await log.close();
  }
}

function whatAndWhere(
  words: readonly string[],
  { all }: ExportOptions,
): { job?: number; file: string } {
  const [first = '', second, ...more] = words;
  if (all && second === undefined) return { file: first };
  if (!all && second !== undefined && more.length === 0) return { job: jobId(first), file: second };
  throw new CliFailure({
    code: 'usage',
    exit: EXIT.usage,
    message: 'expected a job and a file (muster export 12 FILE), or muster export --all FILE',
  });
}

async function expectJob(store: EventStore, job: number, options: LogOptions): Promise<void> {
  for await (const _ of store.read(jobStream(job))) return;
  const folder = folderOf(options);
  const archive = folder === undefined ? undefined : await archivedIn(folder, job);
  throw new CliFailure({
    code: 'no-such-job',
    exit: EXIT.failed,
    message:
      archive === undefined
        ? `there is no job ${job} in this log`
        : `job ${job} was archived: it is in ${archive}, which muster import reads`,
  });
}
