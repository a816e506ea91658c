/** What the boards reach over their bridge: the board's endpoints, and nothing else. */
import type { FastifyInstance } from 'fastify';
import { httpServer } from './http-server.ts';
import type { BoardParts } from './parts.ts';
import { openQuickDoor } from './quick-door.ts';
import { boardRoutes } from './routes/board.ts';

/** Builds the app that listens on the bridge. `heldMsMax`: how long a wait is held at most. */
export async function buildBoardApp(
  parts: BoardParts & { heldMsMax?: number },
): Promise<FastifyInstance> {
  const app = httpServer(parts.log);
  await app.register(boardRoutes, parts);
  openQuickDoor(app, parts);
  await app.ready();
  return app;
}
