/**
 * A lab on virtual time: plays a trace under a policy, from one instant at which something happens to the next.
 * Pure: the same trace and policy give the same run.
 *
 * At each instant everything that is due happens first (ends, boards, submissions, jobs given up); then the policy
 * decides, once. A board that is lost ends the job that it is in; a board that a waiting job holds comes free when
 * it goes away, and is grabbed anew.
 */
import type { Board } from '../scheduler/types.ts';
import { Agenda } from './agenda.ts';
import type { Members } from './filling.ts';
import type { Decision, Policy } from './policy.ts';
import { type Outage, sizeOf, type Trace, type TraceBoard, type TraceJob } from './trace.ts';

export type End =
  | TraceJob['outcome']
  | 'timedOut'
  /** One of its boards was lost. */
  | 'lost'
  | 'rejected'
  /** Given up in the queue: by whoever submitted it, or by its queue timeout. */
  | 'withdrawn'
  | 'queueTimedOut'
  /** It had not started when nothing more could happen. */
  | 'waiting';

/** What became of one job. */
export interface JobRun {
  job: TraceJob;
  size: number;
  members: Members;
  /** `null`: it never started. */
  startedAt: number | null;
  endedAt: number | null;
  end: End;
  /** Jobs that came before it in the order: those that waited already, and those submitted while it waited. */
  ahead: number;
}

/** How long a board was what, in milliseconds. */
export interface BoardUse {
  board: string;
  deviceType: string;
  /** It was registered, and not away unless a job was on it. */
  availableMs: number;
  /** A job ran on it. */
  busyMs: number;
  /** A job held it that had not started. */
  grabbedMs: number;
}

/** Jobs that hold boards and wait for one another when nothing runs and nothing more can come. */
export interface Deadlock {
  /** When the last board was grabbed: nothing has moved since. */
  since: number;
  holders: { job: number; holds: string[]; lacks: number }[];
  /** Jobs that hold nothing and wait behind them. */
  behind: number;
}

export interface Run {
  policy: string;
  beganAt: number;
  endedAt: number;
  /** In the order of their submission. */
  jobs: JobRun[];
  use: BoardUse[];
  deadlock: Deadlock | null;
  /** When a board came or went: what was promised before may no longer be kept. */
  disturbances: number[];
}

/** The lab right after a decision, before it is carried out; for whoever checks decisions. */
export interface Moment {
  now: number;
  decision: Decision;
  boards: Board[];
  waiting: JobRun[];
  disturbedAt: number;
}

type Happening =
  | { is: 'ends'; run: JobRun; end: End }
  | { is: 'registered' | 'retired'; board: string }
  | { is: 'away' | 'back'; outage: Outage }
  | { is: 'submitted'; job: TraceJob }
  | { is: 'given-up'; id: number; end: 'withdrawn' | 'queueTimedOut' };

/**
 * Plays the trace to its end: until no job is left, or nothing more can happen.
 *
 * @param watch is called at every decision; building a `Moment` takes as long as the lab is large
 */
export function simulate(trace: Trace, policy: Policy, watch?: (moment: Moment) => void): Run {
  return new VirtualLab(trace, policy, watch).run();
}

interface Place {
  is: TraceBoard;
  isRegistered: boolean;
  /** How many outages it is in. */
  outages: number;
  heldBy: { job: number; until?: number } | null;
  idleSince: number;
  countedAt: number;
  use: BoardUse;
}

class VirtualLab {
  readonly #trace: Trace;
  readonly #policy: Policy;
  readonly #watch: ((moment: Moment) => void) | undefined;
  readonly #agenda = new Agenda<Happening>();
  readonly #places = new Map<string, Place>();
  readonly #runs = new Map<number, JobRun>();
  readonly #waiting = new Map<number, JobRun>();
  readonly #running = new Map<number, JobRun>();
  /** Boards that a waiting job holds, and when it took the last of them. */
  readonly #grabbed = new Map<number, { devices: Set<string>; at: number }>();
  /** By priority: how many jobs wait, and how many have come so far. */
  readonly #waitingOf: number[] = [];
  readonly #arrivals: number[] = [];
  readonly #disturbances: number[] = [];
  #toCome: number;
  #now = 0;

