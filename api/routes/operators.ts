/** What operators do with a board itself while no job has it: its power, and its console as a WebSocket. */
import type { Socket } from 'node:net';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { Power } from '../../machines/events.ts';
import { iso } from '../../projections/views.ts';
import { byOf } from '../by.ts';
import { deviceView } from '../device-view.ts';
import { type HandsOf, switchPower } from '../hands.ts';
import { sizeOf } from '../history/consoles.ts';
import { OperatorConsoles } from '../operator-consoles.ts';
import { OperatorSocket, TYPED_BYTES_MAX } from '../operator-socket.ts';
import { noSuchDevice } from '../orders.ts';
import { type ApiEngine, type AppParts, oneLine } from '../parts.ts';
import { ApiProblem } from '../problems.ts';
import { DeviceConsoles, DeviceParams, DeviceView, problemResponses } from '../schemas.ts';
import { sendFile } from '../send-file.ts';
import type { SessionRecords } from '../session-records.ts';
import { isUpgrade, takeUpgrade } from '../upgrades.ts';

export interface OperatorsOptions extends Pick<AppParts, 'log'> {
  engine: ApiEngine;
  handsOf: HandsOf;
  records: SessionRecords;
}

const SessionParams = DeviceParams.extend({ number: z.coerce.number().int().positive() });

export const operatorRoutes: FastifyPluginAsyncZod<OperatorsOptions> = async (app, is) => {
  const { engine, handsOf, records, log } = is;
  const consoles = new OperatorConsoles({ engine, handsOf, records, log });
  const stopping = new AbortController();
  app.addHook('preClose', async () => stopping.abort());

  app.post(
    '/api/devices/:name/power',
    {
      schema: {
        tags: ['devices'],
        summary: 'Switch the power of a device that no job has; done already is done',
        description: 'Answers when it is done, which takes as long as the commands of the lab do.',
        params: DeviceParams,
        body: z.strictObject({ power: Power }),
        response: { 200: DeviceView, ...problemResponses },
      },
    },
    async (request) => {
      const { name: device } = request.params;
      const { power } = request.body;
      const { signal } = stopping;
      await consoles.note(device, `power ${power}`);
      const said = await switchPower({ engine, handsOf }, { device, power, signal }, byOf(request))
        .then(() => 'done')
        .catch(async (error: Error) => {
          await consoles.note(device, `power ${power}: ${error.message}`);
          throw error;
        });
      await consoles.note(device, `power ${power}: ${said}`);
      const state = engine.device(device);
      if (state === undefined) throw noSuchDevice(device);
      return deviceView(engine, device, state);
    },
  );

  app.get(
    '/api/devices/:name/consoles',
    {
      schema: {
        tags: ['devices'],
        summary: 'The consoles that operators had of a device, the first one first',
        params: DeviceParams,
        response: { 200: DeviceConsoles, ...problemResponses },
      },
    },
    async ({ params: { name: device } }) => {
      if (engine.device(device) === undefined) throw noSuchDevice(device);
      const sessions = await records.list(device);
      const views = sessions.map(async ({ number, user, startedAt, endedAt, reason }) => ({
        ...{ number, user, startedAt: iso(startedAt) },
        ...(endedAt !== undefined && { endedAt: iso(endedAt) }),
        ...(reason !== undefined && { reason }),
        bytes: await sizeOf(records.file(device, number)),
      }));
      return { consoles: await Promise.all(views) };
    },
  );

  app.get(
    '/api/devices/:name/consoles/:number',
    {
      exposeHeadRoute: false,
      schema: {
        tags: ['devices'],
        summary: 'What one of them printed, byte for byte',
        description: 'With `Range: bytes=N-` from byte N on.',
        params: SessionParams,
        produces: ['application/octet-stream'],
        response: { 200: z.any(), 206: z.any(), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { name: device, number } = request.params;
      const known = (await records.list(device)).some((session) => session.number === number);
      if (!known)
        throw new ApiProblem(
          'no-such-console',
          `${device} had no console ${number} by an operator`,
        );
      return sendFile(records.file(device, number), request, reply);
    },
  );

  await app.register(consoleSocket, { consoles });
};

const USER_CHARACTERS_MAX = 64;

const consoleSocket: FastifyPluginAsyncZod<{ consoles: OperatorConsoles }> = async (
  app,
  { consoles },
) => {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: TYPED_BYTES_MAX });
  const opening = new Set<Socket>();
  app.addHook('preClose', async () => {
    await consoles.stop();
    // Whose board does not answer hears no more of this server.
    for (const socket of opening) socket.destroy();
  });
  app.get(
    '/api/devices/:name/console',
    {
      exposeHeadRoute: false,
      schema: {
        tags: ['devices'],
        summary: 'The console of a device that no job has, as a WebSocket',
        description:
          'The device is offline meanwhile, and given back when the socket closes. Binary messages are bytes: what the device prints, and what is typed. Text is JSON: `{"opened":{"number":3}}` first, `{"ended":"why"}` last; a client may say `{"leave":true}`.',
        params: DeviceParams,
        querystring: z.object({
          /** Who it is, for whoever comes second. */
          user: z.string().max(USER_CHARACTERS_MAX).default('somebody'),
        }),
        response: { 101: z.any(), ...problemResponses },
      },
    },
    async (request, reply) => {
      if (!isUpgrade(request)) {
        const headers = { upgrade: 'websocket', connection: 'upgrade' };
        throw new ApiProblem('upgrade-needed', 'this is a WebSocket', { headers });
      }
      const user = oneLine(request.query.user) || 'somebody';
      const client = new OperatorSocket();
      const { socket } = request.raw;
      opening.add(socket);
      const console = await consoles
        .open(request.params.name, user, client, byOf(request))
        .finally(() => opening.delete(socket));
      const upgrade = takeUpgrade(request, reply);
      if (upgrade === undefined) return reply;
      // Whatever becomes of the connection, the board is given back.
      upgrade.socket.once('close', () => void console.leave());
      if (upgrade.socket.destroyed) void console.leave();
      sockets.handleUpgrade(request.raw, upgrade.socket, upgrade.head, (socket) =>
        client.take(socket, console),
      );
      return reply;
    },
  );
};
