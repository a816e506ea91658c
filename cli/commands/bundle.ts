/** `muster bundle ID FILE`: all that is known of a job in one file. */
import type { Command } from 'commander';
import { makeFile } from '../../store/durable-file.ts';
import { readBundle } from '../bundle-file.ts';
import {
  type Cli,
  type CommonOptions,
  jobId,
  printJson,
  serverCommand,
  withServer,
} from '../command.ts';
import { EXIT } from '../exit.ts';
import { counted, hang } from '../pages/text.ts';

export function bundleCommand(cli: Cli): Command {
  return serverCommand('bundle', 'write all that is known of a job into one file', [
    'muster bundle 12 job-12.tar.gz',
    'muster replay --bundle job-12.tar.gz',
  ])
    .argument('<id>', "the job's number", jobId)
    .argument('<file>', 'where to; it must not be there yet')
    .addHelpText(
      'after',
      '\nThe file holds the events, the document, what ran, and the consoles with their\ntimes. It is a tar.gz; what was cut off or edited is not believed.',
    )
    .action((id: number, file: string, options: CommonOptions) =>
      withServer(cli, options, async ({ io, client }) => {
        let bytes = 0;
        await makeFile(file, 'the bundle', async (handle) => {
          for await (const chunk of client.made(`/api/jobs/${id}/bundle`)) {
            bytes += chunk.length;
            await handle.writeFile(chunk);
          }
        });
        // A stream that ends early is no error of HTTP's: what came is read as whoever gets it will.
        const { evidence } = await readBundle(file);
        const events = evidence.events.length;
        if (options.json) await printJson(io, { file, job: id, events, bytes });
        else
          await io.out(
            hang('', `${file}: job ${id}, ${counted(events, 'event')}, ${bytes} bytes`, io.columns),
          );
        return EXIT.ok;
      }),
    );
}