  constructor(trace: Trace, policy: Policy, watch?: (moment: Moment) => void) {
    this.#trace = trace;
    this.#policy = policy;
    this.#watch = watch;
    this.#toCome = trace.jobs.length;
    const beganAt = trace.jobs[0]?.submittedAt ?? 0;
    for (const is of trace.boards) {
      const { name: board, deviceType } = is;
      const use = { board, deviceType, availableMs: 0, busyMs: 0, grabbedMs: 0 };
      const place = { is, isRegistered: false, outages: 0, heldBy: null, use };
      this.#places.set(board, { ...place, idleSince: is.from, countedAt: beganAt });
      this.#agenda.put(is.from, { is: 'registered', board });
      if (is.until !== null) this.#agenda.put(is.until, { is: 'retired', board });
    }
    for (const outage of trace.outages) {
      this.#agenda.put(outage.from, { is: 'away', outage });
      if (outage.until !== null) this.#agenda.put(outage.until, { is: 'back', outage });
    }
    for (const job of trace.jobs) this.#agenda.put(job.submittedAt, { is: 'submitted', job });
  }

  run(): Run {
    const beganAt = this.#trace.jobs[0]?.submittedAt ?? 0;
    this.#now = beganAt;
    while (this.#toCome + this.#waiting.size + this.#running.size > 0) {
      const next = this.#agenda.next();
      if (next === undefined) break;
      this.#now = next.at;
      for (const what of next.due) this.#happen(what);
      this.#decide();
    }
    for (const place of this.#places.values()) this.#count(place);
    const deadlock = this.#deadlock();
    for (const run of this.#waiting.values()) this.#leaveQueue(run, 'waiting', null);
    return {
      policy: this.#policy.name,
      beganAt,
      endedAt: this.#now,
      jobs: this.#trace.jobs.flatMap(({ id }) => this.#runs.get(id) ?? []),
      use: [...this.#places.values()].map(({ use }) => use),
      deadlock,
      disturbances: this.#disturbances,
    };
  }

  #happen(what: Happening): void {
    switch (what.is) {
      case 'submitted':
        this.#toCome -= 1;
        this.#submit(what.job);
        break;
      case 'ends':
        if (this.#running.has(what.run.job.id)) this.#end(what.run, what.end);
        break;
      case 'given-up': {
        const run = this.#waiting.get(what.id);
        if (run !== undefined) this.#leaveQueue(run, what.end, this.#now);
        break;
      }
      default:
        this.#boardHappening(what);
    }
  }

  #boardHappening(
    what: Extract<Happening, { is: 'registered' | 'retired' | 'away' | 'back' }>,
  ): void {
    const place = this.#places.get('outage' in what ? what.outage.board : what.board);
    if (place === undefined) return;
    this.#count(place);
    this.#disturb();
    if (what.is === 'registered' || what.is === 'retired')
      place.isRegistered = what.is === 'registered';
    else place.outages += what.is === 'away' ? 1 : -1;
    const run = this.#running.get(place.heldBy?.job ?? 0);
    if (what.is === 'away' && what.outage.kind === 'lost' && run !== undefined)
      this.#end(run, 'lost');
    else if (run === undefined && place.heldBy !== null && !isOpen(place))
      this.#ungrab(place.heldBy.job, place.is.name);
    else this.#tell(place);
  }

  #disturb(): void {
    if (this.#disturbances.at(-1) !== this.#now) this.#disturbances.push(this.#now);
  }

  #submit(job: TraceJob): void {
    const run: JobRun = {
      job,
      size: sizeOf(job.roles),
      members: [],
      startedAt: null,
      endedAt: null,
      end: 'waiting',
      ahead: 0,
    };
    this.#runs.set(job.id, run);
    if (!this.#policy.admits(job.roles)) {
      run.end = 'rejected';
      run.endedAt = this.#now;
      return;
    }
    // Those that wait; less what `#leaveQueue` will count though it came before.
    run.ahead = sumFrom(this.#waitingOf, job.priority) - this.#arrivedAbove(job.priority);
    addAt(this.#arrivals, job.priority, 1);
    addAt(this.#waitingOf, job.priority, 1);
    this.#waiting.set(job.id, run);
    const { id, priority, submittedAt, roles, timeoutSeconds } = job;
    this.#policy.setJob({ id, priority, submittedAt, roles, timeoutSeconds });
    if (job.queueTimeoutSeconds !== undefined) {
      const due = this.#now + job.queueTimeoutSeconds * 1000;
      this.#agenda.put(due, { is: 'given-up', id, end: 'queueTimedOut' });
    }
    if (job.withdrawnAt !== undefined)
      this.#agenda.put(job.withdrawnAt, { is: 'given-up', id, end: 'withdrawn' });
  }

  #arrivedAbove(priority: number): number {
    return sumFrom(this.#arrivals, priority + 1);
  }

  /** @param endedAt `null`: it did not end, the run did. */
  #leaveQueue(run: JobRun, end: End, endedAt: number | null): void {
    const { id, priority } = run.job;
    this.#waiting.delete(id);
    addAt(this.#waitingOf, priority, -1);
    run.ahead += this.#arrivedAbove(priority);
    this.#policy.removeJob(id);
    for (const device of [...(this.#grabbed.get(id)?.devices ?? [])]) this.#ungrab(id, device);
    run.end = end;
    run.endedAt = endedAt;
  }

  #decide(): void {
    const decision = this.#policy.decide(this.#now);
    this.#watch?.({
      now: this.#now,
      decision,
      boards: [...this.#places.values()].filter(isThere).map(boardOf),
      waiting: [...this.#waiting.values()],
      disturbedAt: this.#disturbances.at(-1) ?? 0,
    });
    for (const { job, device } of decision.grabs) {
      const grabbed = this.#grabbed.get(job) ?? { devices: new Set(), at: this.#now };
      grabbed.devices.add(device);
      grabbed.at = this.#now;
      this.#grabbed.set(job, grabbed);
      this.#hold(device, { job });
    }
    for (const { job, members } of decision.starts) this.#start(job, members);
  }

  #start(id: number, members: Members): void {
    const run = this.#waiting.get(id);
    if (run === undefined) return;
    // The boards it grabbed are members; they stay with it.
    this.#grabbed.delete(id);
    this.#leaveQueue(run, run.job.outcome, null);
    this.#running.set(id, run);
    run.startedAt = this.#now;
    run.members = members;
    const timeoutMs = run.job.timeoutSeconds * 1000;
    const until = this.#now + timeoutMs;
    for (const { device } of members) this.#hold(device, { job: id, until });
    const end = run.job.runMs < timeoutMs ? run.job.outcome : 'timedOut';
    this.#agenda.put(Math.min(this.#now + run.job.runMs, until), { is: 'ends', run, end });
  }

  #end(run: JobRun, end: End): void {
    this.#running.delete(run.job.id);
    run.end = end;
    run.endedAt = this.#now;
    for (const { device } of run.members) this.#release(device);
  }

  #hold(device: string, heldBy: NonNullable<Place['heldBy']>): void {
    const place = this.#places.get(device);
    if (place === undefined) return;
    this.#count(place);
    place.heldBy = heldBy;
    this.#tell(place);
  }

  #release(device: string): void {
    const place = this.#places.get(device);
    if (place === undefined) return;
    this.#count(place);
    place.heldBy = null;
    place.idleSince = this.#now;
    this.#tell(place);
  }

  #ungrab(job: number, device: string): void {
    this.#grabbed.get(job)?.devices.delete(device);
    this.#release(device);
  }

  /** Adds the time since the last change of a board to what the board was in it. */
  #count(place: Place): void {
    const elapsed = Math.max(0, this.#now - place.countedAt);
    place.countedAt = Math.max(this.#now, place.countedAt);
    if (isOpen(place) || place.heldBy !== null) place.use.availableMs += elapsed;
    if (place.heldBy === null) return;
    if (place.heldBy.until === undefined) place.use.grabbedMs += elapsed;
    else place.use.busyMs += elapsed;
  }

  #tell(place: Place): void {
    if (isThere(place)) this.#policy.setBoard(boardOf(place));
    else this.#policy.removeBoard(place.is.name);
  }

  #deadlock(): Deadlock | null {
    const holders = [...this.#grabbed].filter(([, { devices }]) => devices.size > 0);
    if (this.#running.size > 0 || holders.length === 0) return null;
    return {
      since: Math.max(...holders.map(([, { at }]) => at)),
      holders: holders.map(([job, { devices }]) => ({
        job,
        holds: [...devices].sort(),
        lacks: (this.#waiting.get(job)?.size ?? 0) - devices.size,
      })),
      behind: this.#waiting.size - holders.length,
    };
  }
}

/** A board that was retired stays until its job has ended. */
const isThere = ({ isRegistered, heldBy }: Place): boolean => isRegistered || heldBy !== null;
const isOpen = ({ isRegistered, outages }: Place): boolean => isRegistered && outages === 0;

function boardOf(place: Place): Board {
  const { name, deviceType, tags, worker } = place.is;
  const state = place.heldBy === null ? 'idle' : 'reserved';
  return {
    name,
    deviceType,
    tags,
    worker,
    idleSince: place.idleSince,
    state,
    ...(isOpen(place) ? { open: 'jobs' } : { open: 'nothing', closed: 'away' }),
    ...(place.heldBy !== null && { heldBy: place.heldBy }),
  };
}

function addAt(counts: number[], at: number, by: number): void {
  counts[at] = (counts[at] ?? 0) + by;
}

function sumFrom(counts: readonly number[], from: number): number {
  let sum = 0;
  for (let at = from; at < counts.length; at += 1) sum += counts[at] ?? 0;
  return sum;
}
