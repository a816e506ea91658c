/**
 * The scheduler's loop: plans on the directory, reserves a whole group, then commits it; and gives boards back.
 *
 * Reserve, then commit: `DeviceReserved` on each board's stream (any refusal: give all back, plan again), then
 * `JobAllocated` on the job's. The job's stream decides: a lease that was voided there can never be committed, so
 * that a board whose reservation lapsed is safe to hand on.
 */
import type { DeviceEvent } from '../machines/events.ts';
import { jobStream } from '../machines/names.ts';
import type { Directory } from '../projections/directory.ts';
import { plan } from '../scheduler/plan.ts';
import type { Assignment } from '../scheduler/types.ts';
import { boardsOf, type Giveback, givebacks, nextLapse, queueOf } from './boards.ts';
import type { Clock } from './clock.ts';
import { CommandRefused, type Done } from './live-stream.ts';

/** How long a reservation holds while its group is being put together. */
export const LEASE_MS = 5_000;
/** After a failure of the store, the loop tries again after this long. */
const RETRY_MS = 1_000;

interface Release {
  job: number;
  lease: string;
  reason: string;
  /** The id of the event or the lease that is the cause. */
  cause: string;
}

/** What the loop asks of its engine. */
export interface AllocatorPort {
  clock: Clock;
  newId(): string;
  directory(): Directory;
  /** Resolves once the directory has taken in the log up to this position. */
  reached(position: number): Promise<void>;
  // biome-ignore format: one command a line
  reserve(device: string, is: { job: number; lease: string; until: number }): Promise<Done<unknown, DeviceEvent>>;
  release(device: string, is: Release): Promise<Done<unknown, DeviceEvent>>;
  allocate(job: number, is: { lease: string; members: Assignment['members'] }): Promise<unknown>;
  voidAllocation(job: number, is: { lease: string; reason: string }): Promise<unknown>;
  warn(what: string, error: unknown): void;
}

export class Allocator {
  readonly #port: AllocatorPort;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #timer: (() => void) | undefined;

  constructor(port: AllocatorPort) {
    this.#port = port;
  }

  /** Something that matters to the plan may have changed. */
  wake(): void {
    this.#again = true;
    if (this.#stopped || this.#running) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        await this.#giveBack();
        await this.#allocate();
        this.#wakeAtLapse();
      } catch (error) {
        this.#port.warn('the scheduler could not write to the log; it tries again', error);
        this.#wakeIn(RETRY_MS);
      }
    }
  }

  #wakeIn(ms: number): void {
    this.#timer?.();
    this.#timer = this.#port.clock.after(ms, () => this.wake());
  }

  #wakeAtLapse(): void {
    const lapse = nextLapse(this.#port.directory());
    if (lapse !== null) this.#wakeIn(Math.max(0, lapse - this.#port.clock.now()));
  }

  async #giveBack(): Promise<void> {
    const { clock, directory } = this.#port;
    const due = givebacks(directory(), clock.now());
    const positions = await Promise.all(due.map((each) => this.#giveOneBack(each)));
    await this.#port.reached(Math.max(0, ...positions));
  }

  async #giveOneBack(giveback: Giveback): Promise<number> {
    const { device, job, lease, reason, cause, voidFirst } = giveback;
    if (voidFirst) await this.#port.voidAllocation(job, { lease, reason });
    return this.#release(device, { job, lease, reason, cause: cause ?? lease });
  }

  /** Gives one board back; somebody else may have done so already. Returns the position of it, 0 for none. */
  async #release(device: string, is: Release): Promise<number> {
    try {
      return (await this.#port.release(device, is)).position;
    } catch (error) {
      if (error instanceof CommandRefused) return 0;
      throw error;
    }
  }

  async #allocate(): Promise<void> {
    const directory = this.#port.directory();
    for (const assignment of plan(queueOf(directory), boardsOf(directory))) {
      if (this.#stopped) return;
      await this.#port.reached(await this.#allocateOne(assignment));
    }
  }

  /** The whole group or none of it. Returns the last position that was written. */
  async #allocateOne({ job, members }: Assignment): Promise<number> {
    const { clock, newId, reserve } = this.#port;
    const lease = newId();
    const until = clock.now() + LEASE_MS;
    const tries = await Promise.allSettled(
      members.map(({ device }) => reserve(device, { job, lease, until })),
    );
    let position = 0;
    let failure: unknown;
    for (const each of tries) {
      if (each.status === 'fulfilled') position = Math.max(position, each.value.position);
      else failure ??= each.reason;
    }
    try {
      if (failure !== undefined) throw failure;
      await this.#port.allocate(job, { lease, members });
      return position;
    } catch (error) {
      if (!(error instanceof CommandRefused)) throw error;
      const reason = `${jobStream(job)} could not have its whole group: ${error.message}`;
      const back = await Promise.all(
        members.map(({ device }) => this.#release(device, { job, lease, reason, cause: lease })),
      );
      // What stood in the way is in the log, and wakes this loop when the directory has it.
      return Math.max(position, ...back);
    }
  }
}
