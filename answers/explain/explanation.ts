/** What `explain` says: the shape of it, for the API, for `--json` and for a page. */
import { z } from 'zod';
import { DeviceName, RoleName } from '../../machines/names.ts';

/** What it tells apart. Words for programs: they stay as they are. */
export const Kind = z.enum([
  'never-booted',
  'booted-late',
  'crashed-before-arriving',
  'arrived-with-another-id',
  'sent-instead-of-waited',
  'waited-for-a-role-that-nobody-else-plays',
  'sync-that-one-role-never-calls',
  'rounds-out-of-step',
  'cross-wait',
  'everyone-waits',
  'timeout-shorter-than-the-peers-boot',
  'script-died-under-set-e',
  'verb-failure-swallowed-by-lava-test-case',
  'message-without-the-value-that-its-reader-needed',
  'key-sent-under-another-name-than-it-is-read',
  'worker-lost',
  'job-cancelled-from-outside',
  'never-allocated',
  'race-lost',
  'deploy-failed',
  'message-too-large',
  'message-that-nobody-sends',
  'script-died',
  'test-failed',
  'test-raised',
  'slow-but-healthy',
  'nothing-failed',
  'unknown',
]);
export type Kind = z.infer<typeof Kind>;

/** Who has to mend what. `file`: within its repository, or how its definition is called; `line`: from 1. */
export const Culprit = z.strictObject({
  device: DeviceName,
  role: RoleName,
  file: z.string().optional(),
  line: z.int().positive().optional(),
  /** The line itself. */
  text: z.string().optional(),
  /** Of the message or the result that it is about. */
  id: z.string().optional(),
});
export type Culprit = z.infer<typeof Culprit>;

/** Where it can be read: an event of the job by its number, or a byte of a console. */
export const Evidence = z.union([
  z.strictObject({ event: z.int().positive() }),
  z.strictObject({ device: DeviceName, offset: z.int().nonnegative() }),
]);
export type Evidence = z.infer<typeof Evidence>;

/** One link of the chain, the first thing that went wrong first. */
export const Step = z.strictObject({
  text: z.string(),
  event: z.int().positive().optional(),
  device: DeviceName.optional(),
  /** A line of that board's console, as it was printed, and where it begins. */
  said: z.string().optional(),
  offset: z.int().nonnegative().optional(),
});
export type Step = z.infer<typeof Step>;

export const RankedCause = z.strictObject({
  kind: Kind,
  culprit: Culprit.nullable(),
  missing: z.array(DeviceName),
  evidence: z.array(Evidence),
  summary: z.string(),
  /** Why it stands at this place: what happened before what. */
  because: z.string(),
});
export type RankedCause = z.infer<typeof RankedCause>;

export const Explanation = z.strictObject({
  job: z.int().positive(),
  kind: Kind,
  culprit: Culprit.nullable(),
  /** Who did not come, in group order. */
  missing: z.array(DeviceName),
  evidence: z.array(Evidence),
  /** All that fits, the likeliest first: the first is the one above. */
  ranked: z.array(RankedCause),
  /** What failed and why, in one sentence. */
  summary: z.string(),
  /** What failed, as the log says it. */
  failure: z.string(),
  chain: z.array(Step),
  advice: z.array(z.string()),
  /** What the answer would need and what was not recorded, or is not there any more. */
  unseen: z.array(z.string()),
});
export type Explanation = z.infer<typeof Explanation>;
