/** `muster explain ID`: why it ended as it did: what went wrong first, and the line that did it. */
import type { Command } from 'commander';
import { Explanation } from '../../answers/explain/explanation.ts';
import {
  type Cli,
  type CommonOptions,
  jobId,
  printJson,
  serverCommand,
  withServer,
} from '../command.ts';
import { EXIT } from '../exit.ts';
import { renderExplanation } from '../pages/explain-page.ts';

export function explainCommand(cli: Cli): Command {
  return serverCommand('explain', 'tell what went wrong first, with file and line', [
    'muster explain 12',
    'muster explain 12 --json',
  ])
    .argument('<id>', "the job's number", jobId)
    .action((id: number, options: CommonOptions) =>
      withServer(cli, options, async ({ io, client }) => {
        const explanation = await client.json(`/api/jobs/${id}/explanation`, Explanation);
        if (options.json) await printJson(io, explanation);
        else await io.out(renderExplanation(explanation, io));
        return EXIT.ok;
      }),
    );
}
