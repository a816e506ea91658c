/** The door of the workers on other machines: `GET /worker/v1/connect` as a WebSocket, one line a worker. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import { memberOf } from '../../machines/job/job.ts';
import type { BoardHands } from '../../wire/board-hands.ts';
import type { LabChange } from '../../wire/lab-change.ts';
import { WORKER_FRAME_BYTES_MAX } from '../../wire/worker-frames.ts';
import { type BehindParts, BoardsBehind } from '../boards-behind.ts';
import { ApiProblem, stopping } from '../problems.ts';
import { refuse } from '../refusals.ts';
import { WorkerLine, type WorkerLineName } from '../worker-line.ts';
import type { WorkerParts } from '../worker-parts.ts';

export const WORKER_PATH = '/worker/v1/connect';

type WorkerDoorParts = BehindParts & { worker: WorkerParts };

export class WorkerDoor {
  readonly #parts: WorkerDoorParts;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: WORKER_FRAME_BYTES_MAX });
  readonly #open = new Set<WorkerLineName>();
  /** By worker. */
  readonly #lines = new Map<string, WorkerLineName>();
  /** By worker: also while it has no line. */
  readonly #behind = new Map<string, BoardsBehind>();
  /** What is being written of lines that ended. */
  readonly #leaving = new Set<Promise<void>>();
  #isStopping = false;

  constructor(app: FastifyInstance, parts: WorkerDoorParts) {
    this.#parts = parts;
    this.#sockets.on('wsClientError', ({ message }, socket) =>
      refuse(socket, new ApiProblem('invalid-request', message)),
    );
    app.addHook('preClose', () => this.#stop());
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#isStopping) refuse(socket, stopping());
    else this.#sockets.handleUpgrade(request, socket, head, (opened) => this.#take(opened));
  }

  /** Ends the line of a worker whose token is worth nothing any more. */
  async end(worker: string, reason: string): Promise<void> {
    await this.#lines.get(worker)?.bye('token-refused', reason);
  }

  /** A worker with a line here reads its lab's file again. @throws ApiProblem */
  async reloadLab(worker: string): Promise<LabChange> {
    return this.#lineOf(worker).reloadLab();
  }

  /** The boards of a worker with a line here, for operators. @throws ApiProblem */
  hands(worker: string): BoardHands {
    return this.#lineOf(worker).hands;
  }

  #lineOf(worker: string): WorkerLineName {
    const line = this.#lines.get(worker);
    if (line !== undefined) return line;
    const is = this.#parts.worker.engine.worker(worker);
    if (is === undefined) throw new ApiProblem('no-such-worker', `there is no worker ${worker}`);
    const why = `worker ${worker} has no line to this server (it is ${is.state})`;
    throw new ApiProblem('worker-away', why);
  }

  #take(socket: WebSocket): void {
    const { worker, engine } = this.#parts;
    const line = new WorkerLine(socket, {
      ...worker,
      log: this.#parts.log,
      keep: (digest, content) => this.#keep(digest, content),
      isMember: async (id, device) => {
        const job = await engine.job(id);
        return job !== undefined && memberOf(job, device) !== undefined;
      },
      lineOf: (name) => this.#lines.get(name),
      opened: (opened) => this.#lines.set(opened.worker ?? '', opened),
      closed: (closed, why) => this.#closed(closed, why),
      boardsBehind: (name) => this.#boardsBehind(name),
    });
    this.#open.add(line);
  }

  async #keep(digest: string, content: Uint8Array): Promise<void> {
    const kept = await this.#parts.attachments.put(only(content), content.length);
    if (kept === 'too-large' || kept.digest !== digest)
      throw new ApiProblem('invalid-request', `the content is not what its digest ${digest} says`);
  }

  #boardsBehind(worker: string): BoardsBehind {
    const behind = this.#behind.get(worker) ?? new BoardsBehind(this.#parts);
    this.#behind.set(worker, behind);
    behind.back();
    return behind;
  }

  #closed(line: WorkerLineName, why: string): void {
    this.#open.delete(line);
    const { worker } = line;
    if (worker === undefined) return;
    if (this.#lines.get(worker) === line) this.#lines.delete(worker);
    const { engine } = this.#parts.worker;
    const leaving = engine
      .disconnectWorker(worker, line.id, why)
      .catch((error: unknown) =>
        this.#parts.log.error({ err: error, worker }, 'that a worker is away could not be written'),
      )
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  async #stop(): Promise<void> {
    // A worker that is told so comes back at once.
    this.#isStopping = true;
    const open = [...this.#open];
    await Promise.all(open.map((line) => line.bye('stopping', 'the server is stopping')));
    await Promise.all(this.#leaving);
    await Promise.all([...this.#behind.values()].map((behind) => behind.stop()));
  }
}

async function* only<T>(one: T): AsyncGenerator<T, void> {
  yield one;
}
