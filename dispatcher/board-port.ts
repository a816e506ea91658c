/** Where boards with a network of their own find whoever drives them: at the same port at every start, since boards that run on know it. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { codeOf } from './failure.ts';

const PORT_MAX = 65_535;

/** Boards run that know no other port, and another program has it. */
export class BoardPortTaken extends Error {
  override readonly name = 'BoardPortTaken';
  readonly code = 'board-port-taken';
}

/**
 * When another program has the port of the last start, any other one will do, as long as no board runs.
 *
 * @param listen on a port, 0: any free one; returns the URL, and fails with EADDRINUSE
 * @throws BoardPortTaken
 */
export async function openAtKnownPort({
  file,
  host,
  boardsRun,
  listen,
}: {
  file: string;
  host: string;
  boardsRun: boolean;
  listen(port: number): Promise<string>;
}): Promise<string> {
  const known = portOf(await readFile(file, 'utf8').catch(() => ''));
  const url = await listen(known).catch((error: unknown) => {
    if (codeOf(error) !== 'EADDRINUSE' || known === 0) throw error;
    if (boardsRun)
      throw new BoardPortTaken(
        `boards of an earlier start run, and know ${host}:${known} alone, which is taken by another program: stop that ` +
          'one and start again, and they carry on',
      );
    return listen(0);
  });
  const { port } = new URL(url);
  if (port !== String(known)) {
    await writeFile(`${file}.new`, port, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }
  return url;
}

/** 0, which is any free one, for a text that is none. */
function portOf(text: string): number {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port <= PORT_MAX ? port : 0;
}
