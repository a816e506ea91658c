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

export const CaseView = z.object({
  device: z.string(),
  role: z.string(),
  suite: z.string(),
  set: z.string().optional(),
  case: z.string(),
  result: CaseResult,
  measurement: z.string().optional(),
  units: z.string().optional(),
  note: z.string().optional(),
  at: At,
});
export type CaseView = z.infer<typeof CaseView>;

/** Milliseconds since the epoch as ISO 8601. */
export const iso = (at: number): string => new Date(at).toISOString();
