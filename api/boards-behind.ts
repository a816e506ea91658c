/**
 * The boards behind a worker, as they ask over its line: answered as at the boards' own door. When the line breaks, what
 * they wait for goes on: they cannot come back before their worker does, and from then on have as long as any other
 * board (SEMANTICS 2.4, "Coming back").
 */
import type { FastifyInstance } from 'fastify';
import { type BoardReply, bodyOf, bytesOf, type Question } from '../wire/worker-frames.ts';
import { troubleTeller } from './board-trouble.ts';
import { isVerb, runVerb, verbOf } from './board-verbs.ts';
import { answerText, readWordLines, WORDS_CONTENT_TYPE } from './board-words.ts';
import { httpServer } from './http-server.ts';
import { HELD_MS_MAX, type OpenRequest, openRequest } from './open-requests.ts';
import type { BoardParts } from './parts.ts';
import { boardRoutes } from './routes/board.ts';
import type { WorkerParts } from './worker-parts.ts';

/** `heldMsMax`: how long a wait is held at most. */
export type BehindParts = BoardParts & {
  worker: Pick<WorkerParts, 'memberToken'>;
  heldMsMax?: number;
};

export type BoardQuestion = Extract<Question, { ask: 'board' }>;

const SHELL_VERB = /^\/board\/v1\/([a-z-]+)$/;

export class BoardsBehind {
  readonly #parts: BehindParts;
  readonly #trouble = troubleTeller();
  readonly #open = new Map<number, OpenRequest>();
  readonly #cutOff = new Set<OpenRequest>();
  /** How the console of each member stood when it spoke last. */
  readonly #said = new Map<string, Pick<BoardQuestion, 'console' | 'set'>>();
  readonly #boardParts: BoardParts;
  #app: Promise<FastifyInstance> | undefined;

  constructor(parts: BehindParts) {
    this.#parts = parts;
    this.#boardParts = {
      ...parts,
      consoleSize: (job, device) => this.#said.get(`${job} ${device}`)?.console ?? 0,
      openSet: async (job, device) => {
        const { open, opened } = this.#said.get(`${job} ${device}`)?.set ?? {};
        return { ...(open !== undefined && { open }), ...(opened !== undefined && { opened }) };
      },
    };
  }

  /** `undefined`: the board is gone. Up to its first `await` it is in the order of the line. */
  ask(question: BoardQuestion): Promise<BoardReply | undefined> {
    const { job, device, console, set, method, type = '', url } = question;
    this.#said.set(`${job} ${device}`, { console, set });
    const verb = SHELL_VERB.exec(url)?.[1];
    const isPlain = method === 'POST' && type.startsWith(WORDS_CONTENT_TYPE);
    if (isPlain && verb !== undefined && isVerb(verb)) return this.#run(verb, question);
    return this.#inject(question);
  }

  /** The board of this question does not wait any more. */
  gone(n: number): void {
    this.#open.get(n)?.end('gone');
  }

  /** The line broke. */
  cutOff(): void {
    for (const held of this.#open.values()) {
      held.close();
      this.#cutOff.add(held);
    }
    this.#open.clear();
    this.#said.clear();
  }

  /** There is a line again. */
  back(): void {
    for (const held of this.#cutOff) held.end('gone');
    this.#cutOff.clear();
  }

  async #run(verb: string, question: BoardQuestion): Promise<BoardReply | undefined> {
    const { n, job, device, key, from, body } = question;
    let held: OpenRequest | undefined;
    const hold = () => {
      held ??= openRequest(this.#parts.heldMsMax ?? HELD_MS_MAX);
      this.#open.set(n, held);
      return held.signal;
    };
    let text: string;
    try {
      const words = readWordLines(bytesOf(body));
      const member = { job, device };
      text = answerText(
        words === undefined
          ? { status: 'refused', reason: 'the words are not UTF-8' }
          : await runVerb(this.#boardParts, verbOf(verb), { member, words, key, from, hold }),
      );
    } catch (error) {
      const log = () => this.#parts.log.error({ err: error, verb }, 'request of a line failed');
      text = answerText(this.#trouble(error, log));
    }
    held?.close();
    if (held !== undefined && this.#open.get(n) === held) this.#open.delete(n);
    if (held !== undefined) this.#cutOff.delete(held);
    if (held?.ending() === 'gone') return undefined;
    return { status: 200, type: 'text/plain; charset=utf-8', body: bodyOf(Buffer.from(text)) };
  }

  /** What is no plain verb: JSON, a question by GET, a file. */
  async #inject(question: BoardQuestion): Promise<BoardReply> {
    const { job, device, method, url, type, key, from, body } = question;
    this.#app ??= appOf(this.#boardParts);
    const payload = bytesOf(body);
    const answer = await (await this.#app).inject({
      method: method as 'GET',
      url,
      headers: {
        host: 'worker',
        authorization: `Bearer ${this.#parts.worker.memberToken(job, device)}`,
        ...(type !== undefined && { 'content-type': type }),
        ...(key !== undefined && { 'muster-key': key }),
        ...(from !== undefined && { 'muster-from': from }),
      },
      ...(payload.length > 0 && { payload }),
    });
    const { 'content-type': said } = answer.headers;
    return {
      status: answer.statusCode,
      type: typeof said === 'string' ? said : 'text/plain',
      body: bodyOf(answer.rawPayload),
    };
  }

  async stop(): Promise<void> {
    await (await this.#app)?.close();
  }
}

async function appOf(parts: BoardParts): Promise<FastifyInstance> {
  const app = httpServer(parts.log);
  await app.register(boardRoutes, parts);
  await app.ready();
  return app;
}
