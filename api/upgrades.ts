/** WebSockets that begin as a request of a route: the hooks and refusals of its scope are those of any other request. */
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

export interface Upgrade {
  socket: Duplex;
  head: Buffer;
}

const waiting = new WeakMap<IncomingMessage, Upgrade & { end(): void }>();

/** Has an app answer an upgrade as a request; what it answers ends the connection. */
export function routeUpgrade(
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
