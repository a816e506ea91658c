/**
 * The kinds of streams: which events a stream of that kind holds, and which fold and which rules belong to it.
 * What else a new kind needs is in docs/contributing.md, "A kind of stream".
 */
import type { DeviceCommand, JobCommand, SubmissionCommand, WorkerCommand } from './commands.ts';
import type { Env, Rejected } from './deciding.ts';
import { type DeviceState, decideDevice, evolveDevice, initialDevice } from './device.ts';
import {
  type AnyEvent,
  type DeviceEvent,
  deviceEvents,
  type JobEvent,
  jobEvents,
  type NewEvent,
  type RecordedEvent,
  type StreamEvent,
  type SubmissionEvent,
  submissionEvents,
  type WorkerEvent,
  workerEvents,
} from './events.ts';
import { decideJob } from './job/decide.ts';
import { evolveJob, initialJob, type JobState } from './job/job.ts';
import { type StreamKind, streamOf } from './names.ts';
import {
  decideSubmissions,
  evolveSubmissions,
  initialSubmissions,
  type SubmissionsState,
} from './submissions.ts';
import { decideWorker, evolveWorker, initialWorker, type WorkerState } from './worker.ts';

/** A kind of stream: its events, its fold and its rules. */
export interface Kind<S, C, E extends AnyEvent> {
  schemas: Readonly<Record<E['type'], unknown>>;
  initial: S;
  evolve(state: S, event: StreamEvent<E>): S;
  decide(command: C, state: S, env: Env): NewEvent<E>[] | Rejected;
}

const submissions: Kind<SubmissionsState, SubmissionCommand, SubmissionEvent> = {
  schemas: submissionEvents,
  initial: initialSubmissions,
  evolve: evolveSubmissions,
  decide: decideSubmissions,
};
const job: Kind<JobState, JobCommand, JobEvent> = {
  schemas: jobEvents,
  initial: initialJob,
  evolve: evolveJob,
  decide: decideJob,
};
const device: Kind<DeviceState, DeviceCommand, DeviceEvent> = {
  schemas: deviceEvents,
  initial: initialDevice,
  evolve: evolveDevice,
  decide: decideDevice,
};
const worker: Kind<WorkerState, WorkerCommand, WorkerEvent> = {
  schemas: workerEvents,
  initial: initialWorker,
  evolve: evolveWorker,
  decide: decideWorker,
};

export const kinds = { submissions, job, device, worker } satisfies Record<StreamKind, unknown>;

type Fold = { schemas: Readonly<Record<string, unknown>>; initial: unknown } & {
  evolve(state: unknown, event: StreamEvent): unknown;
};

/**
 * The state of a stream after one more event, whatever kind of stream it is; `undefined`: it has had none.
 *
 * @throws IllegalTransition; an Error for a stream that no version of Muster writes, or an event of another kind
 */
export function evolveAny(state: unknown, event: RecordedEvent): unknown {
  const { kind } = streamOf(event.stream) ?? {};
  if (kind === undefined) throw new Error('Muster has no such stream');
  const fold = kinds[kind] as Fold;
  if (!Object.hasOwn(fold.schemas, event.type))
    throw new Error(`an event ${event.type} does not belong into a stream of this kind`);
  return fold.evolve(state ?? fold.initial, event);
}
