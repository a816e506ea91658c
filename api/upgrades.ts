/**
 * Who takes a WebSocket: the door of the workers, or a route, as whose request it begins: the hooks and refusals of its
 * scope are those of any other request.
 */
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiProblem, pathOf, stopping } from './problems.ts';
import { refuse } from './refusals.ts';
import { WORKER_PATH, type WorkerDoor } from './routes/worker.ts';

/** Of operators, who have the token of the API: a route of it answers. */
const DEVICE_CONSOLE = /^\/api\/devices\/[^/]+\/console\/?$/;

export interface Upgrade {
  socket: Duplex;
  head: Buffer;
}

const waiting = new WeakMap<IncomingMessage, Upgrade & { end(): void }>();

/** Gives every upgrade to who is there for its address; any other is refused. */
export function takeUpgrades(
  app: FastifyInstance,
  { workers, hasConsoles }: { workers: WorkerDoor | undefined; hasConsoles: boolean },
): void {
  let isStopping = false;
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const path = pathOf(request.url ?? '');
    if (isStopping) refuse(socket, stopping());
    else if (path === WORKER_PATH && workers !== undefined) workers.upgrade(request, socket, head);
    else if (DEVICE_CONSOLE.test(path) && hasConsoles) routeUpgrade(app, request, { socket, head });
    else refuse(socket, noSocket(path));
  });
  app.addHook('preClose', async () => {
    isStopping = true;
  });
}

const noSocket = (path: string) =>
  new ApiProblem(
    'invalid-request',
    `${path.slice(0, 60)} is no WebSocket here: ask without the header Upgrade`,
  );

/** Has an app answer an upgrade as a request; what it answers ends the connection. */
function routeUpgrade(
  app: FastifyInstance,
  request: IncomingMessage,
  { socket, head }: Upgrade,
): void {
  socket.on('error', () => {});
  // Before it is answered a client says nothing: it is listened to for its end.
  const end = () => socket.destroy();
  socket.once('end', end).resume();
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Socket);
  response.once('finish', () => socket.end(() => socket.destroy()));
  socket.once('close', () => response.emit('close'));
  waiting.set(request, { socket, head, end });
  app.routing(request, response);
}

export const isUpgrade = ({ raw }: FastifyRequest): boolean => waiting.has(raw);

/** Takes the connection over from the app, which answers nothing more on it. */
export function takeUpgrade({ raw }: FastifyRequest, reply: FastifyReply): Upgrade | undefined {
  const upgrade = waiting.get(raw);
  if (upgrade === undefined) return undefined;
  waiting.delete(raw);
  reply.hijack();
  upgrade.socket.off('end', upgrade.end);
  reply.raw.detachSocket(upgrade.socket as Socket);
  // No answer is owed any more, which a stop would wait for.
  reply.raw.emit('close');
  return upgrade;
}
