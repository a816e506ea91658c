/**
 * The heart: takes commands, makes their events durable, and keeps everything that is derived from them going:
 * the directory, the scheduler's loop, the deadlines, and the requests that wait.
 */
import type { DeviceCommand, JobCommand, MemberCommand } from '../machines/commands.ts';
import type { Request } from '../machines/deciding.ts';
import type { JobDefinition } from '../machines/definition.ts';
import type { DeviceState } from '../machines/device.ts';
import type { AnyEvent, DeviceEvent, JobEvent, RecordedEvent, Verb } from '../machines/events.ts';
import {
  evolveJob,
  initialJob,
  isOver,
  type JobState,
  type JobStateName,
} from '../machines/job.ts';
import { deadlinesOf } from '../machines/job-next.ts';
import { deviceStream, jobStream, SUBMISSIONS, workerStream } from '../machines/names.ts';
import {
  applyToDirectory,
  type Directory,
  directoryFromJson,
  directoryToJson,
  emptyDirectory,
} from '../projections/directory.ts';
import { admit } from '../scheduler/admission.ts';
import { explain } from '../scheduler/explain.ts';
import { plan } from '../scheduler/plan.ts';
import type { Shortfall } from '../scheduler/types.ts';
import type { EventStore, Subscription } from '../store/port.ts';
import { Allocator } from './allocator.ts';
import { boardsOf, queueOf } from './boards.ts';
import { type Clock, systemClock } from './clock.ts';
import { Deadlines } from './deadlines.ts';
import { deviceKind, jobKind, submissionsKind, workerKind } from './kinds.ts';
import { CommandRefused, type Done, type Kind, LiveStream, type Step } from './live-stream.ts';
import { type Owed, owedBy } from './owed.ts';
import { type Checkpoints, type Projection, ProjectionRunner } from './projection-runner.ts';
import { isWaitEnd, waitEnd } from './wait-end.ts';
import { type Asked, type WaitEnd, Waiters } from './waiters.ts';

/** Who acts; with a key, a repeat of the same request changes nothing and is answered the same. */
export interface By {
  actor: string;
  key?: string;
  /** What a board caused: the size of its console at that moment, in bytes. */
  console?: number;
}

/** How a board's verb ended. */
export type CallEnd = WaitEnd | { status: 'refused'; reason: string };

export interface EngineOptions {
  store: EventStore;
  checkpoints: Checkpoints;
  /** Made from the time of the log's last event. */
  clock?: (notBefore: number) => Clock;
  newId?: () => string;
  /** Something that a person should see, though nothing was lost. */
  warn?: (what: string, error?: unknown) => void;
}

const directoryProjection: Projection<Directory> = {
  name: 'directory',
  version: 1,
  empty: emptyDirectory,
  apply: applyToDirectory,
  toJson: directoryToJson,
  fromJson: directoryFromJson,
};

/** How many jobs that are over stay folded for whoever asks for one again. */
const FINISHED_JOBS_KEPT = 50;

export class Engine {
  readonly #store: EventStore;
  readonly #newId: () => string;
  readonly #warn: (what: string, error?: unknown) => void;
  readonly #makeClock: (notBefore: number) => Clock;
  readonly #directory: ProjectionRunner<Directory>;
  readonly #live = new Map<string, unknown>();
  readonly #finished = new Map<number, JobState>();
  readonly #listeners = new Set<() => void>();
  /** Ends of waits that began in the same append, until their callers, who are answered next, take them. */
  readonly #endedAtOnce = new Map<string, ReadonlyMap<number, WaitEnd>>();
  readonly #waiters: Waiters;
  readonly #deadlines: Deadlines;
  readonly #allocator: Allocator;
  /** Set anew at the start, when the time of the log's last event is known. */
  #clock: Clock;
  #started = false;

