/** The lab as the scheduler needs it, kept in step with the directory event by event: the planner, and due checks. */
import type { DeviceState } from '../machines/device.ts';
import type { RecordedEvent } from '../machines/events.ts';
import { streamOf } from '../machines/names.ts';
import type { Directory } from '../projections/directory.ts';
import { nextCheckAt } from '../scheduler/health.ts';
import { Planner } from '../scheduler/planner.ts';
import type { Board } from '../scheduler/types.ts';
import { boardOf, queuedJob } from './boards.ts';

export class LabView {
  readonly planner = new Planner();
  readonly #directory: () => Directory;
  readonly #now: () => number;
  /** Boards that are idle and open to nothing but a check. */
  readonly #due = new Set<string>();
  /** The board that each live check is of. */
  readonly #checks = new Map<number, string>();
  /** The boards that each worker had when it was last looked at. */
  readonly #boardsOf = new Map<string, readonly string[]>();
  /** When the hours alone make the next check of a board due. */
  readonly #dueAt = new Map<string, number>();

  constructor(directory: () => Directory, now: () => number) {
    this.#directory = directory;
    this.#now = now;
  }

  /** Takes the directory as it is; once, before the first `take`. */
  build(): void {
    const { workers, devices, jobs } = this.#directory();
    for (const name of devices.keys()) this.#board(name);
    for (const name of workers.keys()) this.#worker(name);
    for (const id of jobs.keys()) this.#job(id);
  }

  /** Events that the directory has taken in. */
  take(events: readonly RecordedEvent[]): void {
    for (const event of events) {
      const { kind, id: name = '' } = streamOf(event.stream) ?? {};
      if (kind === 'device') this.#board(name);
      else if (kind === 'job' && event.type.startsWith('Job')) this.#job(Number(name));
      else if (kind === 'worker' && event.type !== 'WorkerRenewed') {
        this.#worker(name);
      }
    }
  }

  /** The boards whose health check is due and not asked for yet. */
  checksToSubmit(): string[] {
    const now = this.#now();
    for (const [name, at] of this.#dueAt) if (at <= now) this.#board(name);
    const asked = new Set(this.#checks.values());
    return [...this.#due].filter((name) => !asked.has(name)).sort();
  }

  /** When time alone makes the next check due, milliseconds since the epoch; `null`: never. */
  nextCheckAt(): number | null {
    let next: number | null = null;
    for (const at of this.#dueAt.values()) next = Math.min(next ?? at, at);
    return next;
  }

  #worker(name: string): void {
    const state = this.#directory().workers.get(name)?.state;
    if (state === undefined) return;
    this.planner.setWorker({
      name,
      ...(state.jobLimit !== null && { jobLimit: state.jobLimit }),
    });
    const before = this.#boardsOf.get(name) ?? [];
    this.#boardsOf.set(name, state.boards);
    for (const board of new Set([...before, ...state.boards])) this.#board(board);
  }

  #board(name: string): void {
    const now = this.#now();
    const board = boardOf(this.#directory(), name, now);
    const device = this.#directory().devices.get(name)?.state;
    if (board === undefined || device === undefined) return;
    this.planner.setBoard(this.#asSeen(board, device));
    if (board.state === 'idle' && board.open === 'checks') this.#due.add(name);
    else this.#due.delete(name);
    const at = nextCheckAt(device);
    if (at !== null && at > now) this.#dueAt.set(name, at);
    else this.#dueAt.delete(name);
  }

  /** With what only its reasons tell: why it was retired, and that the job that has it is its own health check. */
  #asSeen(board: Board, { retiredReason }: DeviceState): Board {
    const { name, state, heldBy } = board;
    if (state === 'retired')
      return { ...board, open: 'nothing', closed: `retired: ${retiredReason}` };
    if (heldBy === undefined || this.#checks.get(heldBy.job) !== name) return board;
    return { ...board, heldBy: { ...heldBy, isCheck: true } };
  }

  #job(id: number): void {
    const entry = this.#directory().jobs.get(id);
    if (entry?.state === 'submitted') this.planner.setJob(queuedJob(entry));
    else this.planner.removeJob(id);
    // Until when its boards are held, is known from its allocation on.
    if (entry?.state === 'allocated') for (const board of entry.held) this.#board(board);
    const board = entry?.healthCheckOf;
    if (board !== undefined && entry?.state !== 'ended') this.#checks.set(id, board);
    else this.#checks.delete(id);
  }
}
