/** The streams that are held folded now: one `LiveStream` a name, made when it is first asked for. */
import type {
  DeviceCommand,
  JobCommand,
  SubmissionCommand,
  WorkerCommand,
} from '../machines/commands.ts';
import type { DeviceState } from '../machines/device.ts';
import type {
  AnyEvent,
  DeviceEvent,
  JobEvent,
  SubmissionEvent,
  WorkerEvent,
} from '../machines/events.ts';
import type { JobState } from '../machines/job/job.ts';
import { deviceStream, jobStream, SUBMISSIONS, workerStream } from '../machines/names.ts';
import { type Kind, kinds } from '../machines/streams.ts';
import type { SubmissionsState } from '../machines/submissions.ts';
import type { WorkerState } from '../machines/worker.ts';
import type { Directory } from '../projections/directory.ts';
import type { EventStore } from '../store/port.ts';
import type { Clock } from './clock.ts';
import { LiveStream, type Seed, type Step } from './live-stream.ts';

export type JobStream = LiveStream<JobState, JobCommand, JobEvent>;

/** What the streams need of their engine. */
export interface StreamsPort {
  store: EventStore;
  clock: Clock;
  newId(): string;
  vocabulary(): number;
  again(callback: () => void): void;
  directory(): Directory;
  onJob(id: number, steps: readonly Step<JobState, JobEvent>[]): void;
}

export class Streams {
  readonly #port: StreamsPort;
  readonly #live = new Map<string, { observe(version: number): void }>();

  constructor(port: StreamsPort) {
    this.#port = port;
  }

  /** A job stays for as long as it has its boards. */
  job(id: number): JobStream {
    return this.#open(jobStream(id), kinds.job, undefined, {
      onCommitted: (steps) => this.#port.onJob(id, steps),
      keep: (job) => job.state === 'allocated',
    });
  }

  /** A job that is held folded now. */
  heldJob(id: number): JobStream | undefined {
    return this.#live.get(jobStream(id)) as JobStream | undefined;
  }

  /** Lets go of a job that was loaded only to be looked at. */
  letGo(id: number): void {
    this.#live.delete(jobStream(id));
  }

  device(name: string): LiveStream<DeviceState, DeviceCommand, DeviceEvent> {
    return this.#open(deviceStream(name), kinds.device, this.#port.directory().devices.get(name));
  }

  worker(name: string): LiveStream<WorkerState, WorkerCommand, WorkerEvent> {
    return this.#open(workerStream(name), kinds.worker, this.#port.directory().workers.get(name));
  }

  submissions(): LiveStream<SubmissionsState, SubmissionCommand, SubmissionEvent> {
    const { jobCount, submissionKeys } = this.#port.directory();
    const seed = { state: { jobs: jobCount }, version: jobCount, keys: submissionKeys };
    return this.#open(SUBMISSIONS, kinds.submissions, seed);
  }

  /** An event is in the log; whoever appended it, the stream takes it in if it is held. */
  observe(stream: string, version: number): void {
    this.#live.get(stream)?.observe(version);
  }

  #open<S, C, E extends AnyEvent>(
    name: string,
    kind: Kind<S, C, E>,
    seed: Seed<S> | undefined,
    is: { onCommitted?: (steps: readonly Step<S, E>[]) => void; keep?: (state: S) => boolean } = {},
  ): LiveStream<S, C, E> {
    const known = this.#live.get(name) as LiveStream<S, C, E> | undefined;
    if (known !== undefined) return known;
    const { store, clock, newId, vocabulary, again } = this.#port;
    const around = {
      store,
      clock,
      newId,
      vocabulary,
      again,
      onCommitted: is.onCommitted ?? (() => {}),
      onIdle: () => {
        if (is.keep?.(made.state) === false) this.#live.delete(name);
      },
    };
    const made: LiveStream<S, C, E> = new LiveStream(name, kind, around, seed);
    this.#live.set(name, made);
    return made;
  }
}
