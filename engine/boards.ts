/** The directory as the scheduler wants to see it. Pure. */
import { jobStream } from '../machines/names.ts';
import type { Directory } from '../projections/directory.ts';
import type { Board, QueuedJob } from '../scheduler/types.ts';

/** Every registered board, retired ones too, with what keeps it from being had. */
export function boardsOf(directory: Directory): Board[] {
  return [...directory.devices].flatMap(([name, device]) => {
    if (device.state === 'none') return [];
    const connected = directory.workers.get(device.worker)?.state === 'connected';
    const unavailable =
      device.offline ??
      (connected ? undefined : `its worker ${device.worker} is not connected`) ??
      (device.health === 'good' || device.health === 'unknown'
        ? undefined
        : `health ${device.health}`);
    const until = device.heldBy && directory.jobs.get(device.heldBy.job)?.until;
    return [
      {
        name,
        deviceType: device.deviceType,
        tags: device.tags,
        idleSince: device.idleSince,
        state: device.state,
        available: unavailable === undefined,
        ...(unavailable !== undefined && { unavailable }),
        ...(device.heldBy && {
          heldBy: { job: device.heldBy.job, ...(until && { until }) },
        }),
      },
    ];
  });
}

/** The jobs that wait for boards. */
export function queueOf(directory: Directory): (QueuedJob & { name: string })[] {
  return [...directory.jobs.values()].filter((job) => job.state === 'submitted');
}

/** A reservation whose job no longer needs it, or never came to be: what is to be given back, and why. */
export interface Giveback {
  device: string;
  job: number;
  lease: string;
  reason: string;
  /** The id of the event that is the cause, where there is one. */
  cause: string | null;
  /** The job was not allocated under this lease yet: it must never be, before the board is given back. */
  voidFirst: boolean;
}

/** Every board that is to be given back now: its job has ended, or its reservation lapsed before the job had it. */
export function givebacks(directory: Directory, now: number): Giveback[] {
  const out: Giveback[] = [];
  for (const [device, { heldBy }] of directory.devices) {
    if (heldBy === null) continue;
    const { job, lease } = heldBy;
    const entry = directory.jobs.get(job);
    if (entry?.state === 'allocated' && entry.lease === lease) continue;
    if (entry === undefined || entry.state === 'ended')
      out.push({
        device,
        job,
        lease,
        reason: `${jobStream(job)} has ended`,
        cause: entry?.endedBy ?? null,
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
  for (const { heldBy } of directory.devices.values())
    if (heldBy !== null && directory.jobs.get(heldBy.job)?.state === 'submitted')
      next = Math.min(next ?? heldBy.until, heldBy.until);
  return next;
}
