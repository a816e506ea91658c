/** The kinds of streams: which fold and which rules belong to a name. */
import type {
  DeviceCommand,
  JobCommand,
  SubmissionCommand,
  WorkerCommand,
} from '../machines/commands.ts';
import { type DeviceState, decideDevice, evolveDevice, initialDevice } from '../machines/device.ts';
import type { DeviceEvent, JobEvent, SubmissionEvent, WorkerEvent } from '../machines/events.ts';
import { decideJob } from '../machines/job/decide.ts';
import { evolveJob, initialJob, type JobState } from '../machines/job/job.ts';
import {
  decideSubmissions,
  evolveSubmissions,
  initialSubmissions,
  type SubmissionsState,
} from '../machines/submissions.ts';
import { decideWorker, evolveWorker, initialWorker, type WorkerState } from '../machines/worker.ts';
import type { Kind } from './live-stream.ts';

export const jobKind: Kind<JobState, JobCommand, JobEvent> = {
  initial: initialJob,
  evolve: evolveJob,
  decide: decideJob,
};
export const deviceKind: Kind<DeviceState, DeviceCommand, DeviceEvent> = {
  initial: initialDevice,
  evolve: evolveDevice,
  decide: decideDevice,
};
export const workerKind: Kind<WorkerState, WorkerCommand, WorkerEvent> = {
  initial: initialWorker,
  evolve: evolveWorker,
  decide: decideWorker,
};
export const submissionsKind: Kind<SubmissionsState, SubmissionCommand, SubmissionEvent> = {
  initial: initialSubmissions,
  evolve: evolveSubmissions,
  decide: decideSubmissions,
};
