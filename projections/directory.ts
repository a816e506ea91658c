/**
 * The directory: every device, every worker, and every job that is not over. A fold over the global order, small
 * however many jobs have finished, so that a checkpoint of it starts a server at once.
 */
import type { RoleRequest } from '../machines/definition.ts';
import { type DeviceState, evolveDevice, initialDevice } from '../machines/device.ts';
import type {
  DeviceEvent,
  Fault,
  JobEvent,
  MemberEnd,
  RecordedEvent,
  WorkerEvent,
} from '../machines/events.ts';
import { streamOf } from '../machines/names.ts';
import { evolveWorker, initialWorker, type WorkerState } from '../machines/worker.ts';

/** How many keys of submissions are remembered: a retry that comes later than so many jobs is a new job. */
export const SUBMISSION_KEYS_KEPT = 10_000;

export interface JobEntry {
  id: number;
  name: string;
  priority: number;
  submittedAt: number;
  roles: readonly RoleRequest[];
  healthCheckOf?: string | undefined;
  /** When it is no longer worth waiting for boards. */
  queueDue: number | null;
  /** `ended`: kept until its boards are back. */
  state: 'submitted' | 'allocated' | 'ended';
  lease: string | null;
  /** At the latest, when its boards come back by its own timeout. */
  until: number | null;
  timeoutSeconds: number;
  /** How each member that is over ended. */
  ends: Record<string, { ended: MemberEnd; fault?: Fault | undefined }>;
  /** The boards that are reserved for it. */
  held: string[];
  /** The id of the event that ended it: why its boards are given back. */
  endedBy: string | null;
}

/** A stream's state with the stream's version. */
export interface Versioned<S> {
  version: number;
  state: S;
}

export interface Directory {
  jobs: Map<number, JobEntry>;
  devices: Map<string, Versioned<DeviceState>>;
  workers: Map<string, Versioned<WorkerState>>;
  /** The boards that are reserved. */
  held: Set<string>;
  /** How many jobs were ever counted: the highest number given. */
  jobCount: number;
  /** The numbers above it that jobs have nevertheless: they were imported alone. */
  uncounted: Set<number>;
  /** How many health checks of a board were ever submitted. */
  checks: Map<string, number>;
  /** The numbers that the latest keys of submissions were given, oldest first. */
  submissionKeys: Map<string, number>;
}

export const emptyDirectory = (): Directory => ({
  jobs: new Map(),
  devices: new Map(),
  workers: new Map(),
  held: new Set(),
  jobCount: 0,
  uncounted: new Set(),
  checks: new Map(),
  submissionKeys: new Map(),
});

const boardSets = new WeakMap<readonly string[], ReadonlySet<string>>();

/** Whether the worker that a board is of is here and does not list it: it does not exist any more (SEMANTICS 2.4). */
export function isUnlisted(directory: Directory, device: string): boolean {
  const worker = workerOf(directory, device);
  return isListing(worker) && !listed(worker).has(device);
}

/** One that is away still says which boards it has. */
const isListing = (worker: WorkerState | undefined): worker is WorkerState =>
  worker?.state === 'connected' || worker?.state === 'away';

const workerOf = (directory: Directory, device: string): WorkerState | undefined =>
  directory.workers.get(directory.devices.get(device)?.state.worker ?? '')?.state;

function listed({ boards }: WorkerState): ReadonlySet<string> {
  let set = boardSets.get(boards);
  if (set === undefined) {
    set = new Set(boards);
    boardSets.set(boards, set);
  }
  return set;
}

/** Why nobody drives a board now; `null`: its worker is here and has it. */
export function undriven(directory: Directory, device: string): string | null {
  const name = directory.devices.get(device)?.state.worker ?? '';
  const worker = workerOf(directory, device);
  if (worker?.state === 'away') return `its worker ${name} is away: ${worker.reason}`;
  if (isUnlisted(directory, device)) return `no longer a board of its worker ${name}`;
  return forsaken(directory, device);
}

/**
 * Why nobody drives a board any more, so that a member on it fails; `null`: its worker may be away, but is not lost. One
 * that its worker does not list any more is its worker's to the end of the job that has it.
 */
export function forsaken(directory: Directory, device: string): string | null {
  const name = directory.devices.get(device)?.state.worker ?? '';
  const worker = workerOf(directory, device);
  if (worker?.state === 'lost') return `its worker ${name} is lost: ${worker.reason}`;
  return isListing(worker) ? null : `its worker ${name} is not connected`;
}

/** Why a board is given to no new job, though nothing is wrong with it; `null`: its worker takes jobs. */
export function drained(directory: Directory, device: string): string | null {
  const reason = workerOf(directory, device)?.drained ?? null;
  const name = directory.devices.get(device)?.state.worker ?? '';
  return reason === null ? null : `its worker ${name} takes no new jobs: ${reason}`;
}

