/**
 * What the scheduler is told and what it answers: plain data, nothing else crosses this room's door.
 *
 * Terminology: a *slot* is one of the `count` places of a role; a board *fits* a slot when its type or name
 * is equal and it has all the tags (SEMANTICS 4.2); a board is *free* when it is idle and available.
 */
import type { RoleRequest } from '../machines/definition.ts';

/** A registered board as it stands now. Names are unique. */
export interface Board {
  name: string;
  deviceType: string;
  tags: readonly string[];
  /** When it last became idle: milliseconds since the epoch. */
  idleSince: number;
  state: 'idle' | 'reserved' | 'retired';
  /** Online, its worker connected, its health good or unknown. */
  available: boolean;
  /** Why it is not available, in words, when it is not: `power`, `its worker is lost`. */
  unavailable?: string;
  /** `until`: when its job's timeout gives it back at the latest, milliseconds since the epoch. */
  heldBy?: { job: number; until?: number };
}

/** A job that waits. Ids are unique. */
export interface QueuedJob {
  id: number;
  /** 0..100, the highest first. */
  priority: number;
  /** Milliseconds since the epoch. */
  submittedAt: number;
  roles: readonly RoleRequest[];
}

/** A whole group for one job. */
export interface Assignment {
  job: number;
  /** In `lava-group` order: the order of the roles in the job, then by device name (SEMANTICS 2.3). */
  members: { device: string; role: string }[];
}

/** A role that cannot have all its boards; the shape of `JobRejected.short`. */
export interface Shortfall {
  role: string;
  /** Slots of the role. */
  wanted: number;
  /** Slots that can be filled while as many slots of the group as possible are. */
  found: number;
  /** What is missing, for a person. */
  lacking: string;
}

/** Why a job still waits. */
export interface Explanation {
  /** In the queue, from 1. */
  place: number;
  /** One sentence for `muster queue`. */
  reason: string;
  slots: {
    role: string;
    wanted: number;
    /** Boards that fit the role and are free for this job now. Roles may share them. */
    free: number;
    /** Every board of the role's type (or name), by name, and what keeps it. `free`: nothing does. */
    candidates: { board: string; why: string }[];
  }[];
}
