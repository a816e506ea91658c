/** `muster queue`: which jobs wait, in which order, and why. */
import type { Command } from 'commander';
import { Queue } from '../../api/schemas.ts';
import {
  type Cli,
  type CommonOptions,
  counter,
  countUpTo,
  printJson,
  serverCommand,
  withServer,
} from '../command.ts';
import { EXIT } from '../failure.ts';
import { renderQueue } from '../render-queue.ts';

const JOBS_DEFAULT = 50;
const JOBS_MAX = 10_000;

interface QueueOptions extends CommonOptions {
  limit: number;
  after: number;
}

export function queueCommand(cli: Cli): Command {
  return serverCommand('queue', 'show the jobs that wait for boards, and why', ['muster queue'])
    .option('--limit <count>', 'how many at most', countUpTo(JOBS_MAX), JOBS_DEFAULT)
    .option('--after <place>', 'only jobs behind this place', counter, 0)
    .action((options: QueueOptions) =>
      withServer(cli, options, async ({ io, client }) => {
        const { limit, after } = options;
        const queue = await client.json(`/api/queue?limit=${limit}&after=${after}`, Queue);
        if (options.json) await printJson(io, queue);
        else await io.out(renderQueue(queue, io));
        if (queue.next !== undefined)
          io.err(`${queue.total} jobs wait; the next ones: --after ${queue.next}\n`);
        return EXIT.ok;
      }),
    );
}
