/** What all commands that talk to a server share: their options, their client, and what Ctrl-C says. */
import { Command, InvalidArgumentError } from 'commander';
import { readCa } from './ca.ts';
import { Client } from './client.ts';
import { Interrupted } from './exit.ts';
import type { Io } from './io.ts';
import { hang } from './pages/text.ts';

const URL_DEFAULT = 'http://127.0.0.1:7077';

/** One run of the command line. A command sets how the process will exit. */
export interface Cli {
  io: Io;
  exit: number;
}

export interface CommonOptions {
  url?: string;
  ca?: string;
  json?: boolean;
}

/** What a command is handed: the streams and the server. */
export interface Context {
  io: Io;
  client: Client;
}

/** A command with `--url`, `--json` and examples under its help. */
export function serverCommand(name: string, summary: string, examples: readonly string[]): Command {
  return new Command(name)
    .description(summary)
    .option('--url <url>', `the server (default: MUSTER_URL, or ${URL_DEFAULT})`)
    .option('--ca <file>', "who signed the server's certificate, PEM (default: MUSTER_CA)")
    .option('--json', 'print JSON')
    .addHelpText('after', exampleText(examples));
}

export function exampleText(examples: readonly string[]): string {
  const title = examples.length === 1 ? 'Example:' : 'Examples:';
  return `\n${title}\n${examples.map((line) => `  $ ${line}\n`).join('')}`.trimEnd();
}

/** Runs a command against the server that its options, or else the environment, name. */
export async function withServer(
  cli: Cli,
  options: CommonOptions,
  run: (context: Context) => Promise<number>,
): Promise<void> {
  const { io } = cli;
  const client = new Client({
    ca: await caOf(options, io),
    url: options.url ?? (io.env.MUSTER_URL || URL_DEFAULT),
    token: io.env.MUSTER_API_TOKEN || undefined,
    signal: io.interrupt(),
    onBreak: (text) => io.err(hang('muster: ', text, io.columns)),
  });
  cli.exit = await run({ io, client });
}

async function caOf({ ca }: CommonOptions, { env }: Io): Promise<string | undefined> {
  if (ca !== undefined) return readCa(ca);
  const file = env.MUSTER_CA || undefined;
  return file && readCa(file, `MUSTER_CA=${file}`);
}

/** One JSON document on stdout. */
export function printJson(io: Io, document: unknown): Promise<void> {
  return io.out(`${JSON.stringify(document, undefined, 2)}\n`);
}

/** A job's number, also as its stream calls it: `12`, `job-12`. */
export function jobId(text: string): number {
  const digits = /^(?:job-)?([1-9][0-9]{0,14})$/.exec(text)?.[1];
  if (digits === undefined) throw new InvalidArgumentError('Expected the number of a job.');
  return Number(digits);
}

/** A whole number from 1 to `max`. */
export function countUpTo(max: number): (text: string) => number {
  return (text) => {
    const count = /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
    if (count < 1 || count > max)
      throw new InvalidArgumentError(`Expected a whole number from 1 to ${max}.`);
    return count;
  };
}

/** A whole number from 0. */
export function counter(text: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}

/** The name of a folder: none, as of a variable that is not set, would be the folder that one is in. */
export function folder(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected a folder.');
  return text;
}

/** When Ctrl-C ends this, the message says what goes on without us. */
export async function sayingOnInterrupt<T>(message: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof Interrupted ? new Interrupted(message) : error;
  }
}
