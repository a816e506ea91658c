/**
 * One worker's line (`wire/worker-frames.ts`): who is at its other end, whether it is alive, and the frames. What is asked on
 * it is asked of the same port as that of a dispatcher in this process, and what its boards say goes the same way as at the
 * boards' own door (`worker-questions.ts`).
 */
import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { BoardHands } from '../wire/board-hands.ts';
import type { LabChange } from '../wire/lab-change.ts';
import type { Question } from '../wire/worker-frames.ts';
import {
  type ByeCode,
  commonFrames,
  FRAMES,
  type FromServer,
  FromWorker,
  type Hello,
  NotAFrame,
  PING_MS,
  readFrame,
  SILENCE_MS_MAX,
} from '../wire/worker-frames.ts';
import { BoardOrders } from './board-orders.ts';
import { LabReloads } from './lab-reloads.ts';
import type { BoardParts } from './parts.ts';
import { workerOfToken } from './worker-parts.ts';
import { notOf, type QuestionParts, WorkerQuestions } from './worker-questions.ts';

/** Open questions of one line: every board of a large lab waits, and some. */
const OPEN_MAX = 16_384;
/** Answers that a slow worker has not taken: above it nothing more of it is read until it has. */
const UNSENT_BYTES_PAUSE = 1024 * 1024;
/** Above this it is cut off: what it asked is asked again. */
const UNSENT_BYTES_MAX = 128 * 1024 * 1024;
/** For the last frame to go out. */
const CLOSE_MS_MAX = 2_000;

/** What one line is given. */
export interface WorkerLineParts extends QuestionParts {
  log: BoardParts['log'];
  /** The line that a worker has here now. */
  lineOf(worker: string): WorkerLineName | undefined;
  opened(line: WorkerLineName): void;
  closed(line: WorkerLineName, why: string): void;
}

/** A line as the other lines and the door know it. */
export interface WorkerLineName {
  readonly id: string;
  readonly worker: string | undefined;
  readonly instance: string | undefined;
  replaced(): void;
  /** Its boards, for operators. */
  readonly hands: BoardHands;
  /** It reads its lab's file again. @throws ApiProblem */
  reloadLab(): Promise<LabChange>;
  bye(code: ByeCode, reason: string): Promise<void>;
}

