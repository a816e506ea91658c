/** The rules of scheduling (SEMANTICS 4) as far as the log alone shows whether they were kept, event by event. */
import { type DeviceState, initialDevice, isFitFor } from '../../machines/device.ts';
import type { AnyEvent, RecordedEvent } from '../../machines/events.ts';
import { jobStream } from '../../machines/names.ts';
import { fits } from '../../simulation/filling.ts';
import type { LogChecker } from '../lab/invariants.ts';

const HOUR_MS = 3_600_000;

type Lab = Pick<LogChecker, 'jobs' | 'devices'>;
type Recorded<T extends AnyEvent['type']> = RecordedEvent<Extract<AnyEvent, { type: T }>>;

/**
 * @param before the lab as it was before this event
 * @param jobLimit of each worker
 * @throws with the rule that the event breaks
 */
export function checkRules(event: RecordedEvent, before: Lab, jobLimit: number): void {
  const broken =
    event.type === 'DeviceReserved'
      ? brokenByReservation(event as Recorded<'DeviceReserved'>, before)
      : event.type === 'JobAllocated'
        ? brokenByGroup(event as Recorded<'JobAllocated'>, before, jobLimit)
        : undefined;
  if (broken !== undefined)
    throw new Error(`${event.stream} ${event.version} ${event.type}: ${broken}`);
}

function brokenByReservation(
  { stream, data, meta }: Recorded<'DeviceReserved'>,
  { devices }: Lab,
): string | undefined {
  const board = devices.get(stream) ?? initialDevice;
  const isCheck = data.healthCheck === true;
  if (board.state !== 'idle') return `given though it is ${board.state}`;
  if (board.offline !== null) return 'given though it is offline';
  if (!isFitFor(board, isCheck)) return `given though its health is ${board.health}`;
  return !isCheck && isCheckDue(board, meta.at)
    ? 'given to a job though a check comes first'
    : undefined;
}

/** Not by the scheduler's own reckoning. */
function isCheckDue(board: DeviceState, now: number): boolean {
  const { healthCheck, health, checkedAt, jobsSinceCheck } = board;
  if (healthCheck === null) return false;
  if (health !== 'good') return true;
  const { everyHours, everyJobs } = healthCheck;
  if (checkedAt === null) return true;
  const hours = (now - checkedAt) / HOUR_MS;
  return (
    hours > (everyHours ?? Number.POSITIVE_INFINITY) ||
    jobsSinceCheck >= (everyJobs ?? Number.POSITIVE_INFINITY)
  );
}

function brokenByGroup(
  { stream, data }: Recorded<'JobAllocated'>,
  { jobs, devices }: Lab,
  jobLimit: number,
): string | undefined {
  const boardOf = (name: string) => devices.get(`device-${name}`) ?? initialDevice;
  for (const request of jobs.get(stream)?.definition?.roles ?? []) {
    const members = data.members.filter(({ role }) => role === request.role);
    if (members.length !== request.count)
      return `role ${request.role} has ${members.length} of ${request.count} boards`;
    const unfit = members.find(
      ({ device }) => !fits({ name: device, ...boardOf(device) }, request),
    );
    if (unfit !== undefined) return `${unfit.device} does not fit role ${request.role}`;
  }
  // Two servers may reserve boards of a worker at once; what counts is which jobs have theirs in the end.
  const isInUse = ({ heldBy }: DeviceState) =>
    heldBy !== null && jobs.get(jobStream(heldBy.job))?.lease === heldBy.lease;
  for (const worker of new Set(data.members.map(({ device }) => boardOf(device).worker))) {
    const own = data.members.filter(({ device }) => boardOf(device).worker === worker).length;
    const others = [...devices.values()].filter((each) => each.worker === worker && isInUse(each));
    if (own + others.length > jobLimit)
      return `${own + others.length} boards of worker ${worker} are in use, ${jobLimit} may be`;
  }
  return undefined;
}
