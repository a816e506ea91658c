/** Devices (boards) and their workers: who has a board, how it is, and taking it out of use. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { CommandRefused } from '../../engine/live-stream.ts';
import type { DeviceState } from '../../machines/device.ts';
import { iso } from '../../projections/views.ts';
import { checkDue, nextCheckAt } from '../../scheduler/health.ts';
import { API_ACTOR, type ApiEngine } from '../parts.ts';
import { ApiProblem } from '../problems.ts';
import {
  DeviceParams,
  DeviceView,
  HealthOrder,
  problemResponses,
  Reason,
  Workers,
} from '../schemas.ts';

const by = { actor: API_ACTOR };

/** `engine`: of the app. */
export const deviceRoutes: FastifyPluginAsyncZod<{ engine: ApiEngine }> = async (
  app,
  { engine },
) => {
  await app.register(deviceOrders, { engine });

  app.get(
    '/api/devices',
    {
      schema: {
        tags: ['devices'],
        summary: 'All devices, by name',
        response: { 200: z.object({ devices: z.array(DeviceView) }), ...problemResponses },
      },
    },
    () => ({ devices: engine.devices().map(({ name, state }) => deviceView(engine, name, state)) }),
  );

  app.get(
    '/api/devices/:name',
    {
      schema: {
        tags: ['devices'],
        summary: 'A device',
        params: DeviceParams,
        response: { 200: DeviceView, ...problemResponses },
      },
    },
    ({ params: { name } }) => {
      const state = engine.device(name);
      if (state === undefined) throw noSuchDevice(name);
      return deviceView(engine, name, state);
    },
  );

  app.get(
    '/api/workers',
    {
      schema: {
        tags: ['devices'],
        summary: 'The workers that drive the devices, by name, and how many of theirs are in use',
        response: { 200: Workers, ...problemResponses },
      },
    },
    () => ({ workers: workersOf(engine) }),
  );
};

/** What may be ordered of a device. Each order is idempotent. */
const deviceOrders: FastifyPluginAsyncZod<{ engine: ApiEngine }> = async (app, { engine }) => {
  const answered = async (name: string, order: Promise<DeviceState>) => {
    try {
      return deviceView(engine, name, await order);
    } catch (error) {
      throw error instanceof CommandRefused ? refusal(name, error) : error;
    }
  };

  const withReason = (
    path: string,
    summary: string,
    order: (name: string, reason: string) => Promise<DeviceState>,
  ) =>
    app.post(
      path,
      {
        schema: {
          tags: ['devices'],
          summary,
          params: DeviceParams,
          body: z.strictObject({ reason: Reason }),
          response: { 200: DeviceView, ...problemResponses },
        },
      },
      ({ params: { name }, body: { reason } }) => answered(name, order(name, reason)),
    );

  withReason(
    '/api/devices/:name/offline',
    'Take a device out of use; a job that has it keeps it to its end',
    (name, reason) => engine.setOffline(name, reason, by),
  );
  withReason(
    '/api/devices/:name/retire',
    'Take a device out for good, until it is restored; no job may have it',
    (name, reason) => engine.retire(name, reason, by),
  );
  withReason(
    '/api/devices/:name/restore',
    'Bring a retired device back, with its health unknown',
    (name, reason) => engine.restore(name, reason, by),
  );

  app.post(
    '/api/devices/:name/online',
    {
      schema: {
        tags: ['devices'],
        summary: 'Bring a device back into use',
        params: DeviceParams,
        response: { 200: DeviceView, ...problemResponses },
      },
    },
    ({ params: { name } }) => answered(name, engine.setOnline(name, by)),
  );

  app.post(
    '/api/devices/:name/health',
    {
      schema: {
        tags: ['devices'],
        summary: "Say how a device's health is; a job that has it keeps it unless that is forced",
        params: DeviceParams,
        body: HealthOrder,
        response: { 200: DeviceView, ...problemResponses },
      },
    },
    ({ params: { name }, body: { health: to, reason, force } }) =>
      answered(name, engine.setHealth(name, { to, reason, force }, by)),
  );
};

const noSuchDevice = (name: string) =>
  new ApiProblem('no-such-device', `there is no device ${name}`);

/** What the rules refuse, said of this device, with the way out. */
function refusal(name: string, refused: CommandRefused): ApiProblem {
  const { code, message } = refused;
  if (code === 'no-such-device') return noSuchDevice(name);
  if (code === 'retired') return new ApiProblem(code, `${name} is retired; restore it first`);
  if (code !== 'not-idle') return new ApiProblem(code, message);
  return new ApiProblem(
    code,
    `${name} is ${message}; cancel that job or wait for its end, then ask again. Taken offline, the device gets no other job meanwhile`,
  );
}

function deviceView(engine: ApiEngine, name: string, device: DeviceState): DeviceView {
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

function workersOf({ directory }: ApiEngine): z.infer<typeof Workers>['workers'] {
  const used = new Map<string, number>();
  for (const board of directory.held) {
    const worker = directory.devices.get(board)?.state.worker ?? '';
    used.set(worker, (used.get(worker) ?? 0) + 1);
  }
  return [...directory.workers]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { state: is }]) => ({
      name,
      state: is.state === 'connected' ? ('connected' as const) : ('lost' as const),
      since: iso(is.since),
      ...(is.reason !== null && { reason: is.reason }),
      boards: [...is.boards],
      ...(is.jobLimit !== null && { jobLimit: is.jobLimit }),
      used: used.get(name) ?? 0,
    }));
}
