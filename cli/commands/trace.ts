/** `muster trace JOB/EVENT`: what caused an event and what it caused; `--shiviz`: a whole job for ShiViz. */
import type { Evidence } from '../../answers/evidence.ts';
import { shivizLines } from '../../answers/shiviz.ts';
import { traceOf } from '../../answers/trace.ts';
import { TraceView } from '../../answers/views.ts';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { type Cli, jobId, printJson } from '../command.ts';
import { type AnswerOptions, bundleCommand, usage, withAnswer, withJob } from '../evidence.ts';
import { EXIT } from '../exit.ts';
import { allEvents } from '../follow.ts';
import type { Io } from '../io.ts';
import { renderTrace } from '../pages/trace-page.ts';

interface TraceOptions extends AnswerOptions {
  shiviz?: boolean;
}

export function traceCommand(cli: Cli) {
  return bundleCommand('trace', 'tell what caused an event, and what it caused', [
    'muster trace 12/41',
    'muster trace --bundle job-12.tar.gz 41',
    'muster trace 12 --shiviz > job-12.log',
  ])
    .argument('[event]', "the job's number and that of the event: 12/41")
    .option('--shiviz', 'write the whole job as a log that ShiViz draws')
    .action((word: string | undefined, options: TraceOptions) =>
      options.shiviz ? shiviz(cli, word, options) : trace(cli, word, options),
    );
}

function trace(cli: Cli, word = '', options: TraceOptions): Promise<void> {
  const [, job, text] = /^(?:(?:job-)?([1-9][0-9]{0,14})[/:])?([1-9][0-9]{0,14})$/.exec(word) ?? [];
  if (text === undefined) throw usage('say which event: 12/41 is event 41 of job 12');
  const event = Number(text);
  const id = job === undefined ? undefined : Number(job);
  if (id === undefined && options.bundle === undefined)
    throw usage(`say of which job: 12/${event} is event ${event} of job 12`);
  const answer = {
    path: `/trace?event=${event}`,
    shape: TraceView,
    from: (evidence: Evidence) => traceOf(evidence, event),
  };
  return withAnswer(cli, id, options, answer, async (view, io) => {
    if (options.json) await printJson(io, view);
    else await io.out(renderTrace(view, io));
    return EXIT.ok;
  });
}

function shiviz(cli: Cli, word: string | undefined, options: TraceOptions): Promise<void> {
  const id = word === undefined ? undefined : jobId(word);
  const write = async (io: Io, events: readonly RecordedEvent<JobEvent>[]) => {
    for (const lines of shivizLines(events)) await io.out(lines);
    return EXIT.ok;
  };
  return withJob(cli, id, options, {
    server: async ({ io, client }, job) => write(io, await allEvents(client, job)),
    bundle: ({ events }) => write(cli.io, events),
  });
}
