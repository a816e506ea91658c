/**
 * What the answers are that tell of a run as it was, for programs: the schema is the type, and the API's documentation. Times are
 * ISO 8601. Those that set it beside another are in `compared-views.ts`.
 */
import { z } from 'zod';
import { Callers } from '../machines/events.ts';
import { BarrierView, JobView } from '../projections/views.ts';
import { NotKept } from '../wire/sources.ts';

const At = z.iso.datetime();

/** An event by its place in the job, as every answer names it. */
export const EventPlace = z
  .object({
    event: z.number().describe('Its version in the stream of the job, from 1'),
    at: At,
    type: z.string(),
    says: z.string().describe('In a sentence'),
  })
  .meta({ id: 'EventPlace' });
export type EventPlace = z.infer<typeof EventPlace>;

const CacheFileView = z.object({
  lines: z.array(z.string()).describe('`k=v`, or `name:k=v` of a lava-wait-all'),
  event: z.number().describe('The end of the wait that wrote it'),
});

/** Where a board was: in its definition, on its console, and what it could read. */
export const BoardMoment = z
  .object({
    device: z.string(),
    role: z.string(),
    index: z.number().describe('Which of its role it is, in `lava-group` order, from 0'),
    action: z.object({ index: z.number(), command: z.string(), since: At }).optional(),
    suite: z.string().optional().describe('That runs, or ran last'),
    suiteRuns: z.boolean(),
    call: z
      .object({
        event: z.number(),
        what: z.string().describe('As it was typed: `lava-sync ready`'),
        from: Callers.optional().describe('Absent: the board could not tell who called'),
      })
      .optional()
      .describe('What a script of it called last'),
    console: z
      .object({ bytes: z.number(), event: z.number() })
      .optional()
      .describe('How many bytes its console had at the last event that says so'),
    cache: CacheFileView.optional().describe(
      'What `/tmp/lava_multi_node_cache.txt` held; absent: it had written none since it was booted',
    ),
    networkCache: CacheFileView.optional().describe(
      'What `/tmp/lava_multi_node_network_cache.txt` held, of `lava-network collect`',
    ),
  })
  .meta({ id: 'BoardMoment' });
export type BoardMoment = z.infer<typeof BoardMoment>;

/** A message id, and what was said under it by then. */
export const MailboxView = z
  .object({
    message: z.string(),
    senders: z.array(
      z.object({
        member: z.string(),
        count: z.number().describe('How often it had sent it; a sync is a send too'),
        pairs: z.array(z.object({ key: z.string(), value: z.string() })),
      }),
    ),
    waiting: z
      .array(z.object({ wait: z.number(), member: z.string(), verb: z.string() }))
      .describe('The waits that were open on it'),
  })
  .meta({ id: 'MailboxView' });
export type MailboxView = z.infer<typeof MailboxView>;

/** A board that a job is about: one of its own, or one that its roles mean. */
export const LabBoard = z
  .object({
    device: z.string(),
    deviceType: z.string(),
    tags: z.array(z.string()),
    worker: z.string(),
    state: z
      .enum(['idle', 'reserved', 'retired', 'unlisted'])
      .describe('`unlisted`: its worker is here and does not list it any more'),
    health: z.string(),
    closed: z.string().optional().describe('Why it is open to no job; absent: it is'),
    heldBy: z.number().optional().describe('The job that had it'),
    kept: z
      .array(z.object({ role: z.string(), why: z.string(), until: At.optional() }))
      .optional()
      .describe(
        'While the job waits: for each role that means this board what keeps it from it, `free`: nothing; `until`: by when it comes back at the latest',
      ),
  })
  .meta({ id: 'LabBoard' });
export type LabBoard = z.infer<typeof LabBoard>;

/** The queue and the boards as they were at an event of a job. */
export const LabMoment = z
  .object({
    queue: z.object({
      length: z.number().describe('How many jobs wait for boards'),
      place: z.number().optional().describe('Of this job, from 1; absent: it does not wait'),
      reason: z.string().optional().describe('Why it waits, in one sentence'),
      guaranteedStart: At.optional(),
    }),
    boards: z.array(LabBoard).describe('Its own first, then those that its roles mean, by name'),
    more: z.number().describe('How many other boards its roles mean'),
  })
  .meta({ id: 'LabMoment' });
export type LabMoment = z.infer<typeof LabMoment>;

