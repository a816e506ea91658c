/** A health check as a job: what the scheduler starts before any other job on that board (SEMANTICS 4.5). */
import type { JobDefinition } from '../machines/definition.ts';

/** The check of a device type as a job for this very board; its one role stays what it is called. */
export function checkOf(device: string, check: JobDefinition): JobDefinition {
  const { role = 'default' } = check.roles[0] ?? {};
  return { ...check, healthCheckOf: device, roles: [{ role, count: 1, device, tags: [] }] };
}
