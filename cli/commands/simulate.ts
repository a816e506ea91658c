/** `muster simulate`: plays a recorded or a made-up trace under scheduling policies, and compares them. */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { generate, type Wishes } from '../../simulation/generate.ts';
import { makePolicy, POLICIES, type PolicyName } from '../../simulation/policies.ts';
import { type Report, reportOf } from '../../simulation/report.ts';
import { type MoreBoards, type Trace, withMore, without } from '../../simulation/trace.ts';
import { LogStory } from '../../simulation/trace-from-log.ts';
import { simulate } from '../../simulation/virtual-lab.ts';
import { didYouMean, list, quote } from '../../submission/quoting.ts';
import { type Cli, counter, exampleText, printJson } from '../command.ts';
import { CliFailure, EXIT } from '../exit.ts';
import { renderSimulation } from '../pages/simulation-page.ts';
import { plot } from '../pages/simulation-plot.ts';
import { moreBoards, moreNames, policiesIn, wishesIn } from '../simulation-words.ts';
import { readLog } from '../trace-file.ts';

const SEED_DEFAULT = 1;

interface SimulateOptions {
  trace?: string;
  generate?: Wishes;
  policy?: PolicyName[];
  without?: string[];
  with?: MoreBoards[];
  seed: number;
  svg?: string;
  json?: boolean;
}

export function simulateCommand(cli: Cli): Command {
  return new Command('simulate')
    .description('play what a log recorded under other rules, or with other boards')
    .option('--trace <log>', 'events as JSON lines, a data folder, or its muster.db')
    .option(
      '--generate <wishes>',
      'make a trace up instead: boards=N, and jobs=N, wide=%, load=%, burst=N, lost=%',
      wishesIn,
    )
    .option('--policy <names>', `some of ${POLICIES.join(', ')} (default: all)`, policiesIn)
    .option('--without <board>', 'take a board away; may be repeated', moreNames)
    .option(
      '--with <type:count:tags>',
      'add boards, such as panda:2:wifi; may be repeated',
      moreBoards,
    )
    .option('--seed <number>', 'decides what is left to chance', counter, SEED_DEFAULT)
    .option('--svg <file>', 'draw waits and use as well')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      exampleText([
        'muster simulate --trace muster-data --without panda03',
        'muster events --json > week.jsonl; muster simulate --trace week.jsonl',
        'muster simulate --generate boards=100,load=90 --svg plot.svg',
      ]),
    )
    .action(async (options: SimulateOptions) => {
      const { io } = cli;
      const trace = changed(await traceFor(options), options);
      const reports = (options.policy ?? POLICIES).map((name) => play(trace, name, options.seed));
      if (options.svg !== undefined) await writePlot(options.svg, plot(reports));
      if (options.json) {
        const { boards, jobs, guessed } = trace;
        const of = { boards: boards.length, jobs: jobs.length, guessed, seed: options.seed };
        await printJson(io, { trace: of, policies: reports });
      } else await io.out(renderSimulation(trace, reports, io));
    });
}

const play = (trace: Trace, name: PolicyName, seed: number): Report =>
  reportOf(simulate(trace, makePolicy(name, trace.workers, seed)));

async function traceFor({ trace: log, generate: wishes, seed }: SimulateOptions): Promise<Trace> {
  if ((log === undefined) === (wishes === undefined))
    throw wrong('say either --trace LOG or --generate boards=N');
  if (wishes !== undefined) return generate(wishes, seed);
  const path = log ?? '';
  const story = new LogStory();
  for await (const event of readLog(path)) story.take(event);
  const trace = story.trace();
  if (trace.jobs.length === 0)
    throw wrong(`${path}: no job was submitted in this log, so there is nothing to play`);
  return trace;
}

/** With and without the boards that were named. */
function changed(trace: Trace, options: SimulateOptions): Trace {
  const { without: gone = [], with: more = [] } = options;
  const known = trace.boards.map(({ name }) => name);
  for (const name of gone) {
    if (known.includes(name)) continue;
    const near = didYouMean(name, known);
    const hint = near === '' ? '' : ` ${near}`;
    throw wrong(`--without ${quote(name)}: no such board;${hint} there are ${list(known)}`);
  }
  return withMore(without(trace, new Set(gone)), more);
}

async function writePlot(file: string, svg: string): Promise<void> {
  await writeFile(file, svg).catch((error: Error) => {
    throw wrong(`--svg ${file} cannot be written: ${error.message}`);
  });
}

const wrong = (message: string): CliFailure =>
  new CliFailure({ code: 'wrong-simulation', exit: EXIT.usage, message });
