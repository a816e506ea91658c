/** What people and programs are shown: the schema is the type, and the API's documentation. Times are ISO 8601. */
import { z } from 'zod';
import { CaseResult, StuckForm, WaitVerb } from '../machines/events.ts';

const At = z.iso.datetime();

/** The last line that a board had printed by then. */
export const LastLineView = z.object({
  text: z.string(),
  /** When it had come, where that is known. */
  at: At.optional(),
});
export type LastLineView = z.infer<typeof LastLineView>;

export const JobView = z.object({
  id: z.number(),
  name: z.string(),
  state: z.enum([
    'submitted',
    'rejected',
    'allocated',
    'complete',
    'failed',
    'timedOut',
    'cancelled',
  ]),
  priority: z.number(),
  submittedAt: At,
  allocatedAt: At.optional(),
  endedAt: At.optional(),
  /** Why it ended, where it did not complete: a sentence; of a wait, then a line for each member that was missing. */
  reason: z.string().optional(),
  timeoutSeconds: z.number(),
  roles: z.array(
    z.object({
      role: z.string(),
      count: z.number(),
      deviceType: z.string().optional(),
      device: z.string().optional(),
      tags: z.array(z.string()),
      /** When a member of it does not complete, the whole group is cancelled. */
      essential: z.boolean().optional(),
    }),
  ),
  /** In `lava-group` order; empty until it has its boards. */
  members: z.array(
    z.object({
      device: z.string(),
      role: z.string(),
      state: z.string(),
      /** What it was last seen doing, in words. */
      doing: z.string(),
      action: z.object({ index: z.number(), command: z.string(), since: At }).optional(),
      suite: z.string().optional(),
      endedAt: At.optional(),
      reason: z.string().optional(),
      /** What its board printed last, unless it is complete. */
      lastLine: LastLineView.optional(),
    }),
  ),
});
export type JobView = z.infer<typeof JobView>;

export const BarrierView = z.object({
  /** The message id. */
  id: z.string(),
  verb: WaitVerb,
  /** Of a sync; 1 for the other verbs. */
  round: z.number(),
  role: z.string().optional(),
  /** Members that have sent often enough, in group order. */
  arrived: z.array(z.string()),
  /** Members that are waited for, in group order. */
  missing: z.array(z.string()),
  /** Whether every wait at it was released. */
  released: z.boolean(),
  /** When the first wait began. */
  since: At,
  /** By time. */
  arrivals: z.array(z.object({ member: z.string(), at: At })),
  /** What the boards of the first that are missing had printed last when a wait at it ended, or print now. */
  lastLines: z.array(LastLineView.extend({ member: z.string() })).optional(),
  /** Who came last. */
  last: z.string().optional(),
  /** How many waits before the first of `waits` are left out, where there were very many. */
  earlier: z.number().optional(),
  waits: z.array(
    z.object({
      wait: z.number(),
      member: z.string(),
      since: At,
      outcome: z.enum(['open', 'released', 'timedOut', 'unreachable', 'abandoned']),
      endedAt: At.optional(),
      /** Whose arrival released it. */
      by: z.string().optional(),
      /** It can never be released, as far as is known. */
      stuck: StuckForm.optional(),
      /** Why it was not released, or never will be: a sentence, then a line for each member that is missing. */
      reason: z.string().optional(),
    }),
  ),
});
export type BarrierView = z.infer<typeof BarrierView>;

/** A member of the group. `role[index]` names it in every run of the same job: devices change, places do not. */
export const MemberView = z
  .object({
    device: z.string(),
    role: z.string(),
    index: z.number().describe('Which of its role it is, in `lava-group` order, from 0'),
  })
  .meta({ id: 'MemberView' });
export type MemberView = z.infer<typeof MemberView>;

/** What was measured: both are there, or neither is. */
const Measured = {
  measurement: z
    .string()
    .optional()
    .describe(
      'The decimal number as the test wrote it. ' +
        'Absent: nothing was measured, or what was given is no decimal number and stands in `note`',
    ),
  value: z.number().optional().describe('The double that is nearest to `measurement`'),
};

export const CaseView = z
  .object({
    device: z.string(),
    role: z.string(),
    suite: z.string(),
    set: z.string().optional(),
    case: z.string(),
    result: CaseResult,
    ...Measured,
    units: z.string().optional(),
    note: z.string().optional().describe('What a reader wants beside the result'),
    url: z.string().optional().describe('`note`, where it is an address: of lava-test-reference'),
    counts: z
      .boolean()
      .describe(
        'False: the same case of this device, suite and set came again later; the last counts',
      ),
    at: At,
  })
  .meta({ id: 'CaseView' });
export type CaseView = z.infer<typeof CaseView>;

/** How many cases count with each result. */
export const ResultCounts = z
  .object({ pass: z.number(), fail: z.number(), skip: z.number(), unknown: z.number() })
  .meta({ id: 'ResultCounts' });
export type ResultCounts = z.infer<typeof ResultCounts>;

