/** What the commands share that work on a log itself and not through a server: options, faults, and progress. */
import { statSync } from 'node:fs';
import { Command } from 'commander';
import { UnreadableEvent } from '../machines/events.ts';
import type { WhichLog } from '../server/open-log.ts';
import { StoreRefused, StoreUnavailable } from '../store/port.ts';
import { TransferRefused } from '../store/transfer.ts';
import { type Cli, exampleText, folder } from './command.ts';
import { CliFailure, EXIT } from './exit.ts';
import type { Io } from './io.ts';
import { counted, hang } from './pages/text.ts';

export const DATA_DEFAULT = './muster-data';

export interface LogOptions {
  /** As it was named; see `folderOf`. */
  data?: string;
  store?: string;
  json?: boolean;
}

export function logCommand(name: string, summary: string, examples: readonly string[]): Command {
  return new Command(name)
    .description(summary)
    .option('--data <dir>', `folder of the log (default: "${DATA_DEFAULT}")`, folder)
    .option('--json', 'print JSON')
    .addHelpText('after', exampleText(examples));
}

export function whichLog({ data = DATA_DEFAULT, store }: LogOptions): WhichLog {
  return { dataDir: data, ...(store !== undefined && { store }) };
}

/** The data folder that belongs to the log: for one elsewhere it has to be named, since the one that is found here may be another lab's. */
export function folderOf({ data, store }: LogOptions): string | undefined {
  return data ?? (store === undefined ? DATA_DEFAULT : undefined);
}

/** Runs the command; what is wrong with a log or a file becomes a message and an exit code. */
export async function onLog(cli: Cli, run: () => Promise<number>): Promise<void> {
  try {
    cli.exit = await run();
  } catch (error) {
    throw failureOf(error);
  }
}

function failureOf(error: unknown): unknown {
  if (error instanceof StoreRefused || error instanceof TransferRefused)
    return new CliFailure({ code: error.code, exit: EXIT.usage, message: error.message });
  if (error instanceof StoreUnavailable)
    return new CliFailure({ code: error.code, exit: EXIT.noServer, message: error.message });
  if (error instanceof UnreadableEvent)
    return new CliFailure({
      code: error.code,
      exit: EXIT.failed,
      message: `${error.message}; "muster verify" names all such events`,
    });
  return error;
}

/** From here on it takes seconds. */
const LONG_BYTES = 200_000_000;

/** Says on stderr what is about to be done to a whole file in one go, where that takes a while. */
export function announce(io: Io, doing: string, file: string): void {
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes >= LONG_BYTES)
    io.err(hang('muster: ', `${doing} ${Math.round(bytes / 1_000_000)} MB`, io.columns));
}

const PROGRESS_MS = 5_000;

/** Says on stderr how far it is, now and then: nothing while a short log is done at once. */
export function countsTo(io: Io, done: string): (events: number) => void {
  let last = performance.now();
  return (events) => {
    const now = performance.now();
    if (now - last < PROGRESS_MS) return;
    last = now;
    io.err(hang('muster: ', `${counted(events, 'event')} ${done}`, io.columns));
  };
}
