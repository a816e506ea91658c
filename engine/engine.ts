/**
 * The heart: takes commands, makes their events durable, and keeps everything that is derived from them going:
 * the directory, the scheduler's loop, the deadlines, and the requests that wait.
 *
 * Every engine on a log may run every command: the expected version of an append is the only lock. Alone on its log
 * an engine never meets a conflict; where several share one, each hears of the others' events from the log.
 */
import type { DeviceCommand, MemberCommand, WorkerCommand } from '../machines/commands.ts';
import type { JobDefinition } from '../machines/definition.ts';
import type { DeviceState } from '../machines/device.ts';
import {
  type Health,
  type JobEvent,
  type RecordedEvent,
  UnreadableEvent,
  type Verb,
} from '../machines/events.ts';
import { initialJob, type JobState, type JobStateName, memberOf } from '../machines/job/job.ts';
import { deadlinesOf } from '../machines/job/next.ts';
import { jobOf, jobStream } from '../machines/names.ts';
import { VOCABULARY } from '../machines/versions.ts';
import type { WorkerState } from '../machines/worker.ts';
import { type Directory, type JobEntry, undriven } from '../projections/directory.ts';
import type { Explanation, Shortfall, Waiting } from '../scheduler/types.ts';
import {
  type EventStore,
  type Rows,
  StoreRefused,
  StoreUnavailable,
  type Subscription,
} from '../store/port.ts';
import type { CallEnd } from '../wire/board-answers.ts';
import type { BoardRegistration, Owed } from '../wire/server-port.ts';
import { Allocator } from './allocator.ts';
import { type CalledBy, Calls } from './calls.ts';
import { type Clock, systemClock } from './clock.ts';
import { Deadlines, type Due } from './deadlines.ts';
import { directoryProjection } from './directory-projection.ts';
import { eventIds } from './event-ids.ts';
import { FoldedJobs } from './folded-jobs.ts';
import { Submissions } from './intake.ts';
import { LabView } from './lab-view.ts';
import type { Step } from './live-stream.ts';
import { Loop } from './loop.ts';
import { owedBy } from './owed.ts';
import { type Checkpoints, ProjectionRunner } from './projection-runner.ts';
import { Registry, type WorkerFacts } from './registry.ts';
import { type By, Commands } from './stream-commands.ts';
import { Streams } from './streams.ts';
import { RESUME_GRACE_MS } from './waiters.ts';
import { WorkerWatch } from './worker-watch.ts';

export interface EngineOptions {
  store: EventStore;
  checkpoints: Checkpoints;
  /** Whether other servers work on the same log. */
  shared?: boolean;
  /** Made from the time of the log's last event. */
  clock?: (notBefore: number) => Clock;
  newId?: () => string;
  /** Something that a person should see, though nothing was lost. */
  warn?: (what: string, error?: unknown) => void;
}

/** How soon what could not be read is read again. */
const AGAIN_MS = 1_000;
/** How long a board may take to be switched off after its member's end; a later call has a token that is out of date. */
const SILENCE_MS = 60_000;

export class Engine {
  readonly #store: EventStore;
  readonly #warn: (what: string, error?: unknown) => void;
  readonly #makeClock: (notBefore: number) => Clock;
  readonly #directory: ProjectionRunner<Directory>;
  readonly #streams: Streams;
  readonly #commands: Commands;
  readonly #calls: Calls;
  readonly #deadlines: Deadlines;
  readonly #lab: LabView;
  readonly #workers: WorkerWatch;
  readonly #registry: Registry;
  readonly #submissions: Submissions;
  readonly #loop: Loop;
  readonly #foldedJobs: FoldedJobs;
  readonly #listeners = new Set<() => void>();
  /** Set anew at the start, when the time of the log's last event is known. */
  #clock: Clock;
  #started = false;
  #stopped = false;

