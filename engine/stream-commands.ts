/** Commands on their way to their streams, each with the request that says who asks, why, and under which key. */
import type {
  DeviceCommand,
  JobCommand,
  SubmissionCommand,
  WorkerCommand,
} from '../machines/commands.ts';
import { Rejected, type Request } from '../machines/deciding.ts';
import type { DeviceState } from '../machines/device.ts';
import type { DeviceEvent, JobEvent, SubmissionEvent, WorkerEvent } from '../machines/events.ts';
import type { JobState } from '../machines/job/job.ts';
import { isRepeat } from '../machines/job/repeats.ts';
import { deviceStream, jobStream, SUBMISSIONS, workerStream } from '../machines/names.ts';
import type { SubmissionsState } from '../machines/submissions.ts';
import type { WorkerState } from '../machines/worker.ts';
import { CommandRefused, type Done } from './live-stream.ts';
import type { Streams } from './streams.ts';

/** Who acts; with a key, a repeat of the same request changes nothing and is answered the same. */
export interface By {
  actor: string;
  key?: string;
  /** What a board caused: the size of its console at that moment, in bytes. */
  console?: number;
  /** The id of what caused it; absent: the request itself. */
  cause?: string;
  /** The stream that it belongs to; absent: the command's own. */
  of?: string;
}

/** A board's key counts for that board alone: nothing that it sends can answer for another one. */
export const memberKey = (device: string, key: string): string => `${device}/${key}`;

/** All of its methods throw CommandRefused when the rules refuse, StoreUnavailable when nothing could be made durable. */
export class Commands {
  readonly #streams: Streams;
  readonly #newId: () => string;

  constructor(streams: Streams, newId: () => string) {
    this.#streams = streams;
    this.#newId = newId;
  }

  submission(command: SubmissionCommand, by: By): Promise<Done<SubmissionsState, SubmissionEvent>> {
    return this.#streams.submissions().execute(command, this.#request(by, SUBMISSIONS));
  }

  async job(id: number, command: JobCommand, by: By): Promise<Done<JobState, JobEvent>> {
    const { key } = by;
    const own = key !== undefined && 'member' in command ? memberKey(command.member, key) : key;
    const asked = { ...by, ...(own !== undefined && { key: own }) };
    const done = await this.#streams.job(id).execute(command, this.#request(asked, jobStream(id)));
    if (!done.repeated || isRepeat(command, done.events, done.state)) return done;
    const why = `the key ${key} was used for another request before: each has a key of its own`;
    throw new CommandRefused(new Rejected('key-reused', why));
  }

  device(name: string, command: DeviceCommand, by: By): Promise<Done<DeviceState, DeviceEvent>> {
    return this.#streams.device(name).execute(command, this.#request(by, deviceStream(name)));
  }

  worker(name: string, command: WorkerCommand, by: By): Promise<Done<WorkerState, WorkerEvent>> {
    return this.#streams.worker(name).execute(command, this.#request(by, workerStream(name)));
  }

  #request({ actor, key, console, cause, of }: By, stream: string): Request {
    return {
      id: cause ?? this.#newId(),
      actor,
      correlationId: of ?? stream,
      ...(key !== undefined && { key }),
      ...(console !== undefined && { console }),
    };
  }
}
