/** `muster barriers ID`: who arrived when, who came last, who is missing. */
import type { Command } from 'commander';
import { StateView } from '../../answers/views.ts';
import { Barriers } from '../../api/schemas.ts';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { barriersOf } from '../../projections/barriers.ts';
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
import { EXIT } from '../exit.ts';
import { eventsPath, knownEvent } from '../follow.ts';
import { tellingLongWaits } from '../long-waits.ts';
import { renderBarriers } from '../pages/job-page.ts';

interface BarriersOptions extends CommonOptions {
  follow?: boolean;
}

export function barriersCommand(cli: Cli): Command {
  return serverCommand('barriers', 'show who arrived at and who is missing from each barrier', [
    'muster barriers 12',
    'muster barriers 12 --follow',
  ])
    .argument('<id>', "the job's number", jobId)
    .option('--follow', 'show each barrier again as it changes, until the job has ended')
    .addHelpText('after', '\nWith --follow --json: one JSON document a line, a barrier each.')
    .action((id: number, options: BarriersOptions) =>
      withServer(cli, options, async (context) => {
        const { io, client } = context;
        if (options.follow)
          return sayingOnInterrupt(`job ${id} goes on`, () => follow(context, id, options));
        const barriers = await client.json(`/api/jobs/${id}/barriers`, Barriers);
        if (options.json) await printJson(io, barriers);
        else await io.out(renderBarriers(barriers, io));
        return EXIT.ok;
      }),
    );
}

/** What had come by now is shown at once, then each barrier that changes. A wait that is long is told once. */
async function follow(context: Context, id: number, { json }: BarriersOptions): Promise<number> {
  const { io, client } = context;
  const events: RecordedEvent<JobEvent>[] = [];
  const shown = new Map<string, string>();
  const show = async () => {
    for (const barrier of barriersOf(events)) {
      const { id: message, verb, round, role = '' } = barrier;
      const key = JSON.stringify([message, verb, round, role]);
      const text = json
        ? `${JSON.stringify(barrier)}\n`
        : renderBarriers({ job: id, barriers: [barrier] }, io);
      if (shown.get(key) === text) continue;
      shown.set(key, text);
      await io.out(text);
    }
  };
  const { events: now } = await client.json(`/api/jobs/${id}/state`, StateView);
  const run = async () => {
    for await (const received of client.follow(eventsPath(id))) {
      const event = knownEvent(received);
      events.push(event);
      if (event.version === now || (event.version > now && CHANGES.has(event.type))) await show();
    }
  };
  if (json) await run();
  else await tellingLongWaits(context, id, run);
  return EXIT.ok;
}

/** What may change a barrier. */
const CHANGES: ReadonlySet<string> = new Set<JobEvent['type']>([
  'MessageSent',
  'WaitStarted',
  'WaitReleased',
  'WaitTimedOut',
  'WaitStuck',
  'WaitUnstuck',
  'WaitUnreachable',
  'WaitAbandoned',
]);
