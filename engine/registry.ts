/** Boards and workers as they come and go, and what operators say of them. */
import type { DeviceCommand, WorkerCommand } from '../machines/commands.ts';
import { Rejected } from '../machines/deciding.ts';
import type { DeviceState } from '../machines/device.ts';
import type { Health, WorkerEvent } from '../machines/events.ts';
import { workerStream } from '../machines/names.ts';
import { VOCABULARY } from '../machines/versions.ts';
import { isHeld, keepsWord, type WorkerState } from '../machines/worker.ts';
import type { Directory } from '../projections/directory.ts';
import type { BoardRegistration } from '../wire/server-port.ts';
import { CommandRefused } from './live-stream.ts';
import type { By, Commands } from './stream-commands.ts';
import { WORKER_LEASE_MS, type WorkerWatch } from './worker-watch.ts';

/** What else a worker says of itself: see the event `WorkerConnected`. */
export type WorkerFacts = Omit<
  Extract<WorkerEvent, { type: 'WorkerConnected' }>['data'],
  'boards' | 'until' | 'vocabulary'
>;

/** What it asks of its engine. */
export interface RegistryPort {
  now(): number;
  directory(): Directory;
  /** Resolves once the directory has taken in the log up to this position. */
  reached(position: number): Promise<void>;
  commands: Commands;
  workers: WorkerWatch;
  /** Whether other servers work on the log. */
  shared: boolean;
}

export class Registry {
  readonly #port: RegistryPort;

  constructor(port: RegistryPort) {
    this.#port = port;
  }

  /** Resolves with the board as it is once the directory knows of the change. */
  async change(device: string, command: DeviceCommand, by: By): Promise<DeviceState> {
    const { state, position } = await this.#port.commands.device(device, command, by);
    await this.#port.reached(position);
    return state;
  }

  /**
   * What an operator says of a board's health. A job that has the board keeps it to its end; `force`: its member
   * fails at once (SEMANTICS 4.7).
   */
  async setHealth(
    device: string,
    is: { to: Health; reason: string; force?: boolean },
    by: By,
  ): Promise<DeviceState> {
    const { to, reason, force = false } = is;
    const state = await this.change(device, { type: 'ChangeDeviceHealth', to, reason }, by);
    if (force && state.heldBy !== null) {
      const why = `${device} was taken from it, health ${to}: ${reason}`;
      await this.#takeFrom(state.heldBy, device, why, by);
    }
    return this.#device(device) ?? state;
  }