  constructor(options: EngineOptions) {
    this.#store = options.store;
    this.#newId = options.newId ?? (() => crypto.randomUUID());
    this.#warn = options.warn ?? (() => {});
    this.#makeClock = options.clock ?? systemClock;
    this.#clock = this.#makeClock(0);
    const clock: Clock = {
      now: () => this.#clock.now(),
      after: (ms, callback) => this.#clock.after(ms, callback),
    };
    const { store, checkpoints } = options;
    this.#directory = new ProjectionRunner(directoryProjection, store, checkpoints, () => {
      if (this.#started) this.#allocator.wake();
    });
    this.#waiters = new Waiters(clock, (stream, wait) => void this.#giveUp(stream, wait));
    this.#deadlines = new Deadlines(clock, async (stream, { id, command }) => {
      const by = { actor: 'engine:deadlines' };
      await this.#execute(idOf(stream), command, by, `deadline ${id}`);
    });
    this.#allocator = new Allocator({
      clock,
      newId: this.#newId,
      directory: () => this.directory,
      reached: (position) => this.#directory.reached(position),
      warn: this.#warn,
      reserve: (device, { job, lease, until }) => {
        const command = { type: 'ReserveDevice', job, lease, until } as const;
        return this.#onDevice(device, command, scheduler, jobStream(job), lease);
      },
      release: (device, { job, lease, reason, cause }) => {
        const command = { type: 'ReleaseDevice', lease, reason } as const;
        return this.#onDevice(device, command, scheduler, jobStream(job), cause);
      },
      allocate: (job, is) =>
        this.#execute(job, { type: 'AllocateJob', ...is }, scheduler, is.lease),
      voidAllocation: (job, is) =>
        this.#execute(job, { type: 'VoidAllocation', ...is }, scheduler, is.lease),
    });
  }

  /**
   * Takes up the log where it is: folds what lives, expects the boards that wait to come back, lets deadlines
   * that passed meanwhile fire, gives half-made reservations back when their lease ends.
   */
  async start(): Promise<void> {
    await this.#directory.start();
    this.#clock = this.#makeClock(this.#directory.lastAt);
    for (const { id, state, queueDue } of this.directory.jobs.values()) {
      if (state === 'ended' || (state === 'submitted' && queueDue === null)) continue;
      const job = this.#job(id);
      await job.load();
      this.#deadlines.set(job.name, deadlinesOf(job.state));
      for (const { wait } of job.state.conversation.waits) this.#waiters.expect(job.name, wait);
      if (job.state.state !== 'allocated') this.#live.delete(job.name);
    }
    this.#started = true;
    this.#allocator.wake();
  }

  /** Ends the loops and lets what is under way become durable. The log stays as it is. */
  async stop(): Promise<void> {
    this.#deadlines.stop();
    this.#waiters.stop();
    await this.#allocator.stop();
    await this.#directory.stop();
  }

  now(): number {
    return this.#clock.now();
  }
  head(): Promise<number> {
    return this.#store.head();
  }
  get heldWaits(): number {
    return this.#waiters.count;
  }
  get directory(): Directory {
    return this.#directory.state;
  }

  // jobs

  /** Counts a job, admits or rejects it, and records it. The same key gives the same job. */
  async submit(
    job: { definition: JobDefinition; document: string },
    by: By,
  ): Promise<{ id: number; state: JobStateName; short: Shortfall[] }> {
    const counted = await this.#stream(SUBMISSIONS, submissionsKind).execute(
      { type: 'CountSubmission', name: job.definition.name },
      this.#request(by, SUBMISSIONS),
    );
    const id = counted.events[0]?.version;
    if (id === undefined) throw new Error('a submission was not counted');
    const short = admit(job.definition.roles, boardsOf(this.directory));
    const stream = jobStream(id);
    try {
      const done = await this.#execute(id, { type: 'SubmitJob', ...job, short }, by);
      await this.#directory.reached(done.position);
    } catch (error) {
      if (!(error instanceof CommandRefused && error.code === 'job-exists')) throw error;
    }
    for await (const event of this.#store.read(stream))
      if (event.type === 'JobRejected') return { id, state: 'rejected', short: event.data.short };
    const state = (await this.job(id))?.state ?? 'submitted';
    return { id, state, short: [] };
  }

  get jobCount(): number {
    return this.directory.jobCount;
  }

  /** A job as it is now, also one that is over; `undefined`: there is no such job. */
  async job(id: number): Promise<JobState | undefined> {
    const live = this.#live.get(jobStream(id)) as
      | LiveStream<JobState, JobCommand, JobEvent>
      | undefined;
    if (live !== undefined) await live.load();
    const state = live?.state ?? this.#finished.get(id) ?? (await this.#foldJob(id));
    if (state.state === 'none') return undefined;
    if (isOver(state)) this.#keepFinished(id, state);
    return state;
  }

  /** The events of a job with a version above `after`; none at all: there is no such job. */
  async *jobEvents(id: number, after = 0): AsyncIterable<RecordedEvent> {
    yield* this.#store.read(jobStream(id), after);
  }

  allEvents(after = 0, limit?: number): AsyncIterable<RecordedEvent> {
    return this.#store.readAll(after, limit);
  }

  /** The whole log from a position on, history and live joined. */
  follow(after: number, onEvents: (events: readonly RecordedEvent[]) => void): Subscription {
    return this.#store.subscribeAll(after, onEvents);
  }

  /** Ends a whole group, in whatever state it is; again, or after its end: changes nothing. */
  async cancel(id: number, reason: string, by: By): Promise<JobState> {
    const { position } = await this.#execute(id, { type: 'CancelJob', reason }, by);
    await this.#directory.reached(position);
    return (await this.job(id)) ?? initialJob;
  }

  /** What happened to a member: progress, suites, results. */
  async member(id: number, command: MemberCommand, by: By): Promise<void> {
    await this.#execute(id, command, by);
  }

  // what boards say

  /**
   * A board's verb. A wait is held until it ends.
   *
   * @returns `undefined` when the signal aborted first: come again with the same key
   * @throws CommandRefused when this member cannot speak (now); StoreUnavailable
   */
  async call(
    id: number,
    device: string,
    verb: Verb,
    words: string[],
    by: { key: string; console?: number },
    signal: AbortSignal,
  ): Promise<CallEnd | undefined> {
    const command = { type: 'CallVerb', member: device, verb, words } as const;
    const { events } = await this.#execute(id, command, { actor: `board:${device}`, ...by });
    for (const event of events) {
      if (event.type === 'RequestRefused') return { status: 'refused', reason: event.data.reason };
      if (event.type === 'WaitStarted') return this.#hold(id, event.data, signal);
    }
    return { status: 'ok', lines: [] };
  }

  /** The verb that started this wait has ended: nobody will come back to it. Unknown keys change nothing. */
  async abandon(id: number, device: string, key: string): Promise<void> {
    const version = this.#job(id).versionOfKey(memberKey(device, key));
    if (version === undefined) return;
    for await (const event of this.#store.read(jobStream(id), version - 1)) {
      if (event.type === 'RequestRefused') return;
      if (event.type !== 'WaitStarted') continue;
      const { wait } = event.data;
      const command = { type: 'AbandonWait', member: device, wait, why: 'verb-ended' } as const;
      await this.#execute(id, command, { actor: `board:${device}` });
      return;
    }
  }

  async #hold(id: number, asked: Asked, signal: AbortSignal): Promise<WaitEnd | undefined> {
    const ended = this.#endedAtOnce.get(jobStream(id))?.get(asked.wait);
    if (ended !== undefined) return ended;
    const open = this.#job(id).state.conversation.waits.some((w) => w.wait === asked.wait);
    if (open) return this.#waiters.hold(jobStream(id), asked, signal);
    let state = initialJob;
    for await (const recorded of this.#store.read(jobStream(id))) {
      const event = recorded as RecordedEvent<JobEvent>;
      state = evolveJob(state, event);
      if (isWaitEnd(event) && event.data.wait === asked.wait) return waitEnd(state, asked, event);
    }
    return undefined;
  }

  // devices and workers

  devices(): { name: string; state: DeviceState }[] {
    return [...this.directory.devices]
      .map(([name, state]) => ({ name, state }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }
  device(name: string): DeviceState | undefined {
    return this.directory.devices.get(name);
  }
  workerIsConnected(name: string): boolean {
    return this.directory.workers.get(name)?.state === 'connected';
  }

  setOffline(device: string, reason: string, by: By): Promise<DeviceState> {
    return this.#changeDevice(device, { type: 'TakeDeviceOffline', reason }, by);
  }
  setOnline(device: string, by: By): Promise<DeviceState> {
    return this.#changeDevice(device, { type: 'BringDeviceOnline' }, by);
  }

  /** A worker and its boards are here. Said again, it changes nothing. */
  async connectWorker(
    worker: string,
    boards: readonly {
      device: string;
      deviceType: string;
      tags: readonly string[];
      driver: string;
    }[],
  ): Promise<void> {
    const by = { actor: `worker:${worker}` };
    const own = workerStream(worker);
    for (const { device, ...is } of boards)
      await this.#changeDevice(
        device,
        { type: 'RegisterDevice', ...is, tags: [...is.tags], worker },
        by,
        own,
      );
    const command = { type: 'ConnectWorker', boards: boards.map((b) => b.device) } as const;
    const done = await this.#stream(own, workerKind).execute(command, this.#request(by, own));
    await this.#directory.reached(done.position);
  }

  /** Every worker of the log without a line to it now is lost. */
  async loseWorkersBut(here: readonly string[], reason: string): Promise<void> {
    for (const [worker, { state }] of this.directory.workers) {
      if (state !== 'connected' || here.includes(worker)) continue;
      const own = workerStream(worker);
      const request = this.#request({ actor: 'engine:workers' }, own);
      const command = { type: 'LoseWorker', reason } as const;
      const done = await this.#stream(own, workerKind).execute(command, request);
      await this.#directory.reached(done.position);
    }
  }

  /** The jobs that wait for boards, in the scheduler's order, each with the reason. */
  queue() {
    const [queue, boards] = [queueOf(this.directory), boardsOf(this.directory)];
    const planned = plan(queue, boards);
    return queue
      .map((job) => {
        const { id, name, priority, submittedAt } = job;
        return { job: id, name, priority, submittedAt, ...explain(job, queue, boards, planned) };
      })
      .sort((a, b) => a.place - b.place);
  }

  // what a worker needs

  /** What is owed now to the members on this worker's boards. */
  async owed(worker: string): Promise<Owed[]> {
    const out: Owed[] = [];
    for (const { id, state } of [...this.directory.jobs.values()]) {
      if (state !== 'allocated') continue;
      const job = await this.job(id);
      if (job !== undefined)
        out.push(...owedBy(id, job, (device) => this.device(device)?.worker === worker));
    }
    return out;
  }

  /** Calls back whenever `owed` may have changed. Returns the way to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // within

  #request(by: By, correlationId: string, cause?: string): Request {
    const { actor, key, console } = by;
    return {
      id: cause ?? this.#newId(),
      actor,
      correlationId,
      ...(key !== undefined && { key }),
      ...(console !== undefined && { console }),
    };
  }

  /** Runs a command on a job. A board's key counts for that board alone. */
  #execute(
    id: number,
    command: JobCommand,
    by: By,
    cause?: string,
  ): Promise<Done<JobState, JobEvent>> {
    const stream = jobStream(id);
    const { key } = by;
    const own = key !== undefined && 'member' in command ? memberKey(command.member, key) : key;
    const request = this.#request({ ...by, ...(own !== undefined && { key: own }) }, stream, cause);
    return this.#job(id).execute(command, request);
  }

  #job(id: number): LiveStream<JobState, JobCommand, JobEvent> {
    return this.#stream(jobStream(id), jobKind, {
      onCommitted: (steps) => this.#onJob(id, steps),
      keep: (job) => job.state === 'allocated',
    });
  }

  /** A stream that is held folded: the one there is, or a new one. `keep`: whether it stays once it is idle. */
  #stream<S, C, E extends AnyEvent>(
    name: string,
    kind: Kind<S, C, E>,
    is: { onCommitted?: (steps: readonly Step<S, E>[]) => void; keep?: (state: S) => boolean } = {},
  ): LiveStream<S, C, E> {
    const known = this.#live.get(name) as LiveStream<S, C, E> | undefined;
    if (known !== undefined) return known;
    const made: LiveStream<S, C, E> = new LiveStream(name, kind, {
      store: this.#store,
      now: () => this.#clock.now(),
      newId: this.#newId,
      onCommitted: is.onCommitted ?? (() => {}),
      onIdle: () => {
        if (is.keep?.(made.state) === false) this.#live.delete(name);
      },
    });
    this.#live.set(name, made);
    return made;
  }

  /** Everything that follows from a job's new events, now that they are durable. */
  #onJob(id: number, steps: readonly Step<JobState, JobEvent>[]): void {
    const stream = jobStream(id);
    let matters = false;
    const begun = new Map<number, Asked>();
    const endedAtOnce = new Map<number, WaitEnd>();
    for (const { event, state } of steps) {
      if (event.type === 'WaitStarted') begun.set(event.data.wait, event.data);
      if (isWaitEnd(event)) {
        const { wait } = event.data;
        const asked = begun.get(wait);
        if (asked !== undefined) endedAtOnce.set(wait, waitEnd(state, asked, event));
        this.#waiters.end(stream, wait, (held) => waitEnd(state, held, event));
      }
      matters ||= changesWhatIsOwed(event.type);
    }
    if (endedAtOnce.size > 0) this.#endedAtOnce.set(stream, endedAtOnce);
    else this.#endedAtOnce.delete(stream);
    const state = steps.at(-1)?.state;
    if (state !== undefined) this.#deadlines.set(stream, deadlinesOf(state));
    if (matters) for (const listener of this.#listeners) listener();
  }

  async #foldJob(id: number): Promise<JobState> {
    let state = initialJob;
    for await (const event of this.#store.read(jobStream(id)))
      state = evolveJob(state, event as RecordedEvent<JobEvent>);
    return state;
  }

  #keepFinished(id: number, state: JobState): void {
    this.#finished.set(id, state);
    const [oldest] = this.#finished.keys();
    if (this.#finished.size > FINISHED_JOBS_KEPT && oldest !== undefined)
      this.#finished.delete(oldest);
  }

  /** Nobody came back to this wait in time (SEMANTICS 2.3, "A verb that was killed"). */
  async #giveUp(stream: string, wait: number): Promise<void> {
    const id = idOf(stream);
    try {
      const job = this.#job(id);
      await job.load();
      const open = job.state.conversation.waits.find((w) => w.wait === wait);
      const member = open && job.state.members[open.member]?.device;
      if (member === undefined) return;
      const command = { type: 'AbandonWait', member, wait, why: 'connection-lost' } as const;
      await this.#execute(id, command, { actor: 'engine:connections' });
    } catch (error) {
      if (error instanceof CommandRefused) return;
      this.#warn(`a wait of ${stream} could not be given up; it is tried again`, error);
      this.#waiters.expect(stream, wait);
    }
  }

  #onDevice(
    device: string,
    command: DeviceCommand,
    by: By,
    correlationId: string,
    cause?: string,
  ): Promise<Done<DeviceState, DeviceEvent>> {
    const request = this.#request(by, correlationId, cause);
    return this.#stream(deviceStream(device), deviceKind).execute(command, request);
  }

  async #changeDevice(
    device: string,
    command: DeviceCommand,
    by: By,
    correlationId = deviceStream(device),
  ): Promise<DeviceState> {
    const { state, position } = await this.#onDevice(device, command, by, correlationId);
    await this.#directory.reached(position);
    return state;
  }
}

const scheduler: By = { actor: 'engine:scheduler' };

const idOf = (stream: string): number => Number(stream.slice(stream.indexOf('-') + 1));

/** A board's key counts for that board alone: nothing that it sends can answer for another one. */
const memberKey = (device: string, key: string): string => `${device}/${key}`;

/** Talk and waits change nothing of what a worker has to do; everything else may. */
const changesWhatIsOwed = (type: JobEvent['type']): boolean =>
  type === 'JobAllocated' ||
  type.startsWith('Action') ||
  type.startsWith('Member') ||
  type === 'JobCancelled' ||
  type === 'JobTimedOut';
