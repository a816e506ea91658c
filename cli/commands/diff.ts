/** `muster diff GOOD BAD`: what differs between two runs; with one job: against the last run that passed. */

import { DiffView } from '../../answers/compared-views.ts';
import { diffOf, goodRun } from '../../answers/diff-view.ts';
import {
  type Cli,
  type CommonOptions,
  jobId,
  printJson,
  serverCommand,
  withServer,
} from '../command.ts';
import { bundled, bundleFrom, orFromHere, refusedInWords, usage } from '../evidence.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { renderDiff } from '../pages/diff-page.ts';

interface DiffOptions extends CommonOptions {
  bundle?: string[];
}

const more = (text: string, before: string[] = []): string[] => [...before, text];

export function diffCommand(cli: Cli) {
  return serverCommand('diff', 'tell where a bad run first parts from a good one', [
    'muster diff 12 17',
    'muster diff 17',
    'muster diff --bundle good.tar.gz --bundle bad.tar.gz',
  ])
    .argument(
      '[jobs...]',
      'the good run and the bad one; the bad one alone: with the last that passed',
    )
    .option('--bundle <file>', 'twice, the good run first: from files, without a server', more)
    .action(async (words: string[], options: DiffOptions) => {
      const jobs = words.map(jobId);
      if (options.bundle !== undefined) {
        const [good, bad, ...others] = options.bundle;
        if (bad === undefined || good === undefined || others.length > 0 || jobs.length > 0)
          throw usage('a bundle holds one job: say --bundle twice, the good run first');
        const [left, right] = [await bundled(cli.io, good), await bundled(cli.io, bad)];
        cli.exit = await refusedInWords(async () =>
          show(diffOf(left, right, false), cli.io, options),
        );
        return;
      }
      const [first, second, ...others] = jobs;
      if (first === undefined || others.length > 0)
        throw usage('say which runs: the good one and the bad one, or the bad one alone');
      const path =
        second === undefined ? `/api/jobs/${first}/diff` : `/api/jobs/${second}/diff?with=${first}`;
      await withServer(cli, options, async ({ io, client }) => {
        const view = await orFromHere(client.json(path, DiffView), async () => {
          const bad = await bundleFrom({ io, client }, second ?? first);
          return refusedInWords(async () => {
            const good = second === undefined ? goodRun(bad) : first;
            return diffOf(await bundleFrom({ io, client }, good), bad, second === undefined);
          });
        });
        return show(view, io, options);
      });
    });
}

async function show(view: DiffView, io: Io, { json }: DiffOptions): Promise<number> {
  if (json) await printJson(io, view);
  else await io.out(renderDiff(view, io));
  return EXIT.ok;
}
