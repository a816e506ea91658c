/**
 * The door of the workers' lines, `GET /worker/v1/line` as a WebSocket: one line a worker, for the messages of all
 * its boards (`line-frames.ts` has the frames). The line itself needs no token and can do nothing: each message has
 * its member's own, and speaks for that member alone.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { WebSocketServer } from 'ws';
import { Line } from '../line.ts';
import { FRAME_BYTES_MAX } from '../line-frames.ts';
import { HELD_MS_MAX } from '../open-requests.ts';
import type { BoardParts } from '../parts.ts';
import { ApiProblem, pathOf, stopping } from '../problems.ts';
import { refuse } from '../refusals.ts';
import { MemberTokens } from '../tokens.ts';
import { routeUpgrade } from '../upgrades.ts';
import { WORKER_PATH, type WorkerDoor } from './worker.ts';

const LINE_PATH = '/worker/v1/line';
/** Of operators, who have the token of the API: a route of it answers. */
const DEVICE_CONSOLE = /^\/api\/devices\/[^/]+\/console\/?$/;

/** Adds the line to an app. Lines end, in order, before the app's server closes. */
export async function lineRoutes(
  app: FastifyInstance,
  {
    heldMsMax = HELD_MS_MAX,
    workers,
    hasConsoles = false,
    ...parts
  }: BoardParts & { heldMsMax?: number; workers?: WorkerDoor; hasConsoles?: boolean },
): Promise<void> {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: FRAME_BYTES_MAX });
  const lines = new Set<Line>();
  const tokens = new MemberTokens(parts.tokenKeys);
  let isStopping = false;
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (isStopping) return refuse(socket, stopping());
    const path = pathOf(request.url ?? '');
    if (path === WORKER_PATH && workers !== undefined)
      return workers.upgrade(request, socket, head);
    if (DEVICE_CONSOLE.test(path) && hasConsoles)
      return routeUpgrade(app, request, { socket, head });
    if (path !== LINE_PATH) return refuse(socket, notALine());
    sockets.handleUpgrade(request, socket, head, (opened) => {
      const line = new Line(opened, { ...parts, tokens, heldMsMax });
      lines.add(line);
      opened.once('close', () => lines.delete(line));
    });
  });
  sockets.on('wsClientError', ({ message }, socket) =>
    refuse(socket, new ApiProblem('invalid-request', message)),
  );
  app.addHook('preClose', async () => {
    isStopping = true;
    await Promise.all([...lines].map((line) => line.stop()));
  });
}

const notALine = () =>
  new ApiProblem(
    'invalid-request',
    `only ${LINE_PATH} is a WebSocket: ask without the header Upgrade`,
  );
