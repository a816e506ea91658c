/** `muster queue`: which jobs wait, in which order, and why. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { Queue } from '../../api/schemas.ts';
import type { Client } from '../client.ts';
import {
  type Cli,
  type CommonOptions,
  counter,
  countUpTo,
  printJson,
  serverCommand,
  withServer,
} from '../command.ts';
import { EXIT } from '../exit.ts';
import { renderQueue } from '../pages/queue-page.ts';

const JOBS_DEFAULT = 50;
const JOBS_MAX = 10_000;
/** More are asked for in several pages, so that others are answered in between. */
const PAGE_JOBS_MAX = 1_000;

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
        const queue = await queueOf(client, options);
        if (options.json) await printJson(io, queue);
        else await io.out(renderQueue(queue, io));
        if (queue.next !== undefined)
          io.err(`${queue.total} jobs wait; the next ones: --after ${queue.next}\n`);
        return EXIT.ok;
      }),
    );
}

async function queueOf(
  client: Client,
  { limit, after }: QueueOptions,
): Promise<z.infer<typeof Queue>> {
  const page = (from: number) => {
    const jobs = Math.min(PAGE_JOBS_MAX, limit - (from - after));
    return client.json(`/api/queue?limit=${jobs}&after=${from}`, Queue);
  };
  let last = await page(after);
  const { queue } = last;
  while (last.next !== undefined && last.next < after + limit) {
    last = await page(last.next);
    queue.push(...last.queue);
  }
  return { ...last, queue };
}
