/** `muster why ID`: what a waiting job lacks, and what keeps each board from it. */
import type { Command } from 'commander';
import { WhyView } from '../../api/schemas.ts';
import {
  type Cli,
  type CommonOptions,
  jobId,
  printJson,
  serverCommand,
  withServer,
} from '../command.ts';
import { EXIT } from '../exit.ts';
import { renderWhy } from '../pages/queue-page.ts';

interface WhyOptions extends CommonOptions {
  all?: boolean;
}

export function whyCommand(cli: Cli): Command {
  return serverCommand('why', 'tell why a job waits: what keeps each board from it', [
    'muster why 12',
    'muster why 12 --all',
  ])
    .argument('<id>', "the job's number", jobId)
    .option('--all', 'list every board, however many there are')
    .action((id: number, options: WhyOptions) =>
      withServer(cli, options, async ({ io, client }) => {
        const why = await client.json(`/api/jobs/${id}/why`, WhyView);
        if (options.json) await printJson(io, why);
        else await io.out(renderWhy(why, options.all === true, io));
        return EXIT.ok;
      }),
    );
}
