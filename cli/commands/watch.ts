/** `muster watch [ID]`: a job from its start to its end, or everything that happens in the lab from now on. */
import type { Command } from 'commander';
import { HealthView } from '../../api/schemas.ts';
import { jobOf } from '../../machines/names.ts';
import { narrator } from '../../projections/timeline.ts';
import { JobView } from '../../projections/views.ts';
import {
  type Cli,
  type CommonOptions,
  type Context,
  jobId,
  sayingOnInterrupt,
  serverCommand,
  withServer,
} from '../command.ts';
import { EXIT } from '../exit.ts';
import { eventsPath, followJob, readEvent } from '../follow.ts';
import { tellingLongWaits } from '../long-waits.ts';
import { renderMembers } from '../pages/job-page.ts';
import { type Progress, progress } from '../pages/progress.ts';
import { hang, hangLines, timeOfDay } from '../pages/text.ts';

export function watchCommand(cli: Cli): Command {
  return serverCommand('watch', 'follow a job to its end, or the whole lab from now on', [
    'muster watch 12',
    'muster watch',
  ])
    .argument('[id]', "the job's number", jobId)
    .addHelpText('after', '\nWith --json: one JSON document a line, an event each.')
    .action((id: number | undefined, options: CommonOptions) =>
      withServer(cli, options, (context) =>
        id === undefined
          ? watchLab(context, options)
          : sayingOnInterrupt(`job ${id} goes on`, () => watchJob(context, id, options)),
      ),
    );
}

async function watchJob(context: Context, id: number, options: CommonOptions): Promise<number> {
  const { io, client } = context;
  if (options.json) {
    for await (const event of client.follow(eventsPath(id)))
      await io.out(`${JSON.stringify(event)}\n`);
    return EXIT.ok;
  }
  await tellingLongWaits(context, id, () =>
    followJob(client, id, progress(io), (text) => io.out(text)),
  );
  const job = await client.json(`/api/jobs/${id}`, JobView, { isPatient: true });
  if (job.members.length > 0) await io.out(renderMembers(job, io));
  await io.out(hang('', `job ${id} is ${job.state}`, io.columns));
  return EXIT.ok;
}

async function watchLab(context: Context, options: CommonOptions): Promise<number> {
  const { io, client } = context;
  const { position } = await client.json('/api/health', HealthView);
  const tell = labProgress(progress({ ...io, label: (job) => `job ${job}` }), io.columns);
  const follow = async () => {
    for await (const received of client.follow(eventsPath(undefined), position)) {
      const event = options.json ? undefined : readEvent(received);
      const told = event === undefined ? '' : tell(event);
      const text = options.json ? `${JSON.stringify(received)}\n` : told;
      if (text !== '') await io.out(text);
    }
  };
  if (options.json) await follow();
  else await tellingLongWaits(context, undefined, follow);
  return EXIT.ok;
}

/** Jobs as their progress tells them; of boards and workers what is not a job's doing. */
function labProgress(ofJobs: Progress, columns: number): Progress {
  const say = narrator();
  return (event) => {
    if (jobOf(event.stream) !== undefined) return ofJobs(event);
    if (ROUTINE.has(event.type)) return '';
    return hangLines(`${timeOfDay(event.meta.at)}  `, say(event).lines, columns);
  };
}
const ROUTINE = new Set([
  'SubmissionReceived',
  'DeviceReserved',
  'DeviceReleased',
  'WorkerRenewed',
]);
