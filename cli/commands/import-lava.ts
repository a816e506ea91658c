/** `muster import-lava LOG...`: upstream's logs of one group as a bundle, from which every answer can be had. */
import { Command } from 'commander';
import { imported } from '../../answers/imported/imported.ts';
import { LogRefused, type ReadLog } from '../../answers/imported/observed.ts';
import { bundleOf } from '../../api/bundle.ts';
import { packageVersion } from '../../server/package-root.ts';
import { makeFile } from '../../store/durable-file.ts';
import { type Cli, exampleText, jobId, printJson } from '../command.ts';
import { EXIT } from '../exit.ts';
import { badLog, readLog } from '../lava-log-files.ts';
import { counted, hang } from '../pages/text.ts';

interface ImportLavaOptions {
  out: string;
  group?: string;
  job?: number;
  json?: boolean;
}

export function importLavaCommand(cli: Cli): Command {
  return new Command('import-lava')
    .description("make a bundle of an upstream coordinator's log and of upstream jobs' logs")
    .argument('<logs...>', 'lava-coordinator.log, and log.yaml of each job of one group')
    .requiredOption('--out <file>', 'the bundle to write; it must not be there yet')
    .option('--group <name>', "which group of the coordinator's log, where it has several")
    .option(
      '--job <number>',
      'the number to tell it under (default: that of its first member)',
      jobId,
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `${exampleText([
        'muster import-lava --out group.tar.gz 1201.yaml 1202.yaml 1203.yaml',
        'muster explain --bundle group.tar.gz',
        'muster import-lava --out g.tar.gz --group 3f2a /var/log/lava-coordinator.log',
      ])}\n\nOf each file the kind is found out: the text of lava-coordinator, the YAML list that a\nLAVA server keeps of a job, or the lines that lava-run prints. What they do not say is\nnamed, stays in the bundle, and is said by every command that reads it.`,
    )
    .action((files: string[], options: ImportLavaOptions) => importLava(cli, files, options));
}

async function importLava(cli: Cli, files: string[], options: ImportLavaOptions): Promise<void> {
  const { io } = cli;
  const logs: ReadLog[] = [];
  for (const file of files) logs.push(await readLog(file));
  const { evidence, from, unknown } = told(logs, options);
  const { out, json } = options;
  await makeFile(out, 'the bundle', async (handle) => {
    const facts = {
      version: packageVersion,
      now: Date.now(),
      imported: { from, unknown: [...unknown] },
    };
    for await (const chunk of bundleOf(evidence, facts)) await handle.writeFile(chunk as Buffer);
  });
  const { job, events } = evidence;
  const members = events.flatMap(({ type, data }) => (type === 'JobAllocated' ? data.members : []));
  if (json) await printJson(io, { file: out, job, events: events.length, members, unknown });
  else {
    const what = `job ${job}, ${counted(members.length, 'member')}, ${counted(events.length, 'event')}`;
    const lines = unknown.map((text) => hang('  ', text, io.columns));
    await io.out(`${hang('', `${out}: ${what}`, io.columns)}not known:\n${lines.join('')}`);
  }
  cli.exit = EXIT.ok;
}

function told(logs: readonly ReadLog[], options: ImportLavaOptions) {
  try {
    return imported(logs, options);
  } catch (error) {
    throw error instanceof LogRefused ? badLog(error.message) : error;
  }
}
