/** What the commands share that answer from a job's evidence: by a server, or from a bundle and without one. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { z } from 'zod';
import type { Manifest } from '../answers/bundle.ts';
import type { Evidence } from '../answers/evidence.ts';
import { AnswerRefused } from '../answers/refused.ts';
import { readBundle } from './bundle-file.ts';
import { ServerProblem } from './client.ts';
import {
  type Cli,
  type CommonOptions,
  type Context,
  jobId,
  serverCommand,
  withServer,
} from './command.ts';
import { CliFailure, EXIT } from './exit.ts';
import type { Io } from './io.ts';
import { hang } from './pages/text.ts';

export interface AnswerOptions extends CommonOptions {
  bundle?: string;
}

/** A command of one job: its number, or a bundle in its place. */
export function answerCommand(name: string, summary: string, examples: readonly string[]): Command {
  return bundleCommand(name, summary, examples).argument('[id]', "the job's number", jobId);
}

/** A command that takes a bundle, and has words of its own. */
export const bundleCommand = (
  name: string,
  summary: string,
  examples: readonly string[],
): Command =>
  serverCommand(name, summary, examples).option(
    '--bundle <file>',
    'from the file that muster bundle wrote, without a server',
  );

/** How a view comes about: a server's answer, or the same function over a bundle. */
export interface Answer<S extends z.ZodType> {
  /** Of the API, below the job's own address: `/state?at=3`. */
  path: string;
  shape: S;
  from(evidence: Evidence): Promise<z.infer<S>> | z.infer<S>;
}

/** Asks for a view, and hands it on. */
export function withAnswer<S extends z.ZodType>(
  cli: Cli,
  id: number | undefined,
  options: AnswerOptions,
  answer: Answer<S>,
  show: (view: z.infer<S>, io: Io) => Promise<number>,
): Promise<void> {
  return withJob(cli, id, options, {
    server: async ({ io, client }, job) => {
      const path = `/api/jobs/${job}${answer.path}`;
      const view = await orFromHere(client.json(path, answer.shape), async () => {
        const evidence = await bundleFrom({ io, client }, job);
        return refusedInWords(async () => answer.from(evidence));
      });
      return show(view, io);
    },
    bundle: async (evidence) => show(await answer.from(evidence), cli.io),
  });
}

/** Runs against a server for a job by its number, or on the evidence of a bundle. */
export async function withJob(
  cli: Cli,
  id: number | undefined,
  { bundle, ...options }: AnswerOptions,
  run: {
    server(context: Context, job: number): Promise<number>;
    bundle(evidence: Evidence): Promise<number>;
  },
): Promise<void> {
  if (bundle === undefined) {
    if (id === undefined) throw usage('say which job: its number, or --bundle FILE');
    return withServer(cli, options, (context) => run.server(context, id));
  }
  const evidence = await bundled(cli.io, bundle, id);
  await refusedInWords(async () => {
    cli.exit = await run.bundle(evidence);
  });
}

/** What a server answers; of a job of too many events for it the answer is worked out here. */
export async function orFromHere<T>(asked: Promise<T>, here: () => Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ServerProblem && error.code === 'too-many-events') return here();
    throw error;
  }
}

/** All that a server knows of a job. */
export async function bundleFrom({ io, client }: Context, job: number): Promise<Evidence> {
  io.err(hang('muster: ', `job ${job} is long: it is fetched whole`, io.columns));
  const folder = await mkdtemp(join(tmpdir(), 'muster-job-'));
  try {
    const file = join(folder, `job-${job}.tar.gz`);
    await writeFile(file, client.made(`/api/jobs/${job}/bundle`));
    return (await readBundle(file)).evidence;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The evidence of a bundle; what is unknown of an imported one is said on stderr. */
export async function bundled(io: Io, file: string, id?: number): Promise<Evidence> {
  const { evidence, manifest } = await readBundle(file);
  if (id !== undefined && id !== manifest.job)
    throw usage(`${file} is of job ${manifest.job}, not of job ${id}`);
  sayUnknown(io, manifest);
  return evidence;
}

function sayUnknown(io: Io, { imported }: Manifest): void {
  if (imported === undefined) return;
  io.err(
    hang('muster: ', `made of ${imported.from}; what it does not hold is unknown:`, io.columns),
  );
  for (const what of imported.unknown) io.err(hang('  ', what, io.columns));
}

/** What cannot be answered is a message and exit 1, as it is when a server says it. */
export async function refusedInWords<T>(answer: () => Promise<T>): Promise<T> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof AnswerRefused)) throw error;
    throw new CliFailure({ code: error.code, exit: EXIT.failed, message: error.message });
  }
}

export const usage = (message: string): CliFailure =>
  new CliFailure({ code: 'usage', exit: EXIT.usage, message });