/** Takes in one event, in place; events must come in the log's order. */
export function applyToDirectory(directory: Directory, event: RecordedEvent): void {
  const { kind, id: name = '' } = streamOf(event.stream) ?? {};
  if (kind === 'job') applyToJob(directory, Number(name), event as RecordedEvent<JobEvent>);
  else if (kind === 'device') applyToDevice(directory, name, event as RecordedEvent<DeviceEvent>);
  else if (kind === 'worker') {
    const before = directory.workers.get(name)?.state ?? initialWorker;
    const state = evolveWorker(before, event as RecordedEvent<WorkerEvent>);
    directory.workers.set(name, { version: event.version, state });
  } else if (event.type === 'SubmissionReceived') countSubmission(directory, event);
}

function countSubmission(directory: Directory, { version, meta }: RecordedEvent): void {
  directory.jobCount = version;
  directory.uncounted.delete(version);
  if (meta.key === undefined) return;
  directory.submissionKeys.set(meta.key, version);
  const [oldest] = directory.submissionKeys.keys();
  if (directory.submissionKeys.size > SUBMISSION_KEYS_KEPT && oldest !== undefined)
    directory.submissionKeys.delete(oldest);
}

function applyToDevice(
  directory: Directory,
  name: string,
  event: RecordedEvent<DeviceEvent>,
): void {
  const before = directory.devices.get(name)?.state ?? initialDevice;
  const state = evolveDevice(before, event);
  directory.devices.set(name, { version: event.version, state });
  if (event.type === 'DeviceReserved') {
    directory.held.add(name);
    directory.jobs.get(event.data.job)?.held.push(name);
  } else if (event.type === 'DeviceReleased') {
    directory.held.delete(name);
    const entry = directory.jobs.get(event.data.job);
    if (entry === undefined) return;
    entry.held = entry.held.filter((device) => device !== name);
    forget(directory, entry);
  }
}

function applyToJob(directory: Directory, id: number, event: RecordedEvent<JobEvent>): void {
  if (event.type === 'JobSubmitted') {
    const { definition } = event.data;
    directory.jobs.set(id, newEntry(id, definition, event.meta.at));
    if (id > directory.jobCount) directory.uncounted.add(id);
    const board = definition.healthCheckOf;
    if (board !== undefined) directory.checks.set(board, (directory.checks.get(board) ?? 0) + 1);
    return;
  }
  const entry = directory.jobs.get(id);
  if (entry === undefined) return;
  switch (event.type) {
    case 'JobPriorityChanged':
      entry.priority = event.data.to;
      break;
    case 'JobAllocated':
      entry.state = 'allocated';
      entry.lease = event.data.lease;
      entry.until = event.meta.at + entry.timeoutSeconds * 1000;
      break;
    case 'MemberCompleted':
      entry.ends[event.data.member] = { ended: 'complete' };
      break;
    case 'MemberFailed':
      entry.ends[event.data.member] = { ended: 'failed', fault: event.data.fault };
      break;
    case 'MemberTimedOut':
      entry.ends[event.data.member] = { ended: 'timedOut' };
      break;
    case 'MemberCancelled':
      entry.ends[event.data.member] = { ended: 'cancelled' };
      break;
    case 'JobRejected':
    case 'JobCompleted':
    case 'JobFailed':
    case 'JobTimedOut':
    case 'JobCancelled':
      entry.state = 'ended';
      entry.endedBy = event.id;
      forget(directory, entry);
  }
}

function newEntry(
  id: number,
  definition: Extract<JobEvent, { type: 'JobSubmitted' }>['data']['definition'],
  submittedAt: number,
): JobEntry {
  const { name, priority, roles, timeoutSeconds, queueTimeoutSeconds, healthCheckOf } = definition;
  return {
    id,
    name,
    priority,
    submittedAt,
    roles,
    healthCheckOf,
    queueDue: queueTimeoutSeconds === undefined ? null : submittedAt + queueTimeoutSeconds * 1000,
    state: 'submitted',
    lease: null,
    until: null,
    timeoutSeconds,
    ends: {},
    held: [],
    endedBy: null,
  };
}

/** Drops a job that has ended and holds no board any more. */
function forget(directory: Directory, { id, state, held }: JobEntry): void {
  if (state === 'ended' && held.length === 0) directory.jobs.delete(id);
}

/** The directory as JSON, for a checkpoint. */
export const directoryToJson = (d: Directory): unknown => ({
  jobs: [...d.jobs.values()],
  devices: [...d.devices],
  workers: [...d.workers],
  held: [...d.held],
  jobCount: d.jobCount,
  uncounted: [...d.uncounted],
  checks: [...d.checks],
  submissionKeys: [...d.submissionKeys],
});

/** The inverse of `directoryToJson`. */
export function directoryFromJson(json: unknown): Directory {
  const from = json as {
    jobs: JobEntry[];
    devices: [string, Versioned<DeviceState>][];
    workers: [string, Versioned<WorkerState>][];
    held: string[];
    jobCount: number;
    uncounted: number[];
    checks: [string, number][];
    submissionKeys: [string, number][];
  };
  return {
    jobs: new Map(from.jobs.map((entry) => [entry.id, entry])),
    devices: new Map(from.devices),
    workers: new Map(from.workers),
    held: new Set(from.held),
    jobCount: from.jobCount,
    uncounted: new Set(from.uncounted),
    checks: new Map(from.checks),
    submissionKeys: new Map(from.submissionKeys),
  };
}
