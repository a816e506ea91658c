/** `muster backup FILE`: a copy of the log, also while a server writes to it. */
import type { Command } from 'commander';
import { logFile } from '../../store/data-folder.ts';
import { backupSqlite } from '../../store/sqlite/backup.ts';
import { type Cli, printJson } from '../command.ts';
import { EXIT } from '../exit.ts';
import { announce, type LogOptions, logCommand, onLog, whichLog } from '../log-command.ts';
import { counted, hang } from '../pages/text.ts';

export function backupCommand(cli: Cli): Command {
  return logCommand('backup', 'copy the log to a file, also while the server runs', [
    'muster backup --data /var/lib/muster /backup/muster-2026-08-01.db',
  ])
    .argument('<file>', 'where to; it must not be there yet')
    .addHelpText(
      'after',
      '\nTo restore, stop the server and put the file into the data folder as muster.db\n(docs/operations.md). A log in EventStoreDB is backed up by its own means, or\nwith muster export.',
    )
    .action((file: string, options: LogOptions) =>
      onLog(cli, async () => {
        const { io } = cli;
        const log = logFile(whichLog(options).dataDir);
        announce(io, 'copying', log);
        const { events, bytes } = await backupSqlite(log, file);
        if (options.json) await printJson(io, { file, events, bytes });
        else
          await io.out(
            hang('', `${file}: ${counted(events, 'event')}, ${bytes} bytes, checked`, io.columns),
          );
        return EXIT.ok;
      }),
    );
}
