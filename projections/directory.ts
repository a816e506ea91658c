/**
 * The directory: every device, every worker, and every job that is not over. A fold over the global order, small
 * however many jobs have finished, so that a checkpoint of it starts a server at once.
 */
import type { RoleRequest } from '../machines/definition.ts';
import { type DeviceState, evolveDevice, initialDevice } from '../machines/device.ts';
import type { DeviceEvent, RecordedEvent, WorkerEvent } from '../machines/events.ts';
import { evolveWorker, initialWorker, type WorkerState } from '../machines/worker.ts';

export interface JobEntry {
  id: number;
  name: string;
  priority: number;
  submittedAt: number;
  roles: readonly RoleRequest[];
  /** When it is no longer worth waiting for boards. */
  queueDue: number | null;
  /** `ended`: kept until its boards are back. */
  state: 'submitted' | 'allocated' | 'ended';
  lease: string | null;
  /** At the latest, when its boards come back by its own timeout. */
  until: number | null;
  timeoutSeconds: number;
  /** The id of the event that ended it: why its boards are given back. */
  endedBy: string | null;
}

export interface Directory {
  jobs: Map<number, JobEntry>;
  devices: Map<string, DeviceState>;
  workers: Map<string, WorkerState>;
  /** How many jobs were ever counted: the highest number given. */
  jobCount: number;
}

export const emptyDirectory = (): Directory => ({
  jobs: new Map(),
  devices: new Map(),
  workers: new Map(),
  jobCount: 0,
});

/** Takes in one event, in place; events must come in the log's order. */
export function applyToDirectory(directory: Directory, event: RecordedEvent): void {
  const dash = event.stream.indexOf('-');
  const [kind, name] = [event.stream.slice(0, dash), event.stream.slice(dash + 1)];
  if (kind === 'job') applyToJob(directory, Number(name), event);
  else if (kind === 'device') {
    const before = directory.devices.get(name) ?? initialDevice;
    const after = evolveDevice(before, event as RecordedEvent<DeviceEvent>);
    directory.devices.set(name, after);
    if (before.heldBy !== null && after.heldBy === null) forget(directory, before.heldBy.job);
  } else if (kind === 'worker') {
    const before = directory.workers.get(name) ?? initialWorker;
    directory.workers.set(name, evolveWorker(before, event as RecordedEvent<WorkerEvent>));
  } else if (event.type === 'SubmissionReceived') directory.jobCount = event.version;
}

function applyToJob(directory: Directory, id: number, event: RecordedEvent): void {
  if (event.type === 'JobSubmitted') {
    const { name, priority, roles, timeoutSeconds, queueTimeoutSeconds } = event.data.definition;
    const submittedAt = event.meta.at;
    directory.jobs.set(id, {
      id,
      name,
      priority,
      submittedAt,
      roles,
      queueDue: queueTimeoutSeconds === undefined ? null : submittedAt + queueTimeoutSeconds * 1000,
      state: 'submitted',
      lease: null,
      until: null,
      timeoutSeconds,
      endedBy: null,
    });
    return;
  }
  const entry = directory.jobs.get(id);
  if (entry === undefined) return;
  switch (event.type) {
    case 'JobAllocated':
      entry.state = 'allocated';
      entry.lease = event.data.lease;
      entry.until = event.meta.at + entry.timeoutSeconds * 1000;
      break;
    case 'JobRejected':
    case 'JobCompleted':
    case 'JobFailed':
    case 'JobTimedOut':
    case 'JobCancelled':
      entry.state = 'ended';
      entry.endedBy = event.id;
      forget(directory, id);
  }
}

/** Drops a job that has ended and holds no board any more. */
function forget(directory: Directory, id: number): void {
  if (directory.jobs.get(id)?.state !== 'ended') return;
  for (const device of directory.devices.values()) if (device.heldBy?.job === id) return;
  directory.jobs.delete(id);
}

/** The directory as JSON, for a checkpoint. */
export const directoryToJson = (d: Directory): unknown => ({
  jobs: [...d.jobs.values()],
  devices: [...d.devices],
  workers: [...d.workers],
  jobCount: d.jobCount,
});

/** The inverse of `directoryToJson`. */
export function directoryFromJson(json: unknown): Directory {
  const from = json as {
    jobs: JobEntry[];
    devices: [string, DeviceState][];
    workers: [string, WorkerState][];
    jobCount: number;
  };
  return {
    jobs: new Map(from.jobs.map((entry) => [entry.id, entry])),
    devices: new Map(from.devices),
    workers: new Map(from.workers),
    jobCount: from.jobCount,
  };
}
