/** The directory as the scheduler wants to see it. Pure. */
import type { DeviceState } from '../machines/device.ts';
import type { Fault, MemberEnd } from '../machines/events.ts';
import { jobStream, own } from '../machines/names.ts';
import {
  type Directory,
  drained,
  isUnlisted,
  type JobEntry,
  undriven,
} from '../projections/directory.ts';
import { openByHealth } from '../scheduler/health.ts';
import type { Board, QueuedJob } from '../scheduler/types.ts';

/** A registered board with what keeps it from being had; `undefined`: there is none of this name. */
export function boardOf(directory: Directory, name: string, now: number): Board | undefined {
  const device = directory.devices.get(name)?.state;
  if (device === undefined || device.state === 'none') return undefined;
  const { deviceType, tags, worker, idleSince, state, heldBy } = device;
  const until = heldBy && directory.jobs.get(heldBy.job)?.until;
  return {
    name,
    deviceType,
    tags,
    worker,
    idleSince,
    state: state === 'idle' && isUnlisted(directory, name) ? 'unlisted' : state,
    ...openness(device, undriven(directory, name) ?? drained(directory, name), now),
    ...(heldBy && { heldBy: { job: heldBy.job, ...(until && { until }) } }),
  };
}

function openness(
  device: DeviceState,
  notToBeHad: string | null,
  now: number,
): Pick<Board, 'open' | 'closed'> {
  const { offline } = device;
  if (offline !== null) return { open: 'nothing', closed: `offline: ${offline}` };
  if (notToBeHad !== null) return { open: 'nothing', closed: notToBeHad };
  return openByHealth(device, now);
}

/** A job as it waits in the queue. */
export function queuedJob(entry: JobEntry): QueuedJob {
  const { id, priority, submittedAt, roles, timeoutSeconds, healthCheckOf } = entry;
  return {
    id,
    priority,
    submittedAt,
    roles,
    timeoutSeconds,
    ...(healthCheckOf !== undefined && { healthCheckOf }),
  };
}

/** A reservation whose job no longer needs it, or never came to be: what is to be given back, and why. */
export interface Giveback {
  device: string;
  job: number;
  lease: string;
  reason: string;
  /** The id of the event that is the cause, where there is one. */
  cause: string | null;
  /** How the board's part in the job ended; absent: the job never had it. */
  ended?: MemberEnd;
  fault?: Fault | undefined;
  /** The job was not allocated under this lease yet: it must never be, before the board is given back. */
  voidFirst: boolean;
}

/** Every board that is to be given back now: its job has ended, or its reservation lapsed before the job had it. */
export function givebacks(directory: Directory, now: number): Giveback[] {
  const out: Giveback[] = [];
  for (const device of directory.held) {
    const heldBy = directory.devices.get(device)?.state.heldBy ?? null;
    if (heldBy === null) continue;
    const { job, lease } = heldBy;
    const entry = directory.jobs.get(job);
    const hasIt = entry !== undefined && entry.lease === lease;
    if (hasIt && entry.state === 'allocated') continue;
    if (entry === undefined || entry.state === 'ended')
      out.push({
        device,
        job,
        lease,
        reason: `${jobStream(job)} has ended`,
        cause: entry?.endedBy ?? null,
        ...(hasIt && own(entry.ends, device)),
        voidFirst: false,
      });
    else if (entry.state === 'allocated' || heldBy.until <= now)
      out.push({
        device,
        job,
        lease,
        reason: 'the reservation lapsed before the job was allocated',
        cause: null,
        voidFirst: entry.state !== 'allocated',
      });
  }
  return out;
}

/** When the next reservation lapses that is not committed yet; `null`: there is none. */
export function nextLapse(directory: Directory): number | null {
  let next: number | null = null;
  for (const device of directory.held) {
    const heldBy = directory.devices.get(device)?.state.heldBy;
    if (heldBy && directory.jobs.get(heldBy.job)?.state === 'submitted')
      next = Math.min(next ?? heldBy.until, heldBy.until);
  }
  return next;
}

/**
 * The worker of which one of these boards was reserved beyond its limit; `undefined`: there is none. Of reservations
 * that were made at the same time the log's order decides, so that every server finds the same.
 */
export function workerBeyondLimit(
  directory: Directory,
  devices: readonly string[],
): string | undefined {
  const workerOf = (device: string) => directory.devices.get(device)?.state.worker ?? '';
  return [...new Set(devices.map(workerOf))].find((worker) => {
    const limit = directory.workers.get(worker)?.state.jobLimit ?? null;
    if (limit === null) return false;
    const held = [...directory.held].filter((device) => workerOf(device) === worker);
    return held.slice(limit).some((device) => devices.includes(device));
  });
}
