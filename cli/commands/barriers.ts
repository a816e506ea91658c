/** `muster barriers ID`: who arrived when, who came last, who is missing. */
import type { Command } from 'commander';
import { Barriers } from '../../api/schemas.ts';
import {
  type Cli,
  type CommonOptions,
  jobId,
  printJson,
  serverCommand,
  withServer,
} from '../command.ts';
import { EXIT } from '../exit.ts';
import { renderBarriers } from '../pages/job-page.ts';

export function barriersCommand(cli: Cli): Command {
  return serverCommand('barriers', 'show who arrived at and who is missing from each barrier', [
    'muster barriers 12',
  ])
    .argument('<id>', "the job's number", jobId)
    .action((id: number, options: CommonOptions) =>
      withServer(cli, options, async ({ io, client }) => {
        const barriers = await client.json(`/api/jobs/${id}/barriers`, Barriers);
        if (options.json) await printJson(io, barriers);
        else await io.out(renderBarriers(barriers, io));
        return EXIT.ok;
      }),
    );
}
