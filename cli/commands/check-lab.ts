/** `muster check-lab`: tries the scheduling rules on a lab's own file and jobs, without a server. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { LabRefused, readLabFile } from '../../server/lab-file.ts';
import { checkLab, type LabToCheck } from '../../simulation/check-lab.ts';
import type { JobModel } from '../../simulation/scenarios.ts';
import { formatProblems } from '../../submission/format.ts';
import { parseJob } from '../../submission/job.ts';
import type { Lab } from '../../submission/lab.ts';
import { type Cli, counter, countUpTo, exampleText, printJson } from '../command.ts';
import { withRepository } from '../examples.ts';
import { CliFailure, EXIT } from '../exit.ts';
import { renderLabCheck } from '../pages/lab-check-page.ts';

const RUNS_DEFAULT = 200;
const RUNS_MAX = 1_000_000;
const SEED_DEFAULT = 1;
/** The lab's file does not name the worker; its boards have one. */
const WORKER = 'the worker';

interface CheckOptions {
  jobs?: string;
  runs: number;
  seed: number;
  json?: boolean;
}

export function checkLabCommand(cli: Cli): Command {
  return new Command('check-lab')
    .description("try the scheduling rules on a lab's own boards and jobs, without a server")
    .argument('<file>', "the lab's boards (YAML)")
    .option('--jobs <dir>', 'a folder of jobs; without one, jobs are made up')
    .option('--runs <number>', 'random runs of each rule', countUpTo(RUNS_MAX), RUNS_DEFAULT)
    .option('--seed <number>', 'decides what is left to chance', counter, SEED_DEFAULT)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `${exampleText(['muster check-lab lab.yaml --jobs jobs/'])}

Exit status: 0 all is well, 1 a rule does not hold or a job can never run here,
2 a file is wrong.`,
    )
    .action(async (file: string, options: CheckOptions) => {
      const { io } = cli;
      const lab = labOf(await readLab(file), await readJobs(options.jobs));
      const report = checkLab(lab, options);
      if (options.json) await printJson(io, { seed: options.seed, ...report });
      else await io.out(renderLabCheck(report, options.seed, io));
      const isBad =
        report.never.length > 0 || report.properties.some(({ failure }) => failure !== undefined);
      if (isBad) cli.exit = EXIT.failed;
    });
}

function labOf({ devices, jobLimit }: Lab, jobs: JobModel[]): LabToCheck {
  const boards = devices.map(({ name, type: deviceType, tags }) => {
    const during = { from: 0, until: null };
    return { name, deviceType, tags, worker: WORKER, ...during };
  });
  return { boards, jobs, ...(jobLimit !== undefined && { jobLimit }) };
}

async function readLab(file: string): Promise<Lab> {
  try {
    return (await readLabFile(file)).lab;
  } catch (error) {
    if (!(error instanceof LabRefused)) throw error;
    throw wrong('lab-refused', error.message);
  }
}

/** Every `.json` of the folder, by name; all problems of all files at once. */
async function readJobs(dir: string | undefined): Promise<JobModel[]> {
  if (dir === undefined) return [];
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such folder' : error.message;
    throw wrong('unreadable-jobs', `--jobs ${dir}: ${why}`);
  });
  const files = names.filter((name) => name.endsWith('.json')).sort();
  if (files.length === 0)
    throw wrong('no-jobs', `--jobs ${dir}: there is no job in it, no file that ends in .json`);
  const jobs: JobModel[] = [];
  let problems = '';
  for (const file of files) {
    // Where its test definitions come from decides nothing here.
    const text = withRepository(await readFile(join(dir, file), 'utf8'), '/examples');
    const parsed = parseJob(text);
    if ('problems' in parsed)
      problems += formatProblems(parsed.problems, { file: join(dir, file), text });
    else {
      const { priority, timeoutSeconds, roles } = parsed.definition;
      jobs.push({ name: file, priority, timeoutSeconds, roles });
    }
  }
  if (problems !== '')
    throw wrong('invalid-job', `--jobs ${dir}: not every file is a job\n${problems.trimEnd()}`);
  return jobs;
}

const wrong = (code: string, message: string): CliFailure =>
  new CliFailure({ code, exit: EXIT.usage, message });
