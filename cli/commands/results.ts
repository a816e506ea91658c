/** `muster results ID`: the result cases of the whole group. That some of them failed is no failure of this command. */
import type { Command } from 'commander';
import { Results } from '../../api/schemas.ts';
import {
  type Cli,
  type CommonOptions,
  jobId,
  printJson,
  serverCommand,
  withServer,
} from '../command.ts';
import { EXIT } from '../exit.ts';
import { renderResults } from '../pages/results-page.ts';

export function resultsCommand(cli: Cli): Command {
  return serverCommand('results', 'show the results of the whole group', ['muster results 12'])
    .argument('<id>', "the job's number", jobId)
    .action((id: number, options: CommonOptions) =>
      withServer(cli, options, async ({ io, client }) => {
        const results = await client.json(`/api/jobs/${id}/results`, Results);
        if (options.json) await printJson(io, results);
        else await io.out(renderResults(results, io));
        return EXIT.ok;
      }),
    );
}
