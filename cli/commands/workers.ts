/** `muster workers`: who drives the boards; and `muster workers NAME` to give one no new jobs, and jobs again. */
import { type Command, Option } from 'commander';
import { Workers, WorkerView } from '../../api/schemas.ts';
import { type Cli, type CommonOptions, printJson, serverCommand, withServer } from '../command.ts';
import { CliFailure, EXIT } from '../exit.ts';
import { renderWorkers } from '../pages/workers-page.ts';

type WorkersOptions = CommonOptions & { drain?: string; undrain?: boolean };

export function workersCommand(cli: Cli): Command {
  return serverCommand('workers', 'list the workers, or give the boards of one no new jobs', [
    'muster workers',
    'muster workers lab2 --drain "a new power supply on Friday"',
    'muster workers lab2 --undrain',
  ])
    .argument('[name]', 'one worker')
    .addOption(
      new Option('--drain <reason>', 'its boards get no new jobs; those that run go on').conflicts(
        'undrain',
      ),
    )
    .option('--undrain', 'its boards get jobs again')
    .action((name: string | undefined, options: WorkersOptions) =>
      withServer(cli, options, async ({ io, client }) => {
        const { drain, undrain } = options;
        if (name === undefined && (drain !== undefined || undrain))
          throw wrong('--drain and --undrain need the name of a worker');
        const path = `/api/workers/${encodeURIComponent(name ?? '')}`;
        if (drain !== undefined) await client.post(`${path}/drain`, WorkerView, { reason: drain });
        if (undrain) await client.post(`${path}/undrain`, WorkerView);
        const { workers } = await client.json('/api/workers', Workers);
        const asked = workers.filter((worker) => name === undefined || worker.name === name);
        if (name !== undefined && asked.length === 0) throw wrong(`there is no worker ${name}`);
        if (options.json) await printJson(io, { workers: asked });
        else await io.out(renderWorkers(asked, io));
        return EXIT.ok;
      }),
    );
}

const wrong = (message: string): CliFailure =>
  new CliFailure({ code: 'wrong-worker', exit: EXIT.usage, message });
