/** `muster events [ID]`: the log itself, an event a line. */
import type { Command } from 'commander';
import { type Kind, predicate } from '../../projections/telling.ts';
import { narrator } from '../../projections/timeline.ts';
import type { Received } from '../answers.ts';
import {
  type Cli,
  type CommonOptions,
  counter,
  jobId,
  sayingOnInterrupt,
  serverCommand,
  withServer,
} from '../command.ts';
import { EXIT } from '../exit.ts';
import { eventsPath, readEvent, recordedEvents } from '../follow.ts';
import { dateAndTime, hangLines } from '../pages/text.ts';

interface EventsOptions extends CommonOptions {
  follow?: boolean;
  after: number;
}

export function eventsCommand(cli: Cli): Command {
  return serverCommand('events', 'print the events of a job, or of the whole log', [
    'muster events 12',
    'muster events --follow --json',
  ])
    .argument('[id]', "the job's number", jobId)
    .option('--follow', 'go on with what happens; for a job until it has ended')
    .option('--after <place>', 'begin after this version (of a job) or position', counter, 0)
    .addHelpText('after', '\nWith --json: one JSON document a line, an event each.')
    .action((id: number | undefined, options: EventsOptions) =>
      withServer(cli, options, async ({ io, client }) => {
        const line = options.json
          ? (event: Received) => `${JSON.stringify(event)}\n`
          : eventLines(id, io.columns);
        const events = options.follow
          ? client.follow(eventsPath(id), options.after)
          : recordedEvents(client, id, options.after);
        const goesOn = id === undefined || !options.follow ? '' : `job ${id} goes on`;
        return sayingOnInterrupt(goesOn, async () => {
          for await (const event of events) await io.out(line(event));
          return EXIT.ok;
        });
      }),
    );
}

/** Place, time and sentence, and the lines under it; for the whole log also the stream. */
function eventLines(job: number | undefined, columns: number): (received: Received) => string {
  const say = narrator();
  return (received) => {
    const place = job === undefined ? received.position : received.version;
    const head = `${String(place).padStart(PLACE_COLUMNS)}  ${dateAndTime(received.meta.at)}  `;
    const event = readEvent(received);
    if (event === undefined) return hangLines(head, [`${received.type}: ${UNKNOWN}`], columns);
    const { telling, lines } = say(event);
    if (job !== undefined) return hangLines(head, lines, columns);
    const isOfStream = OF_THE_STREAM.has(telling.kind);
    const first = isOfStream
      ? `${event.stream} ${predicate(telling)}`
      : `${event.stream}: ${lines[0]}`;
    return hangLines(head, [first, ...lines.slice(1)], columns);
  };
}
/** What the stream itself did; in a job's stream there are several who act. */
const OF_THE_STREAM: ReadonlySet<Kind> = new Set(['job', 'job-end', 'device', 'worker']);
const UNKNOWN = 'an event that this version of muster does not know';
const PLACE_COLUMNS = 5;
