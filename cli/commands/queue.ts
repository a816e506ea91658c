/** `muster queue`: which jobs wait, in which order, and why. */
import type { Command } from 'commander';
import { Queue } from '../../api/schemas.ts';
import { type Cli, type CommonOptions, printJson, serverCommand, withServer } from '../command.ts';
import { EXIT } from '../failure.ts';
import { renderQueue } from '../render.ts';

export function queueCommand(cli: Cli): Command {
  return serverCommand('queue', 'show the jobs that wait for boards, and why', [
    'muster queue',
  ]).action((options: CommonOptions) =>
    withServer(cli, options, async ({ io, client }) => {
      const queue = await client.json('/api/queue', Queue);
      if (options.json) await printJson(io, queue);
      else await io.out(renderQueue(queue, io));
      return EXIT.ok;
    }),
  );
}
