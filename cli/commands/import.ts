/** `muster import FILE`: puts exported or archived events into a log. */
import type { Command } from 'commander';
import type { RecordedEvent, WorkerEvent } from '../../machines/events.ts';
import { streamOf } from '../../machines/names.ts';
import { evolveWorker, initialWorker, keepsWord, type WorkerState } from '../../machines/worker.ts';
import { openLog } from '../../server/open-log.ts';
import type { EventStore } from '../../store/port.ts';
import { importEvents, TransferRefused } from '../../store/transfer.ts';
import { type Cli, printJson } from '../command.ts';
import { EXIT } from '../exit.ts';
import { countsTo, type LogOptions, logCommand, onLog, whichLog } from '../log-command.ts';
import { counted, hang } from '../pages/text.ts';

export function importCommand(cli: Cli): Command {
  return logCommand('import', 'put exported or archived events into a log', [
    'muster import --data ./new-data log.jsonl',
    'muster import --store "esdb://10.0.0.7:2113?tls=false" log.jsonl',
  ])
    .argument('<file>', 'what muster export wrote, or a file of the archive')
    .option('--store <url>', 'a log in EventStoreDB instead of the folder: esdb://HOST:PORT')
    .addHelpText(
      'after',
      '\nThe log must be empty, or have been filled from the same log: events that it has\nalready stay as they are. No server may run on it meanwhile.',
    )
    .action((file: string, options: LogOptions) =>
      onLog(cli, () => importFile(cli, file, options)),
    );
}

async function importFile(cli: Cli, file: string, options: LogOptions): Promise<number> {
  const { io } = cli;
  const log = await openLog(whichLog(options), 'muster import');
  try {
    // A folder's log has its lock instead.
    if (log.isShared) await refuseInUse(log.store);
    const done = await importEvents(log.store, file, log.inFlightMax, countsTo(io, 'imported'));
    if (options.json) await printJson(io, { file, ...done });
    else {
      const known = done.known === 0 ? '' : `; ${done.known} of them were there already`;
      const what = `${counted(done.events, 'event')} of ${counted(done.streams, 'stream')}${known}`;
      await io.out(hang('', `${file}: ${what}`, io.columns));
    }
    return EXIT.ok;
  } finally {
    await log.close();
  }
}

/** @throws TransferRefused while a server with boards keeps its word in the log */
async function refuseInUse(store: EventStore): Promise<void> {
  const workers = new Map<string, WorkerState>();
  for await (const event of store.readAll()) {
    if (streamOf(event.stream)?.kind !== 'worker') continue;
    const before = workers.get(event.stream) ?? initialWorker;
    workers.set(event.stream, evolveWorker(before, event as RecordedEvent<WorkerEvent>));
  }
  const now = Date.now();
  for (const [stream, worker] of workers) {
    if (!keepsWord(worker, now)) continue;
    const seconds = Math.ceil(((worker.until ?? now) - now) / 1000);
    throw new TransferRefused(
      `a muster serve works on this log, with the boards of ${stream}: stop it first. Of one that was stopped or killed this is sure after ${seconds} s`,
    );
  }
}