  /** A job that was about to have the board never gets it under this lease; one that has it loses its member. */
  async #takeFrom(
    { job, lease }: { job: number; lease: string },
    member: string,
    reason: string,
    by: By,
  ): Promise<void> {
    try {
      await this.#port.commands.job(job, { type: 'VoidAllocation', lease, reason }, by);
      await this.#port.commands.job(job, { type: 'FailMember', member, reason }, by);
    } catch (error) {
      // It has ended, or never had the board.
      if (!(error instanceof CommandRefused)) throw error;
    }
  }

  /**
   * A worker has these boards, whether it is here or not. Said again, it changes nothing.
   *
   * @throws CommandRefused `board-taken` when another worker that is here has one of the boards
   */
  async registerBoards(worker: string, boards: readonly BoardRegistration[]): Promise<void> {
    const by = { actor: `worker:${worker}`, of: workerStream(worker) };
    for (const { device } of boards) this.#assertNotTaken(device, worker);
    await Promise.all(boards.map((board) => this.#register(board, worker, by)));
  }

  /**
   * A worker of this server and its boards are here. Said again, it changes nothing.
   *
   * @throws CommandRefused as `registerBoards`
   */
  async connectWorker(
    worker: string,
    boards: readonly BoardRegistration[],
    is: WorkerFacts = {},
  ): Promise<void> {
    // One that cannot be here changes nothing of its boards, and one with a board of another's nothing of itself.
    for (const { device } of boards) this.#assertNotTaken(device, worker);
    if (is.line !== undefined) await this.#announce(worker, boards, is);
    await this.registerBoards(worker, boards);
    await this.#announce(worker, boards, is);
  }

  async #announce(
    worker: string,
    boards: readonly BoardRegistration[],
    is: WorkerFacts,
  ): Promise<void> {
    const by = { actor: `worker:${worker}`, of: workerStream(worker) };
    const connect = async () => {
      const { position } = await this.#port.commands.worker(
        worker,
        {
          type: 'ConnectWorker',
          boards: boards.map((b) => b.device),
          ...is,
          vocabulary: { reads: VOCABULARY, writes: this.#port.workers.vocabulary },
          ...(this.#port.shared && { until: this.#port.now() + WORKER_LEASE_MS }),
        },
        by,
      );
      return position;
    };
    await this.#port.reached(await connect());
    if (this.#port.shared || is.line !== undefined) this.#port.workers.keep(worker, connect);
  }

  /** Its line broke: nobody drives its boards now. Unless it comes back in time it is lost. */
  async disconnectWorker(worker: string, line: string, reason: string): Promise<void> {
    const { commands, now, reached, workers } = this.#port;
    const is = this.#port.directory().workers.get(worker)?.state;
    if (is?.line?.line !== line) return;
    workers.letGo(worker);
    const command = {
      type: 'DisconnectWorker',
      line,
      reason,
      until: now() + WORKER_LEASE_MS,
    } as const;
    await reached((await commands.worker(worker, command, { actor: 'engine:workers' })).position);
  }

  /** What an operator says of a worker. Resolves with it as it is once the directory knows of it. */
  async changeWorker(worker: string, command: WorkerCommand, by: By): Promise<WorkerState> {
    const { state, position } = await this.#port.commands.worker(worker, command, by);
    await this.#port.reached(position);
    return state;
  }

  /** Of a log that only this server works on: a worker without a line to it now is lost, or away if it may come back. */
  async loseWorkersBut(here: readonly string[], reason: string): Promise<void> {
    for (const [worker, { state }] of this.#port.directory().workers) {
      if (state.state !== 'connected' || here.includes(worker)) continue;
      if (state.line !== null && !this.#port.workers.isOwn(worker))
        await this.disconnectWorker(worker, state.line.line, reason);
      if (state.line !== null) continue;
      const by = { actor: 'engine:workers' };
      const done = await this.#port.commands.worker(worker, { type: 'LoseWorker', reason }, by);
      await this.#port.reached(done.position);
    }
  }

  /** The other servers that were ever on this log, with what their workers said of them last, and whether it holds. */
  otherServers(): { tokenKey: string; boardUrl: string; isHere: boolean }[] {
    return [...this.#port.directory().workers.entries()].flatMap(([name, { state }]) => {
      const { tokenKey, boardUrl } = state;
      if (tokenKey === null || boardUrl === null || this.#port.workers.isOwn(name)) return [];
      return [{ tokenKey, boardUrl, isHere: keepsWord(state, this.#port.now()) }];
    });
  }

  /** Two boards of one name cannot be told apart: the worker that is here keeps its own, and a job its board. */
  #assertNotTaken(device: string, worker: string): void {
    const is = this.#device(device);
    const owner = is?.worker;
    const state =
      owner === undefined ? undefined : this.#port.directory().workers.get(owner)?.state;
    if (owner === worker || state === undefined) return;
    if (!isHeld(state, this.#port.now(), this.#port.shared)) return;
    const job = is?.heldBy?.job;
    if (!state.boards.includes(device) && job === undefined) return;
    const why = state.boards.includes(device)
      ? `${device} is a board of worker ${owner}, which is here: give one of the two another name`
      : `${device} was a board of worker ${owner}, and job ${job} still has it there: come again when that has ended`;
    throw new CommandRefused(new Rejected('board-taken', why));
  }

  /** A board that was retired stays so, whatever the lab's file says. */
  async #register(board: BoardRegistration, worker: string, by: By): Promise<void> {
    const { device, deviceType, tags, driver, healthCheck } = board;
    if (this.#device(device)?.state === 'retired') return;
    const check = healthCheck === undefined ? {} : { healthCheck };
    const facts = { deviceType, tags: [...tags], worker, driver, ...check };
    await this.change(device, { type: 'RegisterDevice', ...facts }, by);
  }

  #device(device: string): DeviceState | undefined {
    return this.#port.directory().devices.get(device)?.state;
  }
}
