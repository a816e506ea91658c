/**
 * Gives boards out and takes them back: reserves a whole group, then commits it.
 *
 * Reserve, then commit: `DeviceReserved` on each board's stream (any refusal: give all back, plan again), then
 * `JobAllocated` on the job's. The job's stream decides: a lease that was voided there can never be committed, so
 * that a board whose reservation lapsed is safe to hand on.
 */
import { jobStream } from '../machines/names.ts';
import type { Directory } from '../projections/directory.ts';
import type { Assignment, Plan } from '../scheduler/types.ts';
import { type Giveback, givebacks, nextLapse, workerBeyondLimit } from './boards.ts';
import type { Clock } from './clock.ts';
import { CommandRefused } from './live-stream.ts';
import type { Commands } from './stream-commands.ts';

/** How long a reservation holds while its group is being put together. */
export const LEASE_MS = 5_000;
/** A job whose boards another engine was at too is not tried again before as long as this. */
const ASIDE_MS_MAX = 50;

const scheduler = { actor: 'engine:scheduler' };

/** What it asks of its engine. */
export interface AllocatorPort {
  clock: Clock;
  newId(): string;
  directory(): Directory;
  plan(now: number): Plan;
  /** Resolves once the directory has taken in the log up to this position. */
  reached(position: number): Promise<void>;
  commands: Commands;
}

export class Allocator {
  readonly #port: AllocatorPort;
  /** Jobs that are left alone, and until when. */
  readonly #aside = new Map<number, number>();

  constructor(port: AllocatorPort) {
    this.#port = port;
  }

  /** Gives back every board whose job is over or never came to be. */
  async giveBack(): Promise<number | null> {
    const { clock, directory, reached } = this.#port;
    const due = givebacks(directory(), clock.now());
    const positions = await Promise.all(due.map((each) => this.#giveOneBack(each)));
    await reached(Math.max(0, ...positions));
    return nextLapse(directory());
  }

  async #giveOneBack(giveback: Giveback): Promise<number> {
    const { job, lease, reason, voidFirst } = giveback;
    const by = { ...scheduler, cause: lease };
    if (voidFirst) {
      const command = { type: 'VoidAllocation', lease, reason } as const;
      const { state } = await this.#port.commands.job(job, command, by);
      // Its allocation was on its way to a slow log and came first: the end of the job gives the board back.
      if (state.state === 'allocated' && state.lease === lease) return 0;
    }
    return this.#release(giveback);
  }

  /** Gives one board back; somebody else may have done so already. Resolves with the position, 0 for nothing. */
  async #release(is: Omit<Giveback, 'voidFirst'>): Promise<number> {
    const { device, job, lease, reason, cause, ended, fault } = is;
    const command = { type: 'ReleaseDevice', lease, reason, ended, fault } as const;
    const by = { ...scheduler, of: jobStream(job), cause: cause ?? lease };
    try {
      return (await this.#port.commands.device(device, command, by)).position;
    } catch (error) {
      if (error instanceof CommandRefused) return 0;
      throw error;
    }
  }

  /** Starts every job that can start now. Resolves with the time to look again, if there is one. */
  async allocate(): Promise<number | null> {
    const { clock, plan, reached } = this.#port;
    const now = clock.now();
    for (const [job, until] of this.#aside) if (until <= now) this.#aside.delete(job);
    for (const assignment of plan(now).starts)
      if (!this.#aside.has(assignment.job)) await reached(await this.#allocateOne(assignment));
    return this.#aside.size === 0 ? null : Math.min(...this.#aside.values());
  }

  /**
   * Engines that plan in step, each with a board that the other one wants, would reserve and give back for ever: each
   * leaves the job alone for a time of its own.
   */
  #standAside(job: number, lease: string): void {
    const ms = Number.parseInt(lease.slice(-2), 16) % ASIDE_MS_MAX;
    if (ms > 0) this.#aside.set(job, this.#port.clock.now() + ms);
  }

  /** The whole group or none of it. Resolves with the last position that was written. */
  async #allocateOne({ job, members }: Assignment): Promise<number> {
    const { commands, directory, newId, reached } = this.#port;
    const lease = newId();
    const { position, failure } = await this.#reserveAll(job, members, lease);
    const giveUp = async (why: string) => {
      const reason = `${jobStream(job)} could not have its whole group: ${why}`;
      const back = await Promise.all(
        members.map(({ device }) => this.#release({ device, job, lease, reason, cause: lease })),
      );
      // What stood in the way is in the log, and wakes this loop when the directory has it.
      return Math.max(position, ...back);
    };
    try {
      if (failure !== undefined) {
        this.#standAside(job, lease);
        throw failure;
      }
      // No stream guards a worker's limit: another server may have reserved boards of it at the same time.
      await reached(position);
      const devices = members.map(({ device }) => device);
      const worker = workerBeyondLimit(directory(), devices);
      if (worker !== undefined)
        return giveUp(`worker ${worker} has as many boards in use as it may`);
      const command = { type: 'AllocateJob', lease, members } as const;
      const done = await commands.job(job, command, { ...scheduler, cause: lease });
      return Math.max(position, done.position);
    } catch (error) {
      if (error instanceof CommandRefused) return giveUp(error.message);
      throw error;
    }
  }

  /**
   * The first board alone, then the others at once: of several engines that have the same plan, all but one fail
   * at the first board and hold nothing.
   */
  async #reserveAll(
    job: number,
    members: Assignment['members'],
    lease: string,
  ): Promise<{ position: number; failure: unknown }> {
    const { clock, commands, directory } = this.#port;
    const until = clock.now() + LEASE_MS;
    const checked = directory().jobs.get(job)?.healthCheckOf;
    const by = { ...scheduler, of: jobStream(job), cause: lease };
    const reserve = ({ device }: { device: string }) => {
      const check = device === checked ? { healthCheck: true as const } : {};
      const command = { type: 'ReserveDevice', job, lease, until, ...check } as const;
      return commands.device(device, command, by);
    };
    const [first, ...others] = members;
    const alone = first === undefined ? [] : await Promise.allSettled([reserve(first)]);
    const isFirst = alone[0]?.status === 'fulfilled';
    const tries = isFirst ? [...alone, ...(await Promise.allSettled(others.map(reserve)))] : alone;
    let position = 0;
    let failure: unknown;
    for (const each of tries) {
      if (each.status === 'fulfilled') position = Math.max(position, each.value.position);
      else failure ??= each.reason;
    }
    return { position, failure };
  }
}
