/** What people and programs are shown: the schema is the type, and the API's documentation. Times are ISO 8601. */
import { z } from 'zod';
import { CaseResult, StuckForm, WaitVerb } from '../machines/events.ts';

const At = z.iso.datetime();

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
  /** Who came last. */
  last: z.string().optional(),
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

export const MeasurementView = z
  .object({
    text: z.string().describe('The decimal number as the test wrote it'),
    value: z.number().describe('The double that is nearest to it'),
  })
  .meta({ id: 'MeasurementView' });
export type MeasurementView = z.infer<typeof MeasurementView>;

export const CaseView = z
  .object({
    device: z.string(),
    role: z.string(),
    suite: z.string(),
    set: z.string().optional(),
    case: z.string(),
    result: CaseResult,
    measurement: MeasurementView.optional().describe(
      'Absent: nothing was measured, or what was given is no decimal number and stands in `note`',
    ),
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

/** Milliseconds since the epoch as ISO 8601. */
export const iso = (at: number): string => new Date(at).toISOString();
