/** A board on a line in the hands of an operator: the line and nothing else. Nobody logs in, nothing is laid on it. */
import { setTimeout as delay } from 'node:timers/promises';
import { note } from '../console.ts';
import type { OpenConsole, Seat } from './driver.ts';
import { aroundBoard } from './lab-commands.ts';
import { endBoard } from './launch.ts';
import type { LineSeat } from './line-kind.ts';
import { type LineParts, openLine } from './line-start.ts';
import { operatorSeat, typeBytes } from './operator-seat.ts';
import { isAlive } from './processes.ts';

/**
 * A board with a switch is left as it is: on or off, whatever runs. One whose power comes with its line is made for it.
 *
 * @throws StepFailure, StepAborted; nothing is left of it then
 */
export async function openOperatorLine(
  parts: LineParts,
  device: string,
  signal: AbortSignal,
): Promise<OpenConsole> {
  const { context, kind, holdings } = parts;
  const seat = operatorSeat(device);
  const board = context.boards.find(({ name }) => name === device);
  const folder = holdings.folder(device);
  const file = folder.operatorConsole;
  const at: LineSeat = { seat, folder, board, signal, note: (line) => note(file, line) };
  const alive = () => {
    const process = holdings.stateOf(seat)?.process;
    return process !== undefined && isAlive(process);
  };
  await closeOperatorLine(parts, device);
  const { lease } = seat;
  const image = board?.image ?? 'host:';
  await holdings.save(device, { job: seat.job, lease });
  try {
    if (kind.powerOn === undefined) await kind.deploy(at, image);
    await openLine(parts, at, image);
  } catch (error) {
    await closeOperatorLine(parts, device);
    throw error;
  }
  const { character_delay_ms: delayMs = 0 } = kind.login(board);
  return {
    file,
    gone: () => (alive() ? undefined : kind.isClosed),
    type: (bytes) => typeSlowly(folder.input, bytes, delayMs, alive),
    close: () => giveBack(parts, seat),
  };
}

/** As fast as the lab says that the line can take it. */
async function typeSlowly(
  pipe: string,
  bytes: Uint8Array,
  delayMs: number,
  alive: () => boolean,
): Promise<boolean> {
  if (delayMs === 0) return typeBytes(pipe, bytes, alive);
  for (const byte of bytes) {
    if (!(await typeBytes(pipe, Uint8Array.of(byte), alive))) return false;
    await delay(delayMs);
  }
  return true;
}

/** What the operator left on the board is for the lab's `cleanup`, as after a job. */
async function giveBack(parts: LineParts, { device, lease }: Seat): Promise<void> {
  const { context, holdings } = parts;
  if (holdings.state(device)?.lease !== lease) return;
  try {
    await closeOperatorLine(parts, device);
  } finally {
    await aroundBoard(context, 'cleanup', { device });
  }
}

async function closeOperatorLine(
  { context, kind, holdings }: LineParts,
  device: string,
): Promise<void> {
  const state = holdings.state(device);
  if (state === undefined) return;
  await endBoard(context.hash, device, state);
  if (kind.powerOn === undefined) await kind.powerOff(device, state);
  await holdings.forget(device);
}
