/** `muster priority ID N`: where a waiting job stands in the queue. */
import { type Command, InvalidArgumentError } from 'commander';
import { PRIORITY_MAX } from '../../machines/names.ts';
import { JobView } from '../../projections/views.ts';
import { PRIORITIES } from '../../submission/job-json.ts';
import {
  type Cli,
  type CommonOptions,
  jobId,
  printJson,
  serverCommand,
  withServer,
} from '../command.ts';
import { EXIT } from '../exit.ts';

export function priorityCommand(cli: Cli): Command {
  return serverCommand('priority', 'change the priority of a job that waits', [
    'muster priority 12 80',
    'muster priority 12 high',
  ])
    .argument('<id>', "the job's number", jobId)
    .argument('<priority>', `0 to ${PRIORITY_MAX}, high, medium or low`, priorityOf)
    .action((id: number, priority: number, options: CommonOptions) =>
      withServer(cli, options, async ({ io, client }) => {
        const job = await client.put(`/api/jobs/${id}/priority`, JobView, { priority });
        if (options.json) await printJson(io, job);
        else await io.out(`job ${id} has priority ${job.priority}; muster queue shows its place\n`);
        return EXIT.ok;
      }),
    );
}

function priorityOf(text: string): number {
  const named = Object.entries(PRIORITIES).find(([name]) => name === text)?.[1];
  const priority = named ?? (/^[0-9]{1,3}$/.test(text) ? Number(text) : Number.NaN);
  if (priority >= 0 && priority <= PRIORITY_MAX) return priority;
  throw new InvalidArgumentError(
    `Expected a whole number from 0 to ${PRIORITY_MAX}, high, medium or low.`,
  );
}
