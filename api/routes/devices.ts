/** Devices (boards): who has a board, how it is, and taking it out of use. */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { byOf } from '../by.ts';
import { deviceView } from '../device-view.ts';
import { type DeviceOrder, noSuchDevice, orderDevice } from '../orders.ts';
import type { ApiEngine } from '../parts.ts';
import { DeviceParams, DeviceView, HealthOrder, problemResponses, Reason } from '../schemas.ts';

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
};

/** What may be ordered of a device. Each order is idempotent. */
const deviceOrders: FastifyPluginAsyncZod<{ engine: ApiEngine }> = async (app, { engine }) => {
  const ordered = async (request: FastifyRequest, order: DeviceOrder) =>
    deviceView(engine, order.device, await orderDevice(engine, order, byOf(request)));

  const summaries = {
    offline: 'Take a device out of use; a job that has it keeps it to its end',
    retire: 'Take a device out for good, until it is restored; no job may have it',
    restore: 'Bring a retired device back, with its health unknown',
  } as const;
  for (const order of ['offline', 'retire', 'restore'] as const)
    app.post(
      `/api/devices/:name/${order}`,
      {
        schema: {
          tags: ['devices'],
          summary: summaries[order],
          params: DeviceParams,
          body: z.strictObject({ reason: Reason }),
          response: { 200: DeviceView, ...problemResponses },
        },
      },
      (request) =>
        ordered(request, { order, device: request.params.name, reason: request.body.reason }),
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
    (request) => ordered(request, { order: 'online', device: request.params.name }),
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
    (request) =>
      ordered(request, { order: 'health', device: request.params.name, ...request.body }),
  );
};
