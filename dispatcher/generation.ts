/**
 * What one reading of the lab's file made: its boards, its limits, and drivers that were opened for them. When the file is
 * read again the next one stands beside it, until the last board of this one is nobody's.
 */
import type { LabChange } from '../wire/lab-change.ts';
import type { BoardRegistration } from '../wire/server-port.ts';
import { consolePath } from './console.ts';
import type { Driver, DriverContext, LabBoard, Limits, Log } from './drivers/driver.ts';
import { boardsLeft } from './drivers/holdings.ts';
import { FETCH_MARK_VARIABLE } from './drivers/processes.ts';
import type { Registry } from './drivers/registry.ts';

/** What the lab's file says to a dispatcher. */
export interface LabPart {
  boards: readonly LabBoard[];
  limits: Limits;
  /** Folders that `file:` images and definitions may come from. */
  allowFiles: readonly string[];
  /** The kinds of boards that can be driven here. */
  drivers: Registry;
}

export interface Generation extends Omit<LabPart, 'drivers'> {
  /** By kind: those of the lab's boards, and those of boards that an earlier life left. */
  drivers: ReadonlyMap<string, Driver>;
}

export interface GenerationOptions {
  /** As a real path. */
  dataDir: string;
  hash: string;
  /** The package's `board/` folder: what runs on a board. */
  boardFiles: string;
  log: Log;
}

/**
 * Opens a driver for each kind of board.
 *
 * @param order the boards in the order of their places, with what is empty
 * @throws StepFailure when one cannot be opened
 */
export async function openGeneration(
  { dataDir, hash, boardFiles, log }: GenerationOptions,
  lab: LabPart,
  order: readonly LabBoard[],
): Promise<Generation> {
  const { boards, limits, allowFiles } = lab;
  const [anyKind = ''] = lab.drivers.keys();
  const kinds = new Map(boards.map(({ name, driver }) => [name, driver]));
  const kindOf = (device: string) => kinds.get(device) ?? anyKind;
  const left = await boardsLeft(dataDir);
  const used = new Set([
    ...kinds.values(),
    ...[...left].map(([device, state]) => state?.driver ?? kindOf(device)),
  ]);
  const drivers = new Map<string, Driver>();
  for (const [kind, open] of lab.drivers) {
    if (!used.has(kind)) continue;
    const context: DriverContext = {
      ...{ kind, kindOf, dataDir, hash, boardFiles, limits, allowFiles, log },
      boards: order.filter(({ driver }) => driver === kind),
      lab: order,
      fetchMark: { [FETCH_MARK_VARIABLE]: hash },
      consoleFile: (job, device) => consolePath(dataDir, job, device),
    };
    drivers.set(kind, await open(context));
  }
  return { boards, limits, allowFiles, drivers };
}

/** Boards of the lab's file, as their worker announces them. */
export const registrations = (boards: readonly LabBoard[]): BoardRegistration[] =>
  boards.map(({ name, type, tags, driver }) => ({
    device: name,
    deviceType: type,
    tags: [...tags],
    driver,
  }));

/** `held`: the boards that somebody has. */
export function changeBetween(
  before: readonly LabBoard[],
  after: readonly LabBoard[],
  held: ReadonlySet<string>,
): LabChange {
  const was = new Map(before.map((board) => [board.name, board]));
  const is = new Set(after.map(({ name }) => name));
  const isOther = (board: LabBoard) =>
    was.has(board.name) && JSON.stringify(was.get(board.name)) !== JSON.stringify(board);
  const names = (boards: readonly LabBoard[]) => boards.map(({ name }) => name);
  const changed = names(after.filter(isOther));
  const removed = names(before.filter(({ name }) => !is.has(name)));
  return {
    boards: after.length,
    added: names(after.filter(({ name }) => !was.has(name))),
    changed,
    removed,
    later: [...changed, ...removed].filter((name) => held.has(name)),
  };
}

/** Says once what each reading of the file would say of this machine again. */
export function sayingOnce(log: Log): Log {
  const said = new Set<string>();
  return {
    info: (about, message) => log.info(about, message),
    error: (about, message) => log.error(about, message),
    warn: (about, message) => {
      if (said.has(message)) return;
      said.add(message);
      log.warn(about, message);
    },
  };
}
