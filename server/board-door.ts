/** Where the boards of this server reach it, when they have a network of their own. */
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { BoardPortTaken, openAtKnownPort } from '../dispatcher/board-port.ts';
import { ServerRefused } from './refused.ts';

/**
 * Listens at the gateway of the boards; see `openAtKnownPort`.
 *
 * @returns the URL
 * @throws ServerRefused when boards run that know no other port than one that is taken
 */
export async function openBoardDoor(
  app: FastifyInstance,
  { address, dataDir, boardsRun }: { address: string; dataDir: string; boardsRun: boolean },
): Promise<string> {
  const file = join(dataDir, 'board-port');
  const listen = (port: number) => app.listen({ host: address, port });
  return openAtKnownPort({ file, host: address, boardsRun, listen }).catch((error: unknown) => {
    throw error instanceof BoardPortTaken ? new ServerRefused(error.message) : error;
  });
}
