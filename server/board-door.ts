/** Where the boards of this server reach it, when they have a network of their own. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { keepInFile } from './identity.ts';
import { ServerRefused } from './refused.ts';

const PORT_MAX = 65_535;

/**
 * Listens at the gateway of the boards, at the same port at every start on this folder: boards that run on know it. When
 * another program has that port, any other one will do, as long as no board runs.
 *
 * @returns the URL
 * @throws ServerRefused when boards run that know no other port
 */
export async function openBoardDoor(
  app: FastifyInstance,
  { address, dataDir, boardsRun }: { address: string; dataDir: string; boardsRun: boolean },
): Promise<string> {
  const file = join(dataDir, 'board-port');
  const known = portOf(await readFile(file, 'utf8').catch(() => ''));
  const url = await app.listen({ host: address, port: known }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || known === 0) throw error;
    if (boardsRun)
      throw new ServerRefused(
        `boards of an earlier start run, and know this server at ${address}:${known} alone, which is taken by another ` +
          'program: stop that one and start again, and they carry on',
      );
    return app.listen({ host: address, port: 0 });
  });
  if (new URL(url).port !== String(known)) await keepInFile(file, new URL(url).port);
  return url;
}

/** 0, which is any free one, for a text that is none. */
function portOf(text: string): number {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port <= PORT_MAX ? port : 0;
}
