/** Opens a board's lines: the programs of the worker on which its consoles are, on its network where it has one. */
import { join } from 'node:path';
import type { DriverContext } from './driver.ts';
import type { Holdings } from './holdings.ts';
import { startBoard } from './launch.ts';
import type { LineKind, LineSeat } from './line-kind.ts';
import { lineLaunch, recordLine } from './line-program.ts';

/** What a driver of boards on lines is made of. */
export interface LineParts {
  context: DriverContext;
  kind: LineKind;
  holdings: Holdings;
}

/** Its power comes afterwards, where it has a switch. @throws StepFailure, StepAborted */
export async function openLine(
  { context, kind, holdings }: LineParts,
  at: LineSeat,
  image: string,
): Promise<void> {
  await at.folder.layOut();
  const program = await kind.program(at, image);
  const { device } = at.seat;
  const { volume } = at.folder;
  const console = holdings.consoleFile(at.seat);
  const connect = async () => {
    await kind.connect(at);
    for (const { name, program: more } of kind.more?.(at) ?? []) {
      const place = { volume: join(volume, `line-${name}`), console: `${console}-${name}` };
      await recordLine(context, { device, ...place, program: more });
    }
  };
  const launch = lineLaunch(context, { device, volume, console, program });
  await startBoard(holdings, at.seat, launch, { signal: at.signal, connect });
}
