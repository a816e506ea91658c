/** Whose the boards of one kind are: kept on disk, so that a later life of the worker takes them over or clears them away. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BoardFolder, type BoardState, OPERATOR } from './board-folder.ts';
import type { DriverContext, Holding, Seat } from './driver.ts';
import { MARK_VARIABLE, markedProcesses, markOf } from './processes.ts';

export class Holdings {
  readonly #context: DriverContext;
  readonly #states = new Map<string, BoardState>();

  constructor(context: DriverContext) {
    this.#context = context;
  }

  /** The boards that somebody has. */
  get devices(): ReadonlySet<string> {
    return new Set(this.#states.keys());
  }

  folder(device: string): BoardFolder {
    return new BoardFolder(boardsFolder(this.#context.dataDir), device);
  }

  holding(device: string): Holding | undefined {
    const state = this.#states.get(device);
    if (state === undefined || state.job === OPERATOR) return undefined;
    return { device, job: state.job, lease: state.lease };
  }

  /** Where what it prints goes. */
  consoleFile({ job, device }: Seat): string {
    if (job === OPERATOR) return this.folder(device).operatorConsole;
    return this.#context.consoleFile(job, device);
  }

  /** `undefined`: nobody has the board. */
  state(device: string): BoardState | undefined {
    return this.#states.get(device);
  }

  /** `undefined`: the board is not (any more) in the hands of this member. */
  stateOf(seat: Seat): BoardState | undefined {
    const state = this.#states.get(seat.device);
    return state?.job === seat.job && state.lease === seat.lease ? state : undefined;
  }

  async save(device: string, is: Omit<BoardState, 'driver'>): Promise<void> {
    const state = { ...is, driver: this.#context.kind };
    this.#states.set(device, state);
    await this.folder(device).write(state);
  }

  /** Nobody has the board any more. */
  async forget(device: string): Promise<void> {
    await this.folder(device).remove();
    this.#states.delete(device);
  }

  /** Reads what an earlier life left of this kind; what belongs to no board of the lab is given to `clear`. */
  async takeOver(clear: (device: string) => Promise<void>): Promise<Holding[]> {
    const { boards, dataDir, hash, kind, kindOf } = this.#context;
    const left = await boardsLeft(dataDir);
    for (const [device, state] of left) {
      if ((state?.driver ?? kindOf(device)) !== kind) continue;
      const known = boards.some(({ name }) => name === device);
      const isMembers = state !== undefined && state.job !== OPERATOR;
      if (isMembers && known) this.#states.set(device, state);
      else await this.#clearAway(device, clear);
    }
    const marked = await markedProcesses(MARK_VARIABLE, markOf(hash, ''));
    for (const device of new Set(marked.map(({ value }) => value.slice(markOf(hash, '').length))))
      if (!left.has(device) && kindOf(device) === kind) await this.#clearAway(device, clear);
    return [...this.#states].map(([device, { job, lease }]) => ({ device, job, lease }));
  }

  /** One that does not go away is no reason not to start. */
  async #clearAway(device: string, clear: (device: string) => Promise<void>): Promise<void> {
    try {
      await clear(device);
    } catch (error) {
      this.#context.log.error(
        { device, err: error },
        'a board of an earlier life does not go away',
      );
    }
  }
}

const boardsFolder = (dataDir: string): string => join(dataDir, 'boards');

/** The boards with something on the worker's disk; without a state: it cannot be read. */
export async function boardsLeft(dataDir: string): Promise<Map<string, BoardState | undefined>> {
  const folder = boardsFolder(dataDir);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const left = new Map<string, BoardState | undefined>();
  for (const device of await readdir(folder))
    left.set(device, await new BoardFolder(folder, device).read());
  return left;
}
