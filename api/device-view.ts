/** A device as the API shows it. */
import type { DeviceState } from '../machines/device.ts';
import { iso } from '../projections/views.ts';
import { checkDue, nextCheckAt } from '../scheduler/health.ts';
import type { ApiEngine } from './parts.ts';
import type { DeviceView } from './schemas.ts';

export function deviceView(engine: ApiEngine, name: string, device: DeviceState): DeviceView {
  const offlineReason = device.offline ?? engine.undriven(name) ?? undefined;
  return {
    name,
    type: device.deviceType,
    tags: [...device.tags],
    worker: device.worker,
    driver: device.driver,
    state: device.state === 'none' ? 'retired' : device.state,
    online: offlineReason === undefined,
    ...(offlineReason !== undefined && { offlineReason }),
    health: device.health,
    ...(device.healthReason !== null && { healthReason: device.healthReason }),
    ...healthCheckView(device, engine.now()),
    ...(device.heldBy !== null && { job: device.heldBy.job }),
    idleSince: iso(device.idleSince),
  };
}

function healthCheckView(device: DeviceState, now: number): Pick<DeviceView, 'healthCheck'> {
  const { healthCheck: is, checkedAt, jobsSinceCheck: jobsSince, heldBy } = device;
  if (is === null) return {};
  const { everyHours, everyJobs } = is;
  const job = heldBy?.healthCheck === true ? heldBy.job : undefined;
  const due = job === undefined && device.state !== 'retired' ? checkDue(device, now) : null;
  const nextAt = nextCheckAt(device);
  return {
    healthCheck: {
      ...(everyHours !== undefined && { everyHours }),
      ...(everyJobs !== undefined && { everyJobs }),
      ...(checkedAt !== null && { lastAt: iso(checkedAt) }),
      jobsSince,
      ...(job !== undefined && { job }),
      ...(due !== null && { due }),
      ...(nextAt !== null && { nextAt: iso(nextAt) }),
    },
  };
}
