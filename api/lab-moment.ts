/** The lab as a job found it: the queue with the job's place in it, and the boards that it was about. Pure, of a directory. */
import type { LabBoard, LabMoment } from '../answers/views.ts';
import { boardOf } from '../engine/boards.ts';
import { LabView } from '../engine/lab-view.ts';
import type { JobState } from '../machines/job/job.ts';
import type { Directory } from '../projections/directory.ts';
import { iso } from '../projections/views.ts';
import type { Explanation } from '../scheduler/types.ts';

/** Boards that are told one by one; a role may be met by thousands. */
export const LAB_BOARDS_MAX = 200;

/**
 * @param directory as it was after an event of the job
 * @param job as it was then
 * @param now when that was, in milliseconds since the epoch
 */
export function labMoment(directory: Directory, id: number, job: JobState, now: number): LabMoment {
  const isWaiting = directory.jobs.get(id)?.state === 'submitted';
  const { why, length } = isWaiting ? planOf(directory, id, now) : noPlan(directory);
  const about = boardsOf(directory, job);
  const shown = about.slice(0, LAB_BOARDS_MAX);
  return {
    queue: {
      length,
      ...(why !== undefined && {
        place: why.place,
        reason: why.reason,
        ...(why.guaranteedStart !== null && { guaranteedStart: iso(why.guaranteedStart) }),
      }),
    },
    boards: shown.flatMap((name) => boardView(directory, name, now, why) ?? []),
    more: about.length - shown.length,
  };
}

function planOf(directory: Directory, id: number, now: number) {
  const lab = new LabView(
    () => directory,
    () => now,
  );
  lab.build();
  return { why: lab.planner.explain(id, now), length: lab.planner.queueLength };
}

function noPlan({ jobs }: Directory): { why?: undefined; length: number } {
  let length = 0;
  for (const { state } of jobs.values()) if (state === 'submitted') length++;
  return { length };
}

/** Its own first, in group order; then those that its roles mean, by name. */
function boardsOf({ devices }: Directory, { members, definition }: JobState): string[] {
  const own = members.map(({ device }) => device);
  const roles = definition?.roles ?? [];
  const named = new Set(roles.map(({ device }) => device));
  const types = new Set(roles.flatMap(({ device, deviceType }) => (device ? [] : [deviceType])));
  const meant: string[] = [];
  for (const [name, { state }] of devices)
    if (state.state !== 'none' && (named.has(name) || types.has(state.deviceType)))
      meant.push(name);
  return [...new Set([...own.filter((name) => devices.has(name)), ...meant.sort()])];
}

function boardView(
  directory: Directory,
  name: string,
  now: number,
  why: Explanation | undefined,
): LabBoard | undefined {
  const device = directory.devices.get(name)?.state;
  const board = boardOf(directory, name, now);
  if (device === undefined || board === undefined) return undefined;
  const { deviceType, tags, worker, health, heldBy, retiredReason } = device;
  const closed = board.state === 'retired' ? `retired: ${retiredReason}` : board.closed;
  const kept = (why?.slots ?? []).flatMap(({ role, candidates }) => {
    const is = candidates.find((candidate) => candidate.board === name);
    if (is === undefined) return [];
    return [{ role, why: is.why, ...(is.until !== undefined && { until: iso(is.until) }) }];
  });
  return {
    device: name,
    deviceType,
    tags: [...tags],
    worker,
    state: board.state,
    health,
    ...(closed !== undefined && { closed }),
    ...(heldBy !== null && { heldBy: heldBy.job }),
    ...(kept.length > 0 && { kept }),
  };
}
