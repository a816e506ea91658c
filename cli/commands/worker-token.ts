/** `muster worker-token NAME`: the secret with which a worker on another machine connects. */
import type { Command } from 'commander';
import { WorkerToken, WorkerView } from '../../api/schemas.ts';
import { type Cli, type CommonOptions, printJson, serverCommand, withServer } from '../command.ts';
import { EXIT } from '../exit.ts';
import { hang } from '../pages/text.ts';

type TokenOptions = CommonOptions & { revoke?: string };

export function workerTokenCommand(cli: Cli): Command {
  return serverCommand('worker-token', 'make or revoke the token of a worker on another machine', [
    'muster worker-token lab2 >lab2.token',
    'muster worker-token lab2 --revoke "it was in a log"',
  ])
    .argument('<name>', "the worker's name")
    .option('--revoke <reason>', 'make its token worthless, and end its line')
    .action((name: string, options: TokenOptions) =>
      withServer(cli, options, async ({ io, client }) => {
        const path = `/api/workers/${encodeURIComponent(name)}`;
        if (options.revoke !== undefined) {
          const worker = await client.post(`${path}/revoke`, WorkerView, {
            reason: options.revoke,
          });
          if (options.json) await printJson(io, worker);
          else io.err(hang('', `worker ${name} cannot connect any more`, io.columns));
          return EXIT.ok;
        }
        const made = await client.post(`${path}/token`, WorkerToken);
        if (options.json) await printJson(io, made);
        else await io.out(`${made.token}\n`);
        io.err(
          hang(
            '',
            `Keep it secret: it is not shown again. On the other machine: muster worker --server URL --token-file FILE --lab lab.yaml`,
            io.columns,
          ),
        );
        return EXIT.ok;
      }),
    );
}
