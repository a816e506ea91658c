/** `muster cancel ID`. Cancelling twice, or a job that has ended, is fine: afterwards it does not run. */
import type { Command } from 'commander';
import { JobView } from '../../projections/views.ts';
import {
  type Cli,
  type CommonOptions,
  jobId,
  printJson,
  serverCommand,
  withServer,
} from '../command.ts';
import { EXIT } from '../exit.ts';

interface CancelOptions extends CommonOptions {
  reason?: string;
}

export function cancelCommand(cli: Cli): Command {
  return serverCommand('cancel', 'cancel a job, whole; every board comes back', [
    'muster cancel 12 --reason "wrong image"',
  ])
    .argument('<id>', "the job's number", jobId)
    .option('--reason <text>', 'what to record')
    .action((id: number, options: CancelOptions) =>
      withServer(cli, options, async ({ io, client }) => {
        const body = options.reason === undefined ? {} : { reason: options.reason };
        const job = await client.post(`/api/jobs/${id}/cancel`, JobView, body);
        if (options.json) await printJson(io, job);
        else
          await io.out(
            job.state === 'cancelled'
              ? `job ${id} is cancelled\n`
              : `job ${id} had ended before: ${job.state}\n`,
          );
        return EXIT.ok;
      }),
    );
}
