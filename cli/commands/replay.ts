/** `muster replay ID`: a job as it was at any of its events; step by step with keys, or on with what happens. */
import { Moments } from '../../answers/moments.ts';
import { stateAt } from '../../answers/state-at.ts';
import { StateView } from '../../answers/views.ts';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { type Cli, printJson, sayingOnInterrupt, withServer } from '../command.ts';
import { type AnswerOptions, answerCommand, usage, withAnswer, withJob } from '../evidence.ts';
import { CliFailure, EXIT } from '../exit.ts';
import { allEvents, eventsPath, knownEvent } from '../follow.ts';
import type { Io } from '../io.ts';
import { renderState } from '../pages/state-page.ts';
import { names } from '../pages/text.ts';

interface ReplayOptions extends AnswerOptions {
  at?: string;
  device?: string;
  step?: boolean;
  follow?: boolean;
}

type Event = RecordedEvent<JobEvent>;

export function replayCommand(cli: Cli) {
  return answerCommand('replay', 'show a job as it was at any of its events', [
    'muster replay 12 --at 41',
    'muster replay 12 --at 2026-08-01T14:03:59Z --device panda03',
    'muster replay 12 --step',
    'muster replay --bundle job-12.tar.gz --at 41',
  ])
    .option(
      '--at <event|time>',
      'the number of an event, or a time in ISO 8601 (default: the last)',
    )
    .option('--device <name>', 'this board alone')
    .option('--step', 'event by event, with keys')
    .option('--follow', 'go on with what happens, until the job has ended')
    .addHelpText(
      'after',
      `\nKeys of --step: ${KEYS_HELP}\nWith --follow --json: one JSON document a line, a state each.`,
    )
    .action((id: number | undefined, options: ReplayOptions) => {
      if (options.step) return stepThrough(cli, id, options);
      if (options.follow) return follow(cli, id, options);
      return once(cli, id, options);
    });
}

function once(cli: Cli, id: number | undefined, options: ReplayOptions): Promise<void> {
  const { at } = options;
  const answer = {
    path: at === undefined ? '/state' : `/state?at=${encodeURIComponent(at)}`,
    shape: StateView,
    from: ({ job, events }: { job: number; events: readonly Event[] }) => {
      const moments = new Moments(events);
      return stateAt(job, moments, moments.versionOf(at));
    },
  };
  return withAnswer(cli, id, options, answer, (view, io) => show(view, io, options));
}

async function show(view: StateView, io: Io, { json, device }: ReplayOptions): Promise<number> {
  expectBoard(view, device);
  if (json) await printJson(io, view);
  else await io.out(renderState(view, io, device));
  return EXIT.ok;
}

/** @throws CliFailure `no-such-member`: exit 1 */
function expectBoard({ id, boards }: StateView, device: string | undefined): void {
  if (device === undefined || boards.length === 0) return;
  const there = boards.map((board) => board.device);
  if (there.includes(device)) return;
  const message = `${device} is no board of job ${id}; its boards: ${names(there)}`;
  throw new CliFailure({ code: 'no-such-member', exit: EXIT.failed, message });
}

// step by step

const KEYS_HELP =
  'right or n, left or p: one event on, or back; down or J, up\nor K: ten; g and G: the first, the last; q: enough.';
const HINT = 'n p: one event  J K: ten  g G: first, last  q: quit';
const CLEAR = '\u001b[H\u001b[2J';

/** How far a key leads; `end`: out. */
const KEYS: Readonly<Record<string, number | 'end'>> = {
  n: 1,
  '\u001b[C': 1,
  ' ': 1,
  p: -1,
  '\u001b[D': -1,
  J: 10,
  '\u001b[B': 10,
  K: -10,
  '\u001b[A': -10,
  g: Number.NEGATIVE_INFINITY,
  G: Number.POSITIVE_INFINITY,
  q: 'end',
  '\u0003': 'end',
  '\u0004': 'end',
};

function stepThrough(cli: Cli, id: number | undefined, options: ReplayOptions): Promise<void> {
  const { io } = cli;
  const keys = io.keys();
  if (keys === undefined)
    throw usage('--step needs a terminal: --at EVENT shows one event of a job');
  const run = async (job: number, events: readonly Event[]): Promise<number> => {
    const moments = new Moments(events);
    let at = moments.versionOf(options.at ?? '1');
    const draw = () => {
      const view = stateAt(job, moments, at);
      expectBoard(view, options.device);
      return io.out(`${CLEAR}${renderState(view, io, options.device)}\n${HINT}\n`);
    };
    await draw();
    for await (const key of keys) {
      const far = KEYS[key];
      if (far === 'end') break;
      if (far === undefined) continue;
      at = Math.min(Math.max(1, at + far), moments.count);
      await draw();
    }
    return EXIT.ok;
  };
  return withJob(cli, id, options, {
    server: async ({ client }, job) => run(job, await allEvents(client, job)),
    bundle: ({ job, events }) => run(job, events),
  });
}

// on with what happens

function follow(cli: Cli, id: number | undefined, options: ReplayOptions): Promise<void> {
  if (options.bundle !== undefined || id === undefined)
    throw usage('--follow needs the number of a job: nothing more happens in a bundle');
  return withServer(cli, options, ({ io, client }) =>
    sayingOnInterrupt(`job ${id} goes on`, async () => {
      const moments = new Moments();
      const { events: now } = await client.json(`/api/jobs/${id}/state`, StateView);
      for await (const received of client.follow(eventsPath(id))) {
        moments.take(knownEvent(received));
        // What had happened by now is shown once, and what comes event by event.
        if (moments.count < now) continue;
        const view = stateAt(id, moments, moments.count);
        expectBoard(view, options.device);
        const text = options.json ? JSON.stringify(view) : renderState(view, io, options.device);
        await io.out(`${text}\n`);
      }
      return EXIT.ok;
    }),
  );
}
