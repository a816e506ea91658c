/**
 * What the scheduler is told and what it answers: plain data, nothing else crosses this room's door.
 *
 * Terminology: a *slot* is one of the `count` places of a role; a board *fits* a slot when its type or name
 * is equal and it has all the tags (SEMANTICS 4.2); a board is *free* for a job when it is idle and open to it.
 */
import type { RoleRequest } from '../machines/definition.ts';

/** A registered board as it stands now. Names are unique. */
export interface Board {
  name: string;
  deviceType: string;
  tags: readonly string[];
  worker: string;
  /** When it last became idle: milliseconds since the epoch. */
  idleSince: number;
  /**
   * `retired` by an operator, `unlisted`: the worker that it was of is here and does not list it any more. Neither exists
   * for any job (SEMANTICS 1.3, 2.4).
   */
  state: 'idle' | 'reserved' | 'retired' | 'unlisted';
  /**
   * `jobs`: online, its worker connected, its health good or unknown, no health check due. `checks`: for its
   * own health check alone (a check is due, or it is looping). `nothing`: for neither.
   */
  open: 'jobs' | 'checks' | 'nothing';
  /**
   * Why it is not open to jobs, in words: `offline: power`, `its worker w1 is lost`, `health bad: ...`, `retired: burnt`,
   * `no longer a board of its worker w1`.
   */
  closed?: string;
  /**
   * `until`: when its job's timeout gives it back at the latest, milliseconds since the epoch. `isCheck`: the job
   * is its own health check.
   */
  heldBy?: { job: number; until?: number; isCheck?: true };
}

/** A worker that drives boards. Names are unique. */
export interface Worker {
  name: string;
  /** How many of its boards may be held at once; absent: all (SEMANTICS 4.2, "worker job limit"). */
  jobLimit?: number;
}

/** A job that waits. Ids are unique. */
export interface QueuedJob {
  id: number;
  /** 0..100, the highest first. */
  priority: number;
  /** Milliseconds since the epoch. */
  submittedAt: number;
  roles: readonly RoleRequest[];
  /** How long it may hold its boards, counted from its allocation. */
  timeoutSeconds: number;
  /** The board whose health it checks: it comes before any job, and may have a board open to `checks`. */
  healthCheckOf?: string;
}

/** A whole group for one job. */
export interface Assignment {
  job: number;
  /** In `lava-group` order: the order of the roles in the job, then by device name (SEMANTICS 2.3). */
  members: { device: string; role: string }[];
}

/** What the first job that cannot start is promised (SEMANTICS 4.4). */
export interface Reservation {
  job: number;
  /** When the timeouts of what runs guarantee its boards, milliseconds since the epoch. */
  at: number;
  /** Boards that would do at that time, by name. Others may do as well. */
  boards: string[];
}

export interface Plan {
  /** In the order of the queue. */
  starts: Assignment[];
  /** `null`: nobody is blocked, or no blocked job has a time by which its boards are sure to be free. */
  reservation: Reservation | null;
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

/** Why a job waits, in one line: cheap enough to ask for a whole queue. */
export interface Waiting {
  job: number;
  /** In the queue, from 1. */
  place: number;
  /** One sentence for `muster queue`. */
  reason: string;
  /** The start that is guaranteed; `null`: none is yet, because of what `reason` says. */
  guaranteedStart: number | null;
}

/** Why a job waits, board by board. */
export interface Explanation extends Waiting {
  slots: {
    role: string;
    wanted: number;
    /** Boards that fit the role and are free for this job now. Roles may share them. */
    free: number;
    /** Slots that no board is there for, while as many slots of the group as possible have one. */
    short: number;
    /** Every board of the role's type (or name), by name, and what keeps it. `free`: nothing does. */
    candidates: {
      board: string;
      why: string;
      /** By when at the latest it comes back, where a timeout guarantees that. */
      until?: number;
    }[];
  }[];
}
