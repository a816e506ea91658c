/** `muster submit FILE|-`: hands in a job; with `--wait` shows its progress and ends as the job ends. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Command } from 'commander';
import type { z } from 'zod';
import { Results, Submitted } from '../../api/schemas.ts';
import { shortText } from '../../machines/wording.ts';
import { JobView } from '../../projections/views.ts';
import { formatProblems } from '../../submission/format.ts';
import { DOCUMENT_BYTES_MAX } from '../../submission/tree.ts';
import { ServerProblem } from '../client.ts';
import {
  type Cli,
  type CommonOptions,
  type Context,
  printJson,
  sayingOnInterrupt,
  serverCommand,
  withServer,
} from '../command.ts';
import { CliFailure, EXIT, OutputClosed } from '../exit.ts';
import { followJob } from '../follow.ts';
import type { Io } from '../io.ts';
import { progress } from '../pages/progress.ts';
import { hang, hangLines } from '../pages/text.ts';

interface SubmitOptions extends CommonOptions {
  wait?: boolean;
  countsSelf?: boolean;
  strict?: boolean;
}

type Handed = z.infer<typeof Submitted>;

export function submitCommand(cli: Cli): Command {
  return serverCommand('submit', 'hand in a job and print its number', [
    'muster submit job.json --wait',
    'generate-job | muster submit -',
  ])
    .argument('<file>', 'the job, or - for standard input')
    .option('--wait', 'show the progress; exit 0 when the job completed and no case failed')
    .option('--counts-self', 'a wait counts the board that waits')
    .option('--no-counts-self', 'a wait counts the other boards only')
    .option('--strict', 'hand nothing in where muster lint would warn')
    .addHelpText(
      'after',
      `
Exit status: 0 done, 1 the job failed or was rejected, 2 the file is wrong,
3 no server answers.`,
    )
    .action(async (file: string, options: SubmitOptions) => {
      const document = await readDocument(file, cli.io);
      await withServer(cli, options, async (context) => {
        const submitted = await submit(context, file, document, options);
        return submitted.state === 'rejected' || options.wait !== true
          ? printed(context.io, submitted, options)
          : waitFor(context, submitted, options);
      });
    });
}

/** @throws CliFailure `unreadable-file` or `too-large` (exit 2) */
async function readDocument(file: string, io: Io): Promise<Uint8Array<ArrayBuffer>> {
  const fail = (code: string, why: string) =>
    new CliFailure({ code, exit: EXIT.usage, message: `${file} ${why}` });
  try {
    const document = Uint8Array.from(file === '-' ? await io.stdin() : await readFile(file));
    if (document.length > DOCUMENT_BYTES_MAX)
      throw fail('too-large', `is larger than ${DOCUMENT_BYTES_MAX / 1024 / 1024} MiB`);
    return document;
  } catch (error) {
    if (error instanceof CliFailure) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw fail('unreadable-file', `cannot be read: ${READ_ERRORS[code] ?? code}`);
  }
}
const READ_ERRORS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
};

const CONTENT_TYPES: Record<string, string> = {
  '.json': 'application/json',
  '.yaml': 'application/yaml',
  '.yml': 'application/yaml',
};

/** Hands the document in. Its key makes the order one that may be repeated when the connection breaks. */
async function submit(
  { io, client }: Context,
  file: string,
  document: Uint8Array<ArrayBuffer>,
  { countsSelf, strict }: SubmitOptions,
): Promise<Handed> {
  const of = { file, text: new TextDecoder().decode(document) };
  const asked = new URLSearchParams({
    ...(countsSelf !== undefined && { countsSelf: String(countsSelf) }),
    ...(strict === true && { strict: 'true' }),
  });
  const query = asked.size === 0 ? '' : `?${asked}`;
  try {
    const submitted = await client.json(`/api/jobs${query}`, Submitted, {
      method: 'POST',
      body: document,
      headers: {
        'content-type': CONTENT_TYPES[extname(file).toLowerCase()] ?? 'text/plain',
        'idempotency-key': randomUUID(),
      },
    });
    const warnings = submitted.warnings.map(({ path, line, column, message }) => ({
      path,
      line,
      column,
      message: `warning: ${message}`,
    }));
    io.err(formatProblems(warnings, of));
    if (submitted.unread !== undefined) io.err(hang('', submitted.unread, io.columns));
    return submitted;
  } catch (error) {
    if (!(error instanceof ServerProblem) || error.code !== 'invalid-job') throw error;
    const problems = error.problems.map(({ path, line = 1, column = 1, message }) => ({
      path,
      line,
      column,
      message,
    }));
    io.err(formatProblems(problems, of));
    const message = `${file} is not a job that can be run; nothing was submitted`;
    throw new CliFailure({ code: 'invalid-job', exit: EXIT.usage, message });
  }
}

async function printed(io: Io, submitted: Handed, options: SubmitOptions): Promise<number> {
  if (options.json) await printJson(io, submitted);
  else await io.out(`${submitted.id}\n`);
  if (submitted.state !== 'rejected') return EXIT.ok;
  const lines = `job ${submitted.id} is rejected: ${shortText(submitted.short)}`.split('\n');
  io.err(hangLines('', lines, io.columns));
  return EXIT.failed;
}

async function waitFor(
  { io, client }: Context,
  submitted: Handed,
  options: SubmitOptions,
): Promise<number> {
  const { id } = submitted;
  if (!options.json) await outUnlessClosed(io, `${id}\n`);
  const colors = io.errColors;
  await sayingOnInterrupt(goesOn(id), () =>
    followJob(client, id, progress({ colors, columns: io.columns }), io.err, true),
  );
  const job = await client.json(`/api/jobs/${id}`, JobView, { isPatient: true });
  const { summary } = await client.json(`/api/jobs/${id}/results`, Results, { isPatient: true });
  if (options.json) {
    const { state, members, reason } = job;
    await printJson(io, { ...submitted, state, reason, members, summary });
  }
  const { pass, fail, skip, unknown } = summary;
  const cases = `${pass} pass, ${fail} fail, ${skip} skip, ${unknown} unknown`;
  const isGood = job.state === 'complete' && fail === 0;
  const line = hang('', `job ${id} is ${job.state}: ${cases}`, io.columns);
  io.err(isGood ? colors.green(line) : colors.red(line));
  if (job.state !== 'complete') io.err(hang('', whereItSays(id), io.columns));
  return isGood ? EXIT.ok : EXIT.failed;
}

const whereItSays = (id: number): string =>
  `muster job ${id} says how each board ended, muster barriers ${id} who waited for whom, muster logs ${id} what they printed`;

/** That nobody reads the number must not end the wait: the exit status is what was asked for. */
async function outUnlessClosed(io: Io, text: string): Promise<void> {
  try {
    await io.out(text);
  } catch (error) {
    if (!(error instanceof OutputClosed)) throw error;
  }
}

const goesOn = (id: number): string =>
  `job ${id} goes on; muster watch ${id} shows it again, muster cancel ${id} ends it`;
