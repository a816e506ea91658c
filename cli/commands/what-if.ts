/** `muster what-if ID`: a recorded job again with a change, or in every order that causality allows. */

import { type ChangeWords, ordersOf, whatIf } from '../../answers/what-if-view.ts';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { type Cli, countUpTo, printJson } from '../command.ts';
import { type AnswerOptions, answerCommand, refusedInWords, withJob } from '../evidence.ts';
import { EXIT } from '../exit.ts';
import { allEvents } from '../follow.ts';
import { renderOrders, renderWhatIf } from '../pages/what-if-page.ts';

interface WhatIfOptions extends AnswerOptions, ChangeWords {
  interleave?: boolean;
  states: number;
}

const STATES_DEFAULT = 20_000;
const STATES_MAX = 2_000_000;

const more = (text: string, before: string[] = []): string[] => [...before, text];

export function whatIfCommand(cli: Cli) {
  return answerCommand('what-if', 'play a job again with something changed', [
    'muster what-if 12 --delay panda03:20s',
    'muster what-if 12 --drop 41',
    'muster what-if 12 --crash panda03@41',
    'muster what-if 12 --interleave',
  ])
    .option(
      '--delay <device:time>',
      'the board comes later: panda03:20s, or from an event on: panda03@41:20s',
      more,
    )
    .option('--drop <event>', 'the message of this event is lost', more)
    .option('--crash <device@event>', 'the board dies after this event', more)
    .option('--interleave', 'look at every order that causality allows')
    .option(
      '--states <number>',
      'of --interleave: look at no more',
      countUpTo(STATES_MAX),
      STATES_DEFAULT,
    )
    .addHelpText(
      'after',
      '\nThe same rules that decided the recorded job decide this one. Each change may be\ngiven several times, and together with others.',
    )
    .action((id: number | undefined, options: WhatIfOptions) =>
      withJob(cli, id, options, {
        server: async ({ client }, job) =>
          refusedInWords(async () => show(cli, job, await allEvents(client, job), options)),
        bundle: ({ job, events }) => show(cli, job, events, options),
      }),
    );
}

async function show(
  { io }: Cli,
  job: number,
  events: readonly RecordedEvent<JobEvent>[],
  options: WhatIfOptions,
): Promise<number> {
  if (options.interleave) {
    const view = ordersOf(job, events, options.states);
    if (options.json) await printJson(io, view);
    else await io.out(renderOrders(view, io));
    return EXIT.ok;
  }
  const view = whatIf(job, events, options);
  if (options.json) await printJson(io, view);
  else await io.out(renderWhatIf(view, io));
  return EXIT.ok;
}