/** A suite of one member: one that was prepared, that ran, or that cases came for. */
export const SuiteView = z
  .object({
    device: z.string(),
    role: z.string(),
    suite: z.string(),
    definition: z.string().optional().describe("The test definition's own name"),
    source: z
      .object({
        from: z.enum(['git', 'url', 'inline', 'commands']),
        repository: z.string().optional(),
        revision: z.string().optional().describe('What was asked for'),
        commit: z.string().optional().describe('What it came to'),
        path: z.string().optional(),
        url: z.string().optional(),
      })
      .optional(),
    expected: z.array(z.string()).optional().describe('The cases that its definition expects'),
    state: z
      .enum(['prepared', 'running', 'ended', 'cutOff', 'notRun'])
      .optional()
      .describe(
        'cutOff, notRun: its member ended before the suite had ended, or had begun. ' +
          'Absent: nobody said that it runs, but cases came for it, as for `lava`, where verbs before any suite are put',
      ),
    startedAt: At.optional(),
    endedAt: At.optional(),
    summary: ResultCounts.describe('Of its cases that count; all 0: it has none'),
  })
  .meta({ id: 'SuiteView' });
export type SuiteView = z.infer<typeof SuiteView>;

/** What a console said that looks like a signal of a test, and cannot be read. */
export const GarbledView = z
  .object({
    device: z.string(),
    role: z.string(),
    suite: z.string().optional().describe('That ran then'),
    text: z.string().describe('The line as it was'),
    at: At,
  })
  .meta({ id: 'GarbledView' });
export type GarbledView = z.infer<typeof GarbledView>;

/** A file that a test handed in. */
export const AttachmentView = z
  .object({
    device: z.string(),
    role: z.string(),
    suite: z.string(),
    name: z.string(),
    bytes: z.number(),
    digest: z.string().describe('SHA-256 of its bytes, lower-case hex'),
    at: At,
  })
  .meta({ id: 'AttachmentView' });
export type AttachmentView = z.infer<typeof AttachmentView>;

export const ResultsView = z
  .object({
    members: z.array(MemberView).describe('In `lava-group` order; empty until the job has boards'),
    suites: z
      .array(SuiteView)
      .describe(
        'Every suite that ran or was to run, also one without a case, in the order of the log',
      ),
    cases: z.array(CaseView).describe('In the order of the log'),
    garbled: z.array(GarbledView).describe('Signals that could not be read'),
    attachments: z.array(AttachmentView),
    summary: ResultCounts.describe('Of all cases that count'),
  })
  .meta({ id: 'ResultsView' });
export type ResultsView = z.infer<typeof ResultsView>;

/** One case in one run of a job. */
export const CaseRunView = z
  .object({
    job: z.number(),
    name: z.string().describe("The job's"),
    device: z.string(),
    result: CaseResult,
    ...Measured,
    units: z.string().optional(),
    note: z.string().optional(),
    at: At,
  })
  .meta({ id: 'CaseRunView' });
export type CaseRunView = z.infer<typeof CaseRunView>;

/** Where measurements lie. */
export const SpreadView = z
  .object({
    count: z.number().describe('How many measurements'),
    units: z
      .string()
      .optional()
      .describe("Their units: the newest run's; those in others are not among them"),
    median: z.number(),
    low: z.number().describe('Below it a measurement lies beyond the spread'),
    high: z
      .number()
      .describe(
        'Above it one does: 3.5 times the median absolute deviation, scaled to a standard deviation, from the median',
      ),
    min: z.number(),
    max: z.number(),
  })
  .meta({ id: 'SpreadView' });
export type SpreadView = z.infer<typeof SpreadView>;

/** A run that differs from those before it. */
export const CaseChangeView = z
  .discriminatedUnion('what', [
    z.object({ what: z.literal('result'), job: z.number(), from: CaseResult, to: CaseResult }),
    z.object({
      what: z.literal('units'),
      job: z.number(),
      from: z.string().describe('Empty: none'),
      to: z.string(),
    }),
    z.object({
      what: z.literal('measurement'),
      job: z.number(),
      from: SpreadView.describe('Of the runs before it, since the change before it'),
      to: z.number(),
    }),
  ])
  .meta({ id: 'CaseChangeView' });
export type CaseChangeView = z.infer<typeof CaseChangeView>;

/** One case of one place in the group, suite and set, over the runs in which it came. */
export const CaseSeriesView = z
  .object({
    role: z.string(),
    index: z.number().describe('Which of its role, in `lava-group` order, from 0'),
    suite: z.string(),
    set: z.string().optional(),
    runs: z
      .array(CaseRunView)
      .describe('The oldest first; of a case that came twice in a run the last'),
    summary: ResultCounts,
    measured: SpreadView.optional().describe('Absent: nothing was measured'),
    changes: z
      .array(CaseChangeView)
      .describe(
        'Where a run differs in its result, its units or beyond the spread; the oldest first',
      ),
  })
  .meta({ id: 'CaseSeriesView' });
export type CaseSeriesView = z.infer<typeof CaseSeriesView>;

/** Milliseconds since the epoch as ISO 8601. */
export const iso = (at: number): string => new Date(at).toISOString();
