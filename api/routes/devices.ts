/** Devices (boards): who has them, and taking them out of use. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { DeviceState } from '../../machines/device.ts';
import { iso } from '../../projections/views.ts';
import { API_ACTOR, type ApiEngine, oneLine, REASON_CHARACTERS_MAX } from '../parts.ts';
import { ApiProblem } from '../problems.ts';
import { DeviceParams, DeviceView, problemResponses } from '../schemas.ts';

export const deviceRoutes: FastifyPluginAsyncZod<{ engine: ApiEngine }> = async (
  app,
  { engine },
) => {
  const view = (name: string, state: DeviceState): DeviceView =>
    deviceView(name, state, engine.undriven(name));

  app.get(
    '/api/devices',
    {
      schema: {
        tags: ['devices'],
        summary: 'All devices, by name',
        response: { 200: z.object({ devices: z.array(DeviceView) }), ...problemResponses },
      },
    },
    () => ({ devices: engine.devices().map(({ name, state }) => view(name, state)) }),
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
      if (state === undefined) throw new ApiProblem('no-such-device', `there is no device ${name}`);
      return view(name, state);
    },
  );

  app.post(
    '/api/devices/:name/offline',
    {
      schema: {
        tags: ['devices'],
        summary: 'Take a device out of use; a job that has it keeps it to its end',
        params: DeviceParams,
        body: z.strictObject({
          reason: z
            .string()
            .max(REASON_CHARACTERS_MAX)
            .transform(oneLine)
            .pipe(z.string().min(1, 'say why')),
        }),
        response: { 200: DeviceView, ...problemResponses },
      },
    },
    async ({ params: { name }, body: { reason } }) =>
      view(name, await engine.setOffline(name, reason, { actor: API_ACTOR })),
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
    async ({ params: { name } }) => view(name, await engine.setOnline(name, { actor: API_ACTOR })),
  );
};

function deviceView(name: string, device: DeviceState, undriven: string | null): DeviceView {
  const offlineReason = device.offline ?? undriven ?? undefined;
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
    ...(device.heldBy !== null && { job: device.heldBy.job }),
    idleSince: iso(device.idleSince),
  };
}
