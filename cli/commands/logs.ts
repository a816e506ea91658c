/**
 * `muster logs ID`: the consoles of a job's boards, byte for byte, or all of them under headings; with the times of their
 * lines all of them as one, with the events of the job between them.
 */
import type { Command } from 'commander';
import { narrator } from '../../projections/timeline.ts';
import { JobView } from '../../projections/views.ts';
import {
  type Cli,
  type CommonOptions,
  type Context,
  jobId,
  printJson,
  sayingOnInterrupt,
  serverCommand,
  withServer,
} from '../command.ts';
import { CliFailure, EXIT } from '../exit.ts';
import { readEvent, recordedEvents } from '../follow.ts';
import { withoutFrames } from '../pages/console-frames.ts';
import { names } from '../pages/text.ts';
import { merged, renderTimedLine, type TimedLine, timedLines } from '../pages/timed-lines.ts';

interface LogsOptions extends CommonOptions {
  device?: string;
  follow?: boolean;
  times?: boolean;
}

type Member = JobView['members'][number];

export function logsCommand(cli: Cli): Command {
  return serverCommand('logs', "print the consoles of a job's boards", [
    'muster logs 12',
    'muster logs 12 --device panda01 --follow',
    'muster logs 12 --times',
  ])
    .argument('<id>', "the job's number", jobId)
    .option('--device <name>', "this board's console only, byte for byte")
    .option('--follow', 'go on with what is printed until the board has ended')
    .option('--times', 'with the time of each line; all boards by time, with the events between')
    .action((id: number, options: LogsOptions) =>
      withServer(cli, options, (context) =>
        sayingOnInterrupt(options.follow ? `job ${id} goes on` : '', () =>
          logs(context, id, options),
        ),
      ),
    );
}

async function logs(context: Context, id: number, options: LogsOptions): Promise<number> {
  const { io, client } = context;
  const members = await membersOf(context, id, options.device);
  const bytes = (member: Member) =>
    client.bytes(
      `/api/jobs/${id}/members/${encodeURIComponent(member.device)}/console`,
      options.follow === true,
    );
  if (options.times) return timedLogs(context, id, members, options);
  if (options.json) {
    const consoles = await Promise.all(
      members.map(async (member) => ({
        device: member.device,
        role: member.role,
        text: await textOf(bytes(member)),
      })),
    );
    await printJson(io, { job: id, consoles });
  } else if (options.device !== undefined) {
    for (const member of members) for await (const chunk of bytes(member)) await io.out(chunk);
  } else if (options.follow) {
    const out = new Interleaved(io.out);
    await Promise.all(members.map((member) => out.pass(headingOf(member), bytes(member))));
  } else {
    const out = new Interleaved(io.out);
    for (const member of members) {
      await out.heading(headingOf(member));
      await out.pass(headingOf(member), bytes(member));
    }
  }
  return EXIT.ok;
}

/** A line that is followed, and that the index does not have yet, came when it came here. */
async function timedLogs(
  { io, client }: Context,
  id: number,
  members: readonly Member[],
  { follow = false, json, device }: LogsOptions,
): Promise<number> {
  const consoles = await Promise.all(
    members.map(async (member) => {
      const path = `/api/jobs/${id}/members/${encodeURIComponent(member.device)}/console`;
      const index = await textOf(client.bytes(`${path}/times`, false));
      const lines = timedLines(
        member.device,
        client.bytes(path, follow),
        index,
        follow ? Date.now : undefined,
      );
      return { member, lines };
    }),
  );
  if (json) {
    const told = consoles.map(async ({ member: { device, role }, lines }) => {
      const timed: { at?: string; text: string }[] = [];
      for await (const { text, at } of lines)
        timed.push({ ...(at !== undefined && { at: new Date(at).toISOString() }), text });
      return { device, role, lines: timed };
    });
    await printJson(io, { job: id, consoles: await Promise.all(told) });
    return EXIT.ok;
  }
  const width = Math.max(0, ...members.map((member) => member.device.length));
  const print = async (line: TimedLine) => io.out(renderTimedLine(line, width));
  const sources = consoles.map(({ lines }) => lines);
  if (follow) {
    await Promise.all(
      sources.map(async (lines) => {
        for await (const line of lines) await print(line);
      }),
    );
    return EXIT.ok;
  }
  const between = device === undefined ? [eventLines(client, id)] : [];
  for await (const line of merged([...between, ...sources])) await print(line);
  return EXIT.ok;
}

/** The job's events as lines of the log. */
async function* eventLines(client: Context['client'], id: number): AsyncGenerator<TimedLine> {
  const say = narrator();
  for await (const received of recordedEvents(client, id, 0)) {
    const event = readEvent(received);
    const lines = event === undefined ? [received.type] : say(event).lines;
    for (const [place, text] of lines.entries())
      yield { who: '', text: place === 0 ? text : `  ${text}`, at: received.meta.at };
  }
}

/** @throws CliFailure `no-such-member`: exit 1 */
async function membersOf(
  { io, client }: Context,
  id: number,
  device: string | undefined,
): Promise<Member[]> {
  const { state, members } = await client.json(`/api/jobs/${id}`, JobView);
  if (members.length === 0) io.err(`job ${id} has no boards: it is ${state}\n`);
  const wanted = members.filter((member) => device === undefined || member.device === device);
  if (wanted.length > 0 || (device === undefined && members.length === 0)) return wanted;
  const there = names(members.map((member) => member.device));
  const message = `${device} is no board of job ${id}${there === '' ? '' : `; its boards: ${there}`}`;
  throw new CliFailure({ code: 'no-such-member', exit: EXIT.failed, message });
}

const headingOf = ({ device, role }: Member): string => `==> ${device} (${role}) <==`;

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

const LF = 0x0a;
/** A line that is longer is passed on in parts. */
const LINE_BYTES_MAX = 64 * 1024;

/** Several consoles on one page: whole lines, and a heading wherever another board begins to speak. */
class Interleaved {
  readonly #out: (chunk: string | Uint8Array) => Promise<void>;
  #speaker = '';
  #isAtLineStart = true;
  /** Writes go one after another. */
  #turn: Promise<void> = Promise.resolve();

  constructor(out: (chunk: string | Uint8Array) => Promise<void>) {
    this.#out = out;
  }

  /** Prints a heading now, so that a console without a word shows too. */
  heading(speaker: string): Promise<void> {
    return this.#write(speaker, new Uint8Array());
  }

  async pass(speaker: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    let held = Buffer.alloc(0);
    for await (const chunk of bytes) {
      held = Buffer.concat([held, chunk]);
      const end = held.length > LINE_BYTES_MAX ? held.length : held.lastIndexOf(LF) + 1;
      if (end === 0) continue;
      await this.#write(speaker, withoutFrames(held.subarray(0, end)));
      held = held.subarray(end);
    }
    if (held.length > 0) await this.#write(speaker, withoutFrames(held));
    if (this.#speaker === speaker && !this.#isAtLineStart) await this.#write(speaker, LINE_END);
  }

  #write(speaker: string, bytes: Uint8Array): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      if (this.#speaker !== speaker) {
        await this.#out(`${this.#isAtLineStart ? '' : '\n'}${speaker}\n`);
        this.#isAtLineStart = true;
      }
      this.#speaker = speaker;
      if (bytes.length === 0) return;
      await this.#out(bytes);
      this.#isAtLineStart = bytes.at(-1) === LF;
    });
    return this.#turn;
  }
}
const LINE_END = Buffer.from('\n');
