/** When the health of a board is to be checked, and what its health opens it to (SEMANTICS 4.5). */
import type { DeviceState } from '../machines/device.ts';
import type { Board } from './types.ts';

const HOUR_MS = 3_600_000;

type Checked = Pick<
  DeviceState,
  'health' | 'healthCheck' | 'checkedAt' | 'jobsSinceCheck' | 'healthReason' | 'healthSince'
>;

/**
 * Why a check of this board is due now; `null`: none is. A board without a check is never due, and neither is one
 * that is bad or in maintenance: somebody has to say first that it is worth another try.
 */
export function checkDue(device: Checked, now: number): string | null {
  const { health, healthCheck, checkedAt, jobsSinceCheck } = device;
  if (healthCheck === null) return null;
  if (health === 'unknown') return 'its health is unknown';
  if (health === 'looping') return 'it is looping';
  if (health !== 'good') return null;
  if (checkedAt === null) return 'it was never checked';
  const { everyHours, everyJobs } = healthCheck;
  if (everyJobs !== undefined && jobsSinceCheck >= everyJobs)
    return `${jobsSinceCheck} jobs since the last check, one is due every ${everyJobs}`;
  if (everyHours !== undefined && now >= checkedAt + everyHours * HOUR_MS)
    return `${Math.floor((now - checkedAt) / HOUR_MS)} h since the last check, one is due every ${everyHours} h`;
  return null;
}

/** When the hours alone make the next check due; `null`: they never do. Milliseconds since the epoch. */
export function nextCheckAt({ health, healthCheck, checkedAt }: Checked): number | null {
  const hours = healthCheck?.everyHours;
  if (hours === undefined || checkedAt === null || health !== 'good') return null;
  return checkedAt + hours * HOUR_MS;
}

/** What a board whose worker is here is open to by its health, and why not to jobs. */
export function openByHealth(device: Checked, now: number): Pick<Board, 'open' | 'closed'> {
  const { health, healthReason, healthSince } = device;
  const why =
    healthReason === null ? '' : ` since its event ${healthSince?.event}: ${healthReason}`;
  if (health === 'bad' || health === 'maintenance')
    return { open: 'nothing', closed: `health ${health}${why}` };
  const due = checkDue(device, now);
  if (due !== null) return { open: 'checks', closed: `a health check comes first: ${due}` };
  // Looping without a check that could be run: nothing is known of it, so no job has it.
  if (health === 'looping') return { open: 'nothing', closed: `health looping${why}` };
  return { open: 'jobs' };
}