export class WorkerLine implements WorkerLineName {
  /** Another one for each line. */
  readonly id = randomUUID();
  readonly #socket: WebSocket;
  readonly #parts: WorkerLineParts;
  readonly #alive: NodeJS.Timeout;
  #worker: string | undefined;
  #instance: string | undefined;
  #questions: WorkerQuestions | undefined;
  #heardAt = performance.now();
  readonly #reloads = new LabReloads();
  readonly hands = new BoardOrders((board) => this.#say({ board }));
  /** Numbers of questions that have no answer yet. */
  readonly #open = new Set<number>();
  #outgoing: FromServer[] = [];
  #endedBecause = 'its line broke';

  constructor(socket: WebSocket, parts: WorkerLineParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#alive = setInterval(() => this.#checkAlive(), parts.pingMs ?? PING_MS);
    socket.on('message', (frame: Buffer, isBinary) => this.#read(frame, isBinary));
    const heard = () => {
      this.#heardAt = performance.now();
    };
    socket.on('pong', heard).on('ping', heard);
    // A frame that is too large or none at all: ws says why in its close code, and closes.
    socket.on('error', () => {});
    socket.on('close', () => this.#closed());
  }

  get worker(): string | undefined {
    return this.#worker;
  }

  get instance(): string | undefined {
    return this.#instance;
  }

  /** Says why, and closes. */
  async bye(code: ByeCode, reason: string): Promise<void> {
    this.#endedBecause = reason;
    this.#say({ bye: { code, reason } });
    this.#flush();
    await new Promise<void>((resolve) => {
      if (this.#socket.readyState === this.#socket.CLOSED) return resolve();
      const timer = setTimeout(() => this.#socket.terminate(), CLOSE_MS_MAX);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#socket.close(1000, code);
    });
  }

  reloadLab(): Promise<LabChange> {
    return this.#reloads.ask(this.#worker ?? '', (reload) => this.#say({ reload }));
  }

  /** The same worker has another line now. */
  replaced(): void {
    this.#endedBecause = 'it has another line';
    this.#socket.terminate();
    this.#closed();
  }

  #checkAlive(): void {
    const silentMs = performance.now() - this.#heardAt;
    if (silentMs > (this.#parts.pingMs ?? PING_MS) * (SILENCE_MS_MAX / PING_MS)) {
      this.#endedBecause = `nothing was heard of it for ${Math.round(silentMs / 1000)} s`;
      this.#socket.terminate();
    } else this.#socket.ping();
  }

  #closed(): void {
    clearInterval(this.#alive);
    this.#questions?.end();
    this.#reloads.end(this.#worker ?? '');
    this.hands.end(this.#worker ?? '');
    this.#parts.closed(this, this.#endedBecause);
  }

  #read(frame: Buffer, isBinary: boolean): void {
    this.#heardAt = performance.now();
    try {
      if (isBinary) throw new NotAFrame('it is binary, and not JSON text');
      for (const message of readFrame(frame.toString('utf8'), FromWorker)) this.#take(message);
    } catch (error) {
      if (!(error instanceof NotAFrame)) throw error;
      this.#parts.log.warn({ worker: this.#worker }, `a frame of a worker: ${error.message}`);
      void this.bye('frame', `this server cannot read a frame of it: ${error.message}`);
    }
  }

  #take(message: FromWorker): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if ('hello' in message) this.#greet(message.hello);
    else if (this.#questions === undefined) throw new NotAFrame('the first one is no hello');
    else if ('gone' in message) this.#questions.gone(message.gone);
    else if (this.#open.has(message.n))
      throw new NotAFrame(`question ${message.n} is open already`);
    else if (this.#open.size >= OPEN_MAX)
      this.#say({
        n: message.n,
        not: { code: 'busy', reason: `${OPEN_MAX} are open`, again: true },
      });
    else void this.#answer(this.#questions, message);
  }

  #greet(hello: Hello): void {
    if (this.#worker !== undefined) throw new NotAFrame('a second hello');
    const { version } = this.#parts;
    const frames = commonFrames(hello.frames);
    if (frames === undefined) {
      const theirs = `${hello.frames.first} to ${hello.frames.last}`;
      const isOlder = hello.frames.last < FRAMES.first;
      const todo = isOlder ? 'upgrade the worker' : 'upgrade the servers first';
      void this.bye(
        'version',
        `the worker (Muster ${hello.version}) speaks frames ${theirs}, this server (${version}) ${FRAMES.first} to ${FRAMES.last}: ${todo}`,
      );
      return;
    }
    const worker = workerOfToken(this.#parts.engine, hello.token);
    if (typeof worker !== 'string') {
      void this.bye('token-refused', worker.refused);
      return;
    }
    const other = this.#parts.lineOf(worker);
    if (other !== undefined && other.instance !== hello.instance) {
      void this.bye(
        'worker-here',
        `a worker called ${worker} has a line already: give one of the two another name`,
      );
      return;
    }
    other?.replaced();
    this.#worker = worker;
    this.#instance = hello.instance;
    this.#questions = new WorkerQuestions(this.#parts, {
      ...{ id: this.id, hello, worker, hands: this.hands, reloads: this.#reloads },
      changed: () => this.#changed(),
      brokeMeanwhile: () => this.#parts.closed(this, this.#endedBecause),
    });
    this.#parts.opened(this);
    this.#say({ welcome: { frames, worker, version } });
  }

  async #answer(questions: WorkerQuestions, question: Question): Promise<void> {
    const { n, ask } = question;
    this.#open.add(n);
    try {
      const ok = await questions.answer(question);
      if (ok !== undefined) this.#say({ n, ok });
    } catch (error) {
      const not = notOf(error);
      if (not.code === 'internal')
        this.#parts.log.error({ err: error, ask }, 'a question of a worker failed');
      if (not.code === 'worker-here') await this.bye('worker-here', not.reason);
      else this.#say({ n, not });
    } finally {
      this.#open.delete(n);
    }
  }

  #changed(): void {
    if (!this.#outgoing.some((message) => 'changed' in message)) this.#say({ changed: true });
  }

  #say(message: FromServer): void {
    // After the microtasks of this turn: all that one commit answers goes out in one frame.
    if (this.#outgoing.length === 0) setImmediate(() => this.#flush());
    this.#outgoing.push(message);
  }

  #flush(): void {
    const messages = this.#outgoing.splice(0);
    const socket = this.#socket;
    if (messages.length === 0 || socket.readyState !== socket.OPEN) return;
    socket.send(JSON.stringify(messages), () => {
      if (socket.isPaused && socket.bufferedAmount < UNSENT_BYTES_PAUSE) socket.resume();
    });
    if (socket.bufferedAmount > UNSENT_BYTES_MAX) socket.terminate();
    else if (socket.bufferedAmount > UNSENT_BYTES_PAUSE) socket.pause();
  }
}