  constructor(options: EngineOptions) {
    const { store, checkpoints, newId = eventIds(), shared = false } = options;
    this.#store = store;
    this.#foldedJobs = new FoldedJobs(store);
    this.#warn = options.warn ?? (() => {});
    this.#makeClock = options.clock ?? systemClock;
    this.#clock = this.#makeClock(0);
    const clock: Clock = {
      now: () => this.#clock.now(),
      after: (ms, callback) => this.#clock.after(ms, callback),
      turnsEnd: () => this.#clock.turnsEnd(),
    };
    const directory = () => this.directory;
    const reached = (position: number) => this.#directory.reached(position);
    const onJob = (id: number, steps: readonly Step<JobState, JobEvent>[]) =>
      this.#onJob(id, steps);

    this.#directory = new ProjectionRunner(
      directoryProjection,
      store,
      checkpoints,
      (events) => {
        if (this.#started) this.#onEvents(events);
      },
      this.#warn,
    );
    const streams = new Streams({
      store,
      clock,
      newId,
      vocabulary: () => this.#workers.vocabulary,
      again: (callback) => this.#again(callback),
      directory,
      onJob,
    });
    const commands = new Commands(streams, newId);
    this.#streams = streams;
    this.#commands = commands;
    this.#calls = new Calls({ store, streams, commands, clock, shared, warn: this.#warn });
    this.#deadlines = new Deadlines(clock, async (stream, { id, command }) => {
      const by = { actor: 'engine:deadlines', cause: `deadline ${id}` };
      const job = jobOf(stream);
      if (job !== undefined) await commands.job(job, command, by);
    });
    this.#lab = new LabView(directory, clock.now);
    const plan = (at: number) => this.#lab.planner.plan(at);
    this.#submissions = new Submissions({
      directory,
      reached,
      commands,
      lab: this.#lab,
      store,
      newId,
    });
    const allocator = new Allocator({ clock, newId, directory, reached, plan, commands });
    this.#workers = new WorkerWatch({ clock, directory, reached, commands, shared });
    this.#registry = new Registry({
      now: clock.now,
      directory,
      reached,
      commands,
      workers: this.#workers,
      shared,
    });
    this.#loop = new Loop(
      clock,
      [
        () => allocator.giveBack(),
        () => this.#workers.look(),
        () => this.#submissions.submitChecks(),
        () => allocator.allocate(),
      ],
      (error) => {
        this.#workers.blinded();
        this.#warn('the scheduler could not write to the log; it tries again', error);
      },
    );
  }

  /**
   * Takes up the log where it is: folds what lives, expects the boards that wait to come back, lets deadlines
   * that passed meanwhile fire, gives half-made reservations back when their lease ends.
   */
  async start(): Promise<void> {
    await this.#directory.start();
    this.#refuseNewer();
    this.#clock = this.#makeClock(this.#directory.lastAt);
    for (const entry of this.directory.jobs.values()) {
      if (entry.state === 'submitted')
        this.#deadlines.set(jobStream(entry.id), queueDeadline(entry));
      if (entry.state === 'allocated') await this.#takeUp(entry.id);
    }
    this.#lab.build();
    this.#started = true;
    this.#loop.wake();
  }

  /**
   * Boards and workers can reach this server: what waits for them runs from now on. The time in which nobody could
   * answer is nobody's fault (SEMANTICS 2.4, "Coming back").
   */
  open(): void {
    this.#calls.open();
    this.#deadlines.open(RESUME_GRACE_MS);
  }

  /** Ends the loops and lets what is under way become durable. The log stays as it is. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#deadlines.stop();
    this.#calls.stop();
    await this.#loop.stop();
    await this.#directory.stop();
  }

  now(): number {
    return this.#clock.now();
  }
  head(): Promise<number> {
    return this.#store.head();
  }
  get heldWaits(): number {
    return this.#calls.heldWaits;
  }
  get directory(): Directory {
    return this.#directory.state;
  }

  // jobs

  /** See `Submissions.submit`. */
  async submit(
    job: { definition: JobDefinition; document: string },
    by: By,
  ): Promise<{ id: number; state: JobStateName; short: Shortfall[] }> {
    const id = await this.#submissions.submit(job, by);
    for await (const event of this.#store.read(jobStream(id)))
      if (event.type === 'JobRejected') return { id, state: 'rejected', short: event.data.short };
    const state = (await this.job(id))?.state ?? 'submitted';
    return { id, state, short: [] };
  }

  get jobCount(): number {
    return this.directory.jobCount;
  }

  /** A job as it is now, also one that is over; `undefined`: there is no such job. */
  async job(id: number): Promise<JobState | undefined> {
    const live = this.#streams.heldJob(id);
    if (live !== undefined) await live.load();
    const state = live?.state ?? (await this.#foldedJobs.job(id));
    return state.state === 'none' ? undefined : state;
  }

  /** The events of a job with a version above `after`; none at all: there is no such job. */
  async *jobEvents(id: number, after = 0): AsyncIterable<RecordedEvent> {
    yield* this.#store.read(jobStream(id), after);
  }

  /** The events of any stream with a version above `after`. */
  streamEvents(stream: string, after = 0): AsyncIterable<RecordedEvent> {
    return this.#store.read(stream, after);
  }

  /** The next of them as text; `undefined`: they have to be read as events. See `EventStore.readRows`. */
  streamRows(stream: string, after: number): Promise<Rows | undefined> {
    return this.#store.readRows(stream, after);
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
    const { position } = await this.#commands.job(id, { type: 'CancelJob', reason }, by);
    await this.#directory.reached(position);
    return (await this.job(id)) ?? initialJob;
  }

  /** Of the whole group, while it waits. @throws CommandRefused `not-waiting`, `job-ended`, `no-such-job` */
  async setPriority(id: number, priority: number, by: By): Promise<JobState> {
    const command = { type: 'ChangeJobPriority', priority } as const;
    const { position } = await this.#commands.job(id, command, by);
    await this.#directory.reached(position);
    return (await this.job(id)) ?? initialJob;
  }

  /** What happened to a member: progress, suites, results. */
  async member(id: number, command: MemberCommand, by: By): Promise<void> {
    await this.#commands.job(id, command, by);
  }

  /** How many jobs wait for boards. */
  get queueLength(): number {
    return this.#lab.planner.queueLength;
  }

  /** A page of them, in the scheduler's order, each with the reason: it costs what is on it. */
  queue(
    after = 0,
    limit = Number.POSITIVE_INFINITY,
  ): (Waiting & Pick<JobEntry, 'name' | 'priority' | 'submittedAt'>)[] {
    const { jobs } = this.directory;
    return this.#lab.planner.waiting(this.now(), after, limit).flatMap((waiting) => {
      const entry = jobs.get(waiting.job);
      if (entry === undefined) return [];
      const { name, priority, submittedAt } = entry;
      return [{ ...waiting, name, priority, submittedAt }];
    });
  }

  /** Why a job waits, board by board; `undefined`: it does not wait. */
  why(id: number): Explanation | undefined {
    return this.#lab.planner.explain(id, this.now());
  }

  // what boards say

  /**
   * A board's verb. A wait is held until it ends.
   *
   * @returns `undefined` when the signal aborted first: come again with the same key
   * @throws CommandRefused when this member cannot speak (now); StoreUnavailable
   */
  call(
    id: number,
    device: string,
    verb: Verb,
    words: string[],
    by: CalledBy,
    signal: AbortSignal,
  ): Promise<CallEnd | undefined> {
    return this.#calls.call(id, device, verb, words, by, signal);
  }

  /**
   * Whether a member ended so lately that its board may still be up: it hears nothing more, and whatever it asks is
   * held (SEMANTICS 2.4).
   */
  async isSilenced(id: number, device: string): Promise<boolean> {
    const job = await this.job(id);
    const ended = job && memberOf(job, device)?.ended;
    return ended != null && this.now() - ended.at < SILENCE_MS;
  }

  /** The verb that started this wait has ended: nobody will come back to it. Unknown keys change nothing. */
  abandon(id: number, device: string, key: string): Promise<void> {
    return this.#calls.abandon(id, device, key);
  }

  // devices and workers

  devices(): { name: string; state: DeviceState }[] {
    return [...this.directory.devices]
      .map(([name, { state }]) => ({ name, state }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }
  device(name: string): DeviceState | undefined {
    return this.directory.devices.get(name)?.state;
  }
  /** Why nobody drives a board now; `null`: its worker is here and has it. */
  undriven(device: string): string | null {
    return undriven(this.directory, device);
  }

  setOffline(device: string, reason: string, by: By): Promise<DeviceState> {
    return this.#registry.change(device, { type: 'TakeDeviceOffline', reason }, by);
  }
  setOnline(device: string, by: By): Promise<DeviceState> {
    return this.#registry.change(device, { type: 'BringDeviceOnline' }, by);
  }
  /** For good, until it is restored. @throws CommandRefused `not-idle` while a job has it */
  retire(device: string, reason: string, by: By): Promise<DeviceState> {
    return this.#registry.change(device, { type: 'RetireDevice', reason }, by);
  }
  restore(device: string, reason: string, by: By): Promise<DeviceState> {
    return this.#registry.change(device, { type: 'RestoreDevice', reason }, by);
  }
  /** Somebody had its power switched, or tried to. */
  notePower(
    device: string,
    switched: Omit<Extract<DeviceCommand, { type: 'NotePowerSwitch' }>, 'type'>,
    by: By,
  ): Promise<DeviceState> {
    return this.#registry.change(device, { type: 'NotePowerSwitch', ...switched }, by);
  }
  /** See `Registry.setHealth`. */
  setHealth(
    device: string,
    is: { to: Health; reason: string; force?: boolean },
    by: By,
  ): Promise<DeviceState> {
    return this.#registry.setHealth(device, is, by);
  }

  /** See `Registry.registerBoards`. */
  registerBoards(worker: string, boards: readonly BoardRegistration[]): Promise<void> {
    return this.#registry.registerBoards(worker, boards);
  }
  /**
   * See `Registry.connectWorker`. Where it has a line of its own, the boards behind it that were cut off in a wait may
   * come back to it from now on.
   */
  async connectWorker(
    worker: string,
    boards: readonly BoardRegistration[],
    is: WorkerFacts = {},
  ): Promise<void> {
    await this.#registry.connectWorker(worker, boards, is);
    this.#loop.wake();
    if (is.line === undefined) return;
    const isMine = (device: string) => this.device(device)?.worker === worker;
    for (const { id, state } of [...this.directory.jobs.values()]) {
      const job = state === 'allocated' ? this.#streams.heldJob(id) : undefined;
      if (job !== undefined) this.#calls.expect(id, job.state, isMine);
    }
  }
  /** See `Registry.disconnectWorker`. */
  async disconnectWorker(worker: string, line: string, reason: string): Promise<void> {
    await this.#registry.disconnectWorker(worker, line, reason);
    this.#loop.wake();
  }
  workers(): { name: string; state: WorkerState }[] {
    return [...this.directory.workers]
      .map(([name, { state }]) => ({ name, state }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }
  worker(name: string): WorkerState | undefined {
    return this.directory.workers.get(name)?.state;
  }
  /** See `Registry.changeWorker`. @throws CommandRefused `no-such-worker` */
  changeWorker(worker: string, command: WorkerCommand, by: By): Promise<WorkerState> {
    return this.#registry.changeWorker(worker, command, by);
  }
  /** Of a log that only this server works on: see `Registry.loseWorkersBut`. */
  loseWorkersBut(here: readonly string[], reason: string): Promise<void> {
    return this.#registry.loseWorkersBut(here, reason);
  }
  /** The other servers that were ever on this log, with what their workers said of them last. */
  otherServers(): { tokenKey: string; boardUrl: string; isHere: boolean }[] {
    return this.#registry.otherServers();
  }

  // what a worker needs

  /** What is owed now to the members on this worker's boards. */
  async owed(worker: string): Promise<Owed[]> {
    const out: Owed[] = [];
    for (const { id, state } of [...this.directory.jobs.values()]) {
      if (state !== 'allocated') continue;
      const job = await this.job(id).catch((error: unknown) => {
        // It was told when it could not be taken up; the other jobs go on.
        if (!(error instanceof UnreadableEvent)) throw error;
      });
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

  /** @throws StoreRefused for a log in which a newer version writes what this one cannot read */
  #refuseNewer(): void {
    for (const [name, { state }] of this.directory.workers) {
      const { writes } = state.vocabulary;
      if (writes > VOCABULARY)
        throw new StoreRefused(
          `a newer version of Muster works on this log: worker ${name} writes events of version ${writes}, and this one reads up to ${VOCABULARY}. ` +
            'Start that version here too, or restore a backup from before it was upgraded',
        );
    }
  }

  /** The line over which a board reaches servers; `null`: it reaches them itself. */
  #lineOf(device: string): string | null {
    const worker = this.device(device)?.worker ?? '';
    return this.directory.workers.get(worker)?.state.line?.line ?? null;
  }

  #again(callback: () => void): void {
    this.#clock.after(AGAIN_MS, () => {
      if (!this.#stopped) callback();
    });
  }

  /** The directory has taken in these events, whichever server they came from. */
  #onEvents(events: readonly RecordedEvent[]): void {
    this.#lab.take(events);
    for (const event of events) {
      this.#streams.observe(event.stream, event.version);
      const job = jobOf(event.stream);
      if (job !== undefined && event.type.startsWith('Job')) this.#onTurn(job);
    }
    if (events.some(mattersToTheScheduler)) this.#loop.wake();
  }

  /** A job has come to another state. One that this server holds folded looks after its deadlines itself. */
  #onTurn(id: number): void {
    const entry = this.directory.jobs.get(id);
    if (entry?.state === 'submitted') this.#deadlines.set(jobStream(id), queueDeadline(entry));
    // Whoever was told as it was appended may have asked before the directory knew of it.
    else if (this.#streams.heldJob(id) !== undefined) this.#tell();
    else if (entry?.state === 'allocated') this.#watch(id);
    else this.#deadlines.set(jobStream(id), []);
  }

  #watch(id: number): void {
    void this.#takeUp(id).then(() => this.#tell());
  }

  /** Folds a job that has its boards, and watches over it from then on. */
  async #takeUp(id: number): Promise<void> {
    const job = this.#streams.job(id);
    try {
      await job.load();
    } catch (error) {
      const isAway = error instanceof StoreUnavailable;
      const next = isAway ? 'it is tried again' : 'whoever asks for it next tries again';
      this.#warn(`${job.name} cannot be read; ${next}`, error);
      if (isAway) this.#again(() => this.#watch(id));
      return;
    }
    if (job.state.state !== 'allocated') this.#streams.letGo(id);
    this.#deadlines.set(job.name, deadlinesOf(job.state));
    // Boards behind a worker with a line of its own come back when it does.
    const hasWay = (device: string) => this.#lineOf(device) === null;
    if (!this.#started) this.#calls.expect(id, job.state, hasWay);
  }

  /** Everything that follows from a job's new events, now that they are durable. */
  #onJob(id: number, steps: readonly Step<JobState, JobEvent>[]): void {
    this.#calls.answer(id, steps);
    const state = steps.at(-1)?.state;
    if (state !== undefined) this.#deadlines.set(jobStream(id), deadlinesOf(state));
    if (steps.some(({ event }) => changesWhatIsOwed(event.type))) this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** The deadline of a job that waits in the queue. */
function queueDeadline({ queueDue }: JobEntry): Due[] {
  if (queueDue === null) return [];
  return [{ id: 'queue', due: queueDue, command: { type: 'TimeOutJob', limit: 'queue' } }];
}

/** What boards say and do changes nothing of who gets which board. */
const mattersToTheScheduler = ({ stream, type }: RecordedEvent): boolean =>
  jobOf(stream) === undefined || type.startsWith('Job') || type === 'AllocationVoided';

/** Talk and waits change nothing of what a worker has to do; everything else may. */
const changesWhatIsOwed = (type: JobEvent['type']): boolean =>
  type === 'JobAllocated' ||
  type.startsWith('Action') ||
  type.startsWith('Member') ||
  type === 'JobCancelled' ||
  type === 'JobTimedOut';
