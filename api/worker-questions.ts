/**
 * What a worker asks over its line, each question with its answer. A worker asks for its own boards alone: whatever is asked
 * of another's is refused.
 */
import type { ServerPort } from '../wire/server-port.ts';
import type { BoardReply, Not, Question } from '../wire/worker-frames.ts';
import { type Answer, type Ask, bytesOf, type Hello } from '../wire/worker-frames.ts';
import type { BoardOrders } from './board-orders.ts';
import type { BoardsBehind } from './boards-behind.ts';
import type { LabReloads } from './lab-reloads.ts';
import { problemOf } from './problems.ts';
import type { WorkerParts } from './worker-parts.ts';

/** What the questions of a line need beside its worker. */
export interface QuestionParts extends WorkerParts {
  /** @throws ApiProblem when the content is not what its digest says */
  keep(digest: string, content: Uint8Array): Promise<void>;
  isMember(job: number, device: string): Promise<boolean>;
  /** The boards behind a worker that has its line again. */
  boardsBehind(worker: string): Pick<BoardsBehind, 'ask' | 'gone' | 'cutOff'>;
}

/** The line on which they are asked. */
export interface AskedOn {
  readonly id: string;
  readonly hello: Hello;
  readonly worker: string;
  readonly hands: BoardOrders;
  readonly reloads: LabReloads;
  /** What is owed may have changed. */
  changed(): void;
  /** It broke while its worker registered: what was recorded then came before the registration. */
  brokeMeanwhile(): void;
}

/** What a worker hears for a question that has no answer. */
class Refused extends Error {
  readonly not: Not;
  constructor(code: string, reason: string) {
    super(reason);
    this.not = { code, reason, again: false };
  }
}

export class WorkerQuestions {
  readonly #parts: QuestionParts;
  readonly #line: AskedOn;
  readonly #port: ServerPort;
  #boards: ReturnType<QuestionParts['boardsBehind']> | undefined;
  #unsubscribe: (() => void) | undefined;
  #hasEnded = false;

  constructor(parts: QuestionParts, line: AskedOn) {
    this.#parts = parts;
    this.#line = line;
    this.#port = parts.port(line.worker, this.#facts());
  }

  /** Nobody waits for the answer of this one any more. */
  gone(n: number): void {
    this.#boards?.gone(n);
  }

  /** The line ended. */
  end(): void {
    this.#hasEnded = true;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#boards?.cutOff();
    this.#boards = undefined;
  }

  /** `undefined`: nobody is there to hear it. */
  async answer(question: Question): Promise<Answer<Ask> | undefined> {
    const { hands, reloads } = this.#line;
    switch (question.ask) {
      case 'register':
        return this.#register(question);
      case 'owed': {
        const owed = await this.#port.owed();
        const groups = new Map(owed.map(({ job, group }) => [job, group]));
        return {
          owed: owed.map(({ group: _, ...rest }) => rest),
          groups: [...groups].map(([job, group]) => ({ job, group })),
        };
      }
      case 'ended': {
        this.#assertOwn(question.device);
        const ended = await this.#port.ended(question.job, question.device);
        return ended === undefined ? {} : { ended };
      }
      case 'report':
        return this.#report(question);
      case 'missing':
        return { digests: await this.#parts.missing(question.digests) };
      case 'keep':
        await this.#parts.keep(question.digest, bytesOf(question.body));
        return {};
      case 'board':
        return this.#board(question);
      case 'console':
        return this.#console(question);
      case 'console-end':
        this.#assertOwn(question.device);
        return { size: await this.#parts.consoles.end(question.job, question.device) };
      case 'reloaded':
        reloads.answer(question);
        return {};
      case 'ordered':
        hands.ordered(question);
        return {};
      case 'printed':
        await hands.printed(question);
        return {};
      case 'console-over':
        hands.consoleOver(question);
        return {};
    }
  }

  #facts() {
    const { id, hello } = this.#line;
    return { line: { line: id, instance: hello.instance, version: hello.version } };
  }

  async #register({
    boards,
    jobLimit,
  }: Extract<Question, { ask: 'register' }>): Promise<Answer<'register'>> {
    const { worker } = this.#line;
    const limit = jobLimit === undefined ? {} : { jobLimit };
    const port = this.#parts.port(worker, { ...this.#facts(), ...limit });
    await port.register(boards);
    if (this.#hasEnded) {
      this.#line.brokeMeanwhile();
      return {};
    }
    // Only now: whoever waited on the line before has no other way back.
    this.#boards ??= this.#parts.boardsBehind(worker);
    this.#unsubscribe ??= port.onChange(() => this.#line.changed());
    return {};
  }

  async #report({ job, command, key, console }: Extract<Question, { ask: 'report' }>) {
    this.#assertOwn(command.member);
    await this.#port.report(job, command, { key, ...(console !== undefined && { console }) });
    return {};
  }

  async #board(question: Extract<Question, { ask: 'board' }>): Promise<BoardReply | undefined> {
    this.#assertOwn(question.device);
    if (this.#boards === undefined) throw new Refused('no-such-worker', 'it has not registered');
    return this.#boards.ask(question);
  }

  async #console({ job, device, at, body, times, clock }: Extract<Question, { ask: 'console' }>) {
    this.#assertOwn(device);
    if (!(await this.#parts.isMember(job, device)))
      throw new Refused('no-such-member', `${device} is no member of job ${job}`);
    const ahead = this.#parts.engine.now() - clock;
    const came = times.map(([offset, ms]) => [offset, ms + ahead] as const);
    return { size: await this.#parts.consoles.append({ job, device }, at, bytesOf(body), came) };
  }

  #assertOwn(device: string): void {
    if (this.#parts.engine.device(device)?.worker !== this.#line.worker)
      throw new Refused('no-such-member', `${device} is no board of worker ${this.#line.worker}`);
  }
}

/** Why a question has no answer. */
export function notOf(error: unknown): Not {
  if (error instanceof Refused) return error.not;
  const { code, message: reason } = problemOf(error);
  const again = code === 'internal' || code === 'store-unavailable' || code === 'stopping';
  return { code, reason, again };
}
