/**
 * All that a dispatcher knows of the server: what is owed to its boards, and where to say what happened.
 * The same dispatcher runs inside the server's process or on another machine; only this port differs.
 */
import type { MemberCommand } from '../machines/commands.ts';
import type { Action } from '../machines/definition.ts';

/** The next thing that one member needs, derived by the server from its log; asked for again after any break. */
export type Step =
  /** Start or resume this action of the job. */
  | { do: 'run'; index: number; action: Action }
  /** The next action needs a shell and the board is down: boot what the lab names for its type. */
  | { do: 'boot' }
  /** All of its actions are done, or another loop decides: keep the board, do nothing. */
  | { do: 'nothing' };

export interface Owed {
  job: number;
  jobName: string;
  device: string;
  role: string;
  lease: string;
  /** The whole group, in `lava-group` order. */
  group: readonly { device: string; role: string }[];
  step: Step;
  /** Whether the step was begun before (by an earlier life of this worker, or by this one). */
  begun: boolean;
  /** The image of the last deploy of this member, if one succeeded; otherwise what the lab names for the type. */
  image: string | undefined;
  /** How many suites the actions before this one have: suites are numbered over the whole member, from 0. */
  suitesBefore: number;
  /** Whether the board was booted for this job and has not been deployed anew since. */
  booted: boolean;
}

/** A member that ended, as the worker needs it for the last words on its console. */
export interface Ended {
  job: number;
  device: string;
  /** Lines for the member's console: how it ended, and for each wait that was cut off, who was missing. */
  lines: readonly string[];
}

export interface BoardRegistration {
  device: string;
  deviceType: string;
  tags: readonly string[];
  driver: string;
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
   * Rejects with a `code` of `member-ended` or `job-ended` when that came meanwhile.
   */
  report(job: number, command: MemberCommand, by: { key: string; console?: number }): Promise<void>;
  /** The URL(s) and the secret with which a board of this member reaches the server. */
  access(job: number, device: string): Promise<{ url: string; token: string }>;
}
