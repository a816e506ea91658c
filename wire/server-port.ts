/**
 * All that a dispatcher knows of the server: what is owed to its boards, and where to say what happened.
 * The same dispatcher runs inside the server's process or on another machine; only what carries this port differs.
 */
import { z } from 'zod';
import type { MemberCommand } from '../machines/commands.ts';
import { Action } from '../machines/definition.ts';
import { HealthCheck } from '../machines/events.ts';
import { DeviceName, JobId, RoleName } from '../machines/names.ts';

/** The next thing that one member needs, derived by the server from its log; asked for again after any break. */
export const OwedStep = z.discriminatedUnion('do', [
  /** Start this action of the job, or resume it: `begun` before, by an earlier life of this worker or by this one. */
  z.strictObject({
    do: z.literal('run'),
    index: z.int().nonnegative(),
    action: Action,
    begun: z.boolean(),
  }),
  /** The next action needs a shell and the board is down: boot what the lab names for its type. */
  z.strictObject({ do: z.literal('boot'), begun: z.boolean() }),
  /** All of its actions are done, or another loop decides: keep the board, do nothing. */
  z.strictObject({ do: z.literal('nothing') }),
]);
export type OwedStep = z.infer<typeof OwedStep>;

export const Owed = z.strictObject({
  job: JobId,
  jobName: z.string(),
  device: DeviceName,
  role: RoleName,
  lease: z.string(),
  /** The whole group, in `lava-group` order. */
  group: z.array(z.strictObject({ device: DeviceName, role: RoleName })),
  step: OwedStep,
  /** The image of the last deploy of this member, if one succeeded; otherwise what the lab names for the type. */
  image: z.string().optional(),
  /** How many suites the actions before this one have: suites are numbered over the whole member, from 0. */
  suitesBefore: z.int().nonnegative(),
  /** Whether the board was booted for this job and has not been deployed anew since. */
  booted: z.boolean(),
});
export type Owed = z.infer<typeof Owed>;

/** A member that ended, as the worker needs it for the last words on its console. */
export const Ended = z.strictObject({
  job: JobId,
  device: DeviceName,
  /** Lines for the member's console: how it ended, and for each wait that was cut off, who was missing. */
  lines: z.array(z.string()),
});
export type Ended = z.infer<typeof Ended>;

/** A board as its worker announces it. */
export const BoardRegistration = z.strictObject({
  device: DeviceName,
  deviceType: z.string(),
  tags: z.array(z.string()),
  driver: z.string(),
  healthCheck: HealthCheck.optional(),
});
export type BoardRegistration = z.infer<typeof BoardRegistration>;

/** Who reports, so that the same report again changes nothing; `console`: how many bytes were printed by then. */
export interface ReportedBy {
  key: string;
  console?: number;
}

export interface ServerPort {
  /** Tells the server which boards this worker has. Idempotent. */
  register(boards: readonly BoardRegistration[]): Promise<void>;
  /** What is owed to this worker's boards now: one entry for each live member on one of them. */
  owed(): Promise<readonly Owed[]>;
  /** How a member ended; `undefined` while it lives. */
  ended(job: number, device: string): Promise<Ended | undefined>;
  /** Calls back whenever `owed` may have changed. Returns the way to stop. */
  onChange(listener: () => void): () => void;
  /**
   * Reports what happened to a member; resolves when it is durable. The same key again changes nothing.
   * Rejects with the `code` of a refusal (`RejectionCode`): `member-ended` or `job-ended` when that came meanwhile.
   */
  report(job: number, command: MemberCommand, by: ReportedBy): Promise<void>;
  /** Keeps contents that are asked for later by their digest (SHA-256), each once; durable when it resolves. */
  keep(contents: readonly Uint8Array[]): Promise<void>;
  /** The URL(s) and the secret with which a board of this member reaches the server. */
  access(job: number, device: string): Promise<{ url: string; token: string }>;
}
