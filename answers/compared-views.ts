/** What the answers are that set a run beside another: with a change, in another order, a good run, the last runs. */
import { z } from 'zod';
import { JobView } from '../projections/views.ts';
import { EventPlace } from './views.ts';

const At = z.iso.datetime();

const Waiting = z.object({
  member: z.string(),
  what: z.string().describe('As it was typed'),
  missing: z.array(z.string()).describe('Whom it waits for, with what each was last seen doing'),
});

const StateName = JobView.shape.state;
const OutcomeName = z.enum(['complete', 'failed', 'hangs', 'unknown']);

/** A recorded conversation again, with something changed. */
export const WhatIfView = z
  .object({
    id: z.number().describe('Of the job'),
    changes: z.array(z.string()).describe('In words'),
    recorded: z
      .object({ state: StateName, seconds: z.number() })
      .describe('From its allocation on'),
    outcome: z
      .enum([...StateName.options, 'unknown'])
      .describe('`unknown`: it comes to where nothing is recorded of what a script would do'),
    seconds: z.number().describe('From its allocation to its end, or to where it is unknown'),
    reason: z.string().optional(),
    members: z.array(
      z.object({
        device: z.string(),
        role: z.string(),
        state: z.string(),
        recorded: z.string(),
        reason: z.string().optional(),
      }),
    ),
    hangs: z
      .array(Waiting)
      .describe('The waits that were open when nothing but a limit could end them'),
    beyond: z
      .array(z.object({ member: z.string(), event: z.number() }))
      .describe('After which recorded event it is unknown what a board does'),
    assumed: z.array(z.string()).describe('What was taken for granted'),
    events: z
      .array(z.record(z.string(), z.unknown()))
      .optional()
      .describe('What the log of the job would be; where it was asked for'),
  })
  .meta({ id: 'WhatIfView' });
export type WhatIfView = z.infer<typeof WhatIfView>;

/** All orders of a recorded conversation that causality allows. */
export const OrdersView = z
  .object({
    id: z.number(),
    states: z.number().describe('That were looked at'),
    all: z.boolean().describe('Whether that was all of them'),
    ends: z.record(OutcomeName, z.number()).describe('How many different ends, by outcome'),
    orders: z
      .array(
        z.object({ outcome: OutcomeName, steps: z.array(EventPlace), waiting: z.array(Waiting) }),
      )
      .describe('The shortest order of each outcome: the calls of the boards, by their events'),
    races: z
      .array(
        z.object({
          member: z.string(),
          wait: EventPlace,
          reads: z.array(z.array(z.string())).describe('What it reads, in one order or another'),
        }),
      )
      .describe('Waits that read other values in other orders'),
  })
  .meta({ id: 'OrdersView' });
export type OrdersView = z.infer<typeof OrdersView>;

const BoardPair = z.object({
  role: z.string(),
  index: z.number().describe('Which of its role, in the bad run'),
  good: z.string().describe('The board of the good run'),
  bad: z.string().describe('The board of the bad run'),
});

const DivergenceView = z.object({
  boards: BoardPair,
  kind: z.enum(['other-call', 'other-outcome', 'missing-call', 'extra-call']),
  call: z.number().describe('Which of its calls, from 1'),
  says: z.string().describe('In a sentence'),
  good: EventPlace.optional().describe('What the good run did; absent: nothing more'),
  bad: EventPlace.optional().describe('What the bad run did; absent: nothing more'),
  before: z
    .object({ good: z.array(EventPlace), bad: z.array(EventPlace) })
    .describe('The calls of the two boards before it, the last ones'),
});

/** What differs between two runs, the first of it first. */
export const DiffView = z
  .object({
    id: z.number().describe('The bad run'),
    with: z.number().describe('The good run'),
    found: z
      .boolean()
      .describe('It was looked for: the last one of the same definition that passed'),
    states: z.object({ good: StateName, bad: StateName }),
    equal: z.boolean().describe('No board did anything else than its counterpart'),
    pairs: z.array(BoardPair).describe("Which boards are each other's counterpart"),
    first: DivergenceView.optional().describe('Before it, in happens-before order, there is none'),
    others: z.array(DivergenceView).describe('Where the other boards part, in that order'),
    failure: EventPlace.optional().describe('How the bad run failed first'),
    beforeFailure: z
      .boolean()
      .optional()
      .describe(
        'False: the runs do not differ before the failure; absent: the bad run did not fail',
      ),
    alone: z
      .object({ good: z.array(z.string()), bad: z.array(z.string()) })
      .describe('Boards without a counterpart in the other run'),
    changed: z
      .array(
        z.object({
          what: z.string().describe('`commit`, `image`, `parameters`, ...'),
          where: z.string(),
          good: z.string(),
          bad: z.string(),
        }),
      )
      .describe('What was asked for, or ran, and is not the same'),
    timing: z
      .array(
        z.object({
          device: z.string(),
          role: z.string(),
          what: z.string(),
          event: z.number(),
          seconds: z.number().describe('In the bad run, after what its board did before'),
          usual: z.number().describe('In the runs before: their median'),
          runs: z.number().describe('How many those are'),
        }),
      )
      .describe('What came later than in any of the last runs, the worst first'),
    past: z
      .array(z.number())
      .describe('The runs that times were compared with; empty: the good run alone'),
    noise: z
      .array(z.object({ what: z.string(), count: z.number() }))
      .describe('What differs and means nothing by itself'),
  })
  .meta({ id: 'DiffView' });
export type DiffView = z.infer<typeof DiffView>;
export type DivergenceView = z.infer<typeof DivergenceView>;

/** A wait that waits longer than its like did in the last runs. */
export const LongWait = z
  .object({
    job: z.number(),
    event: z.number().describe('With which it began'),
    member: z.string(),
    role: z.string(),
    what: z.string().describe('As it was typed'),
    since: At,
    seconds: z.number().describe('How long it has waited by now'),
    usual: z
      .number()
      .describe('How long its like waited in the last runs: their median, in seconds'),
    runs: z.number().describe('How many those are'),
    missing: z.array(z.string()).describe('Whom it waits for, with what each was last seen doing'),
  })
  .meta({ id: 'LongWait' });
export type LongWait = z.infer<typeof LongWait>;
export const LongWaits = z.object({ waits: z.array(LongWait) });
