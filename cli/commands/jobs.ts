/** `muster jobs` and `muster job ID`. */
import { type Command, InvalidArgumentError } from 'commander';
import { JobPage } from '../../api/schemas.ts';
import { JobView, ResultsView } from '../../projections/views.ts';
import {
  type Cli,
  type CommonOptions,
  countUpTo,
  jobId,
  printJson,
  serverCommand,
  withServer,
} from '../command.ts';
import { EXIT } from '../exit.ts';
import { renderJob, renderJobs } from '../pages/job-page.ts';

const JOBS_DEFAULT = 50;
const JOBS_MAX = 200;

interface JobsOptions extends CommonOptions {
  state?: string;
  before?: number;
  limit: number;
}

export function jobsCommand(cli: Cli): Command {
  return serverCommand('jobs', 'list jobs, the newest first', [
    'muster jobs --state submitted,allocated',
  ])
    .option('--state <states>', 'only jobs in these states, with commas between them', states)
    .option('--limit <count>', 'how many at most', countUpTo(JOBS_MAX), JOBS_DEFAULT)
    .option('--before <id>', 'only jobs with a lower number', jobId)
    .action((options: JobsOptions) =>
      withServer(cli, options, async ({ io, client }) => {
        const query = new URLSearchParams({ limit: String(options.limit) });
        if (options.state !== undefined) query.set('state', options.state);
        if (options.before !== undefined) query.set('before', String(options.before));
        const list = await client.json(`/api/jobs?${query}`, JobPage);
        if (options.json) await printJson(io, list);
        else await io.out(renderJobs(list, io));
        if (list.next !== undefined) io.err(`older ones: --before ${list.next}\n`);
        return EXIT.ok;
      }),
    );
}

function states(text: string): string {
  const known: readonly string[] = JobView.shape.state.options;
  for (const state of text.split(','))
    if (!known.includes(state))
      throw new InvalidArgumentError(`The states are ${known.join(', ')}.`);
  return text;
}

export function jobCommand(cli: Cli): Command {
  return serverCommand('job', 'show a job and its boards', ['muster job 12'])
    .argument('<id>', "the job's number", jobId)
    .action((id: number, options: CommonOptions) =>
      withServer(cli, options, async ({ io, client }) => {
        const job = await client.json(`/api/jobs/${id}`, JobView);
        if (options.json) {
          await printJson(io, job);
          return EXIT.ok;
        }
        const { suites } = await client.json(`/api/jobs/${id}/results`, ResultsView);
        await io.out(renderJob(job, suites, io));
        return EXIT.ok;
      }),
    );
}