/** A whole job at one of its events. */
export const StateView = z
  .object({
    id: z.number().describe('Of the job'),
    at: EventPlace,
    events: z.number().describe('How many the job has by now'),
    job: JobView.describe('As it was shown then'),
    boards: z.array(BoardMoment).describe('In `lava-group` order; empty until it had its boards'),
    barriers: z.array(BarrierView),
    mailboxes: z.array(MailboxView).describe('By message id'),
    lab: LabMoment.optional().describe('Absent: unknown, as in a bundle that does not hold it'),
    leftOut: z
      .object({ barriers: z.number(), mailboxes: z.number() })
      .describe(
        'How many are not told of: of barriers those before the last 200 in which nobody waits, of mailboxes those beyond 500',
      ),
  })
  .meta({ id: 'StateView' });
export type StateView = z.infer<typeof StateView>;

/** A file of what ran. */
export const SourceFileView = z.object({
  path: z.string(),
  bytes: z.number(),
  digest: z.string(),
  notKept: NotKept.or(z.literal('gone'))
    .optional()
    .describe('Why its text is not there; `gone`: it was kept, and is there no more'),
});

/** What ran as one suite, on the boards that ran the same. */
export const RanView = z.object({
  suite: z.string(),
  members: z.array(z.string()),
  source: z.object({
    from: z.enum(['git', 'url', 'inline', 'commands']),
    repository: z.string().optional(),
    revision: z.string().optional().describe('What was asked for'),
    commit: z.string().optional().describe('What it came to'),
    path: z.string().optional(),
    url: z.string().optional(),
  }),
  parameters: z.array(z.tuple([z.string(), z.string()])),
  kept: z.boolean().describe('False: what ran was not kept, or is there no more'),
  definition: z.string().optional().describe('The file of its definition'),
  scripts: z
    .array(SourceFileView)
    .describe('What was made of the definition: `install.sh` and `run.sh`'),
  files: z.array(SourceFileView).describe('Of its checkout'),
  more: z.number().describe('How many files are left out of the list'),
});

export const SourcesView = z
  .object({ id: z.number().describe('Of the job'), suites: z.array(RanView) })
  .meta({ id: 'SourcesView' });
export type SourcesView = z.infer<typeof SourcesView>;
export type RanView = z.infer<typeof RanView>;

/** Where boards were in their scripts. */
export const ScriptLinesView = z
  .object({
    id: z.number().describe('Of the job'),
    lines: z
      .array(
        z.object({
          event: z.number().describe('That the call at this line made'),
          device: z.string(),
          suite: z.string(),
          file: z
            .string()
            .describe("Within its repository; empty: a command of the job's document"),
          line: z.number(),
          text: z.string(),
        }),
      )
      .describe('In the order of the log'),
    more: z.number().describe('At most so many calls were not looked at, after these'),
  })
  .meta({ id: 'ScriptLinesView' });
export type ScriptLinesView = z.infer<typeof ScriptLinesView>;

/** An event of any stream, as a trace names it. */
export const TracedEvent = EventPlace.extend({ stream: z.string() }).meta({ id: 'TracedEvent' });
export type TracedEvent = z.infer<typeof TracedEvent>;

/** `caused`: by the event above it; `ends`: the wait that it began; `after`: what its script did next. */
const How = z.enum(['caused', 'ends', 'after']);

export interface TraceNode {
  how: z.infer<typeof How>;
  event: TracedEvent;
  effects: TraceNode[];
}
const TraceNode: z.ZodType<TraceNode> = z
  .object({
    how: How,
    event: TracedEvent,
    get effects(): z.ZodArray<z.ZodType<TraceNode>> {
      return z.array(TraceNode);
    },
  })
  .meta({ id: 'TraceNode' });

export const TraceView = z
  .object({
    id: z.number().describe('Of the job'),
    event: TracedEvent,
    causes: z
      .array(TraceNode)
      .describe('The nearest first; `how` says how what stands before it follows from it'),
    request: z
      .object({
        actor: z.string(),
        cause: z.string().describe('The id of the request, or what it was: `deadline job`'),
        key: z.string().optional(),
        also: z.array(TracedEvent).describe('What the same request caused beside it'),
      })
      .describe('With which the chain of causes began'),
    effects: z.array(TraceNode),
    cut: z.boolean().describe('There are more causes or effects than one answer tells'),
    otherStreams: z
      .boolean()
      .describe('Whether events of boards and workers were looked at; where not, they are unknown'),
  })
  .meta({ id: 'TraceView' });
export type TraceView = z.infer<typeof TraceView>;
