/** `muster lab reload`: the lab's file of a server, or of a worker, is read again while jobs run. */
import { Command } from 'commander';
import { LabChange } from '../../wire/lab-change.ts';
import { type Cli, type CommonOptions, printJson, serverCommand, withServer } from '../command.ts';
import { EXIT } from '../exit.ts';
import { hang } from '../pages/text.ts';
import { labChangeWords } from '../reload.ts';

export function labCommand(cli: Cli): Command {
  const reload = serverCommand('reload', "read the lab's file again; jobs that run go on", [
    'muster lab reload',
    'muster lab reload lab2',
  ])
    .argument('[worker]', "whose; without one, the server's own")
    .action((worker: string | undefined, options: CommonOptions) =>
      withServer(cli, options, async ({ io, client }) => {
        const path =
          worker === undefined
            ? '/api/lab/reload'
            : `/api/workers/${encodeURIComponent(worker)}/reload`;
        const change = await client.post(path, LabChange);
        if (options.json) await printJson(io, change);
        else await io.out(hang('', labChangeWords(change), io.columns));
        return EXIT.ok;
      }),
    );
  return new Command('lab').description('the boards of a running lab').addCommand(reload);
}
