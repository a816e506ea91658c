/** `muster replay ID`: a job as it was at any of its events; step by step with keys, or on with what happens. */
import { type Evidence, labAt } from '../../answers/evidence.ts';
import { Moments } from '../../answers/moments.ts';
import { stateAt } from '../../answers/state-at.ts';
import { StateView } from '../../answers/views.ts';
import { JobView } from '../../projections/views.ts';
import type { Client } from '../client.ts';
import { type Cli, printJson, sayingOnInterrupt, withServer } from '../command.ts';
import { type AnswerOptions, answerCommand, usage, withJob } from '../evidence.ts';
import { CliFailure, EXIT } from '../exit.ts';
import { eventsPath } from '../follow.ts';
import type { Io } from '../io.ts';
import { renderEventLine, renderState } from '../pages/state-page.ts';
import { names } from '../pages/text.ts';
import { atOf, isTimeOfDay } from '../time-of-day.ts';

interface ReplayOptions extends AnswerOptions {
  at?: string;
  device?: string;
  step?: boolean;
  follow?: boolean;
}

/** A job at one of its events, by its number or a time; absent: the last. */
type StateOf = (at?: string) => Promise<StateView>;

export function replayCommand(cli: Cli) {
  return answerCommand('replay', 'show a job as it was at any of its events', [
    'muster replay 12 --at 41',
    'muster replay 12 --at 14:03:59 --device panda03',
    'muster replay 12 --at 2026-08-01T14:03:59Z',
    'muster replay 12 --step',
    'muster replay --bundle job-12.tar.gz --at 41',
  ])
    .option(
      '--at <event|time>',
      'the number of an event, a time of day when the job ran (14:03:59), or a time in ISO 8601 (default: the last)',
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

/** Runs on a job, of a server or of a bundle; `at` of the options is no time of day any more. */
function withStates(
  cli: Cli,
  id: number | undefined,
  options: ReplayOptions,
  run: (stateOf: StateOf, options: ReplayOptions) => Promise<number>,
): Promise<void> {
  const { at } = options;
  const meant = (span: Parameters<typeof atOf>[1]) => ({ ...options, at: atOf(at ?? '', span) });
  return withJob(cli, id, options, {
    server: async ({ client }, job) => {
      const stateOf = statesOf(client, job);
      if (at === undefined || !isTimeOfDay(at)) return run(stateOf, options);
      const { submittedAt, endedAt } = await client.json(`/api/jobs/${job}`, JobView);
      const last = endedAt === undefined ? Date.now() : Date.parse(endedAt);
      return run(stateOf, meant({ job, first: Date.parse(submittedAt), last }));
    },
    bundle: async ({ job, events, lab }: Evidence) => {
      const moments = new Moments(events);
      const stateOf: StateOf = async (word) => {
        const version = moments.versionOf(word);
        return stateAt(job, moments, version, labAt(lab, version));
      };
      if (at === undefined || !isTimeOfDay(at)) return run(stateOf, options);
      const [first, last] = [events[0]?.meta.at ?? 0, events.at(-1)?.meta.at ?? 0];
      return run(stateOf, meant({ job, first, last }));
    },
  });
}

const statesOf =
  (client: Client, job: number): StateOf =>
  (at) => {
    const query = at === undefined ? '' : `?at=${encodeURIComponent(at)}`;
    return client.json(`/api/jobs/${job}/state${query}`, StateView);
  };

function once(cli: Cli, id: number | undefined, options: ReplayOptions): Promise<void> {
  return withStates(cli, id, options, async (stateOf, { at }) =>
    show(await stateOf(at), cli.io, options),
  );
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
  return withStates(cli, id, options, async (stateOf, { at: from = '1' }) => {
    const draw = async (at: string | undefined): Promise<StateView> => {
      const view = await stateOf(at);
      expectBoard(view, options.device);
      const page = renderState(view, io, options.device);
      // Of a page that is longer than the terminal the end is seen: it says again which event it is of.
      await io.out(`${CLEAR}${page}\n${renderEventLine(view, io)}${HINT}\n`);
      return view;
    };
    let view = await draw(from);
    for await (const key of keys) {
      const far = KEYS[key];
      if (far === 'end') break;
      if (far === undefined) continue;
      const to = Math.max(1, view.at.event + far);
      // The last one of now: a job that runs goes on meanwhile.
      view = await draw(to >= view.events ? undefined : String(to));
    }
    return EXIT.ok;
  });
}

// on with what happens

function follow(cli: Cli, id: number | undefined, options: ReplayOptions): Promise<void> {
  if (options.bundle !== undefined || id === undefined)
    throw usage('--follow needs the number of a job: nothing more happens in a bundle');
  return withServer(cli, options, ({ io, client }) =>
    sayingOnInterrupt(`job ${id} goes on`, async () => {
      const stateOf = statesOf(client, id);
      const tell = async (view: StateView) => {
        expectBoard(view, options.device);
        const text = options.json ? JSON.stringify(view) : renderState(view, io, options.device);
        await io.out(`${text}\n`);
        return view;
      };
      // What had happened by now is shown once, and what comes event by event.
      const { events } = await tell(await stateOf());
      for await (const { version } of client.follow(eventsPath(id), events))
        await tell(await stateOf(String(version)));
      return EXIT.ok;
    }),
  );
}
