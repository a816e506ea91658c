/**
 * Operators at the consoles of boards that no job has, one a board: the board is offline meanwhile, all that it prints is
 * recorded, and however it ends the board is given back.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import type { BoardEnd } from '../wire/board-hands.ts';
import { type HandsOf, problemOfHands } from './hands.ts';
import type { By } from './orders.ts';
import type { ApiEngine } from './parts.ts';
import { ApiProblem, stopping } from './problems.ts';
import type { Session, SessionRecord, SessionRecords } from './session-records.ts';

const AGAIN_MS = 1_000;
/** For a stop to end what is open. */
const STOP_MS_MAX = 5_000;

/** The operator's client. */
export interface OperatorClient {
  /** Resolves when there is room for more. */
  printed(bytes: Uint8Array): Promise<void>;
  /** It is over, and the board is given back. */
  ended(reason: string): void;
}

export interface OperatorConsole {
  readonly session: Session;
  type(bytes: Uint8Array): Promise<void>;
  /** Resolves when the board is given back. */
  leave(): Promise<void>;
}

export interface OperatorConsolesOptions {
  engine: Pick<ApiEngine, 'device' | 'setOffline' | 'setOnline' | 'now'>;
  handsOf: HandsOf;
  records: SessionRecords;
  log: FastifyBaseLogger;
}

interface Open {
  user: string;
  finished: Promise<void>;
  leave?: () => Promise<void>;
  print?: (bytes: Uint8Array) => Promise<void>;
}

export class OperatorConsoles {
  readonly #is: OperatorConsolesOptions;
  /** By device. */
  readonly #open = new Map<string, Open>();
  readonly #stopping = new AbortController();

  constructor(is: OperatorConsolesOptions) {
    this.#is = is;
  }

  /** @throws ApiProblem; nothing has changed then */
  async open(
    device: string,
    user: string,
    client: OperatorClient,
    by: By,
  ): Promise<OperatorConsole> {
    if (this.#stopping.signal.aborted) throw stopping();
    const known = this.#open.get(device);
    if (known !== undefined)
      throw new ApiProblem('console-taken', `${known.user} has the console of ${device}`);
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = () => {
        this.#open.delete(device);
        resolve();
      };
    });
    const open: Open = { user, finished };
    this.#open.set(device, open);
    try {
      return await this.#begin(device, open, client, { by, finish });
    } catch (error) {
      finish();
      throw problemOfHands(error);
    }
  }

  async #begin(
    device: string,
    open: Open,
    client: OperatorClient,
    { by, finish }: { by: By; finish(): void },
  ): Promise<OperatorConsole> {
    const { engine, handsOf, records } = this.#is;
    const hands = handsOf(device);
    const offline = `console of ${open.user}`;
    const is = engine.device(device);
    const isInUse = is?.state === 'idle' && is.offline === null;
    const record = await records.begin({
      ...{ device, user: open.user, startedAt: engine.now() },
      ...(isInUse && { offline }),
    });
    let ending: Promise<void> | undefined;
    const end = (reason: string) => {
      ending ??= this.#end(record, reason, by);
      return ending;
    };
    // What the board prints first may come before whoever opened it hears that it is open.
    let said: (() => void) | undefined;
    const opened = new Promise<void>((resolve) => {
      said = resolve;
    });
    const print = async (bytes: Uint8Array) => {
      await record.append(bytes);
      await opened;
      await client.printed(bytes);
    };
    let board: BoardEnd | undefined;
    try {
      if (isInUse) await engine.setOffline(device, offline, by);
      // Out of the queue no job gets it any more; one may just have.
      handsOf(device);
      board = await hands.openConsole(device, open.user, {
        printed: (bytes) =>
          print(bytes).catch((error: unknown) => this.#cannotRecord(open, client, error)),
        ended: (reason) =>
          void end(reason).then(() => {
            finish();
            client.ended(reason);
          }),
      });
    } catch (error) {
      await end('it was not opened');
      throw error;
    }
    const { type, leave } = board;
    open.leave = async () => {
      await leave();
      await open.finished;
    };
    open.print = print;
    said?.();
    return { session: record.session, type, leave: open.leave };
  }

  /** What cannot be recorded is not to be typed. */
  async #cannotRecord(open: Open, client: OperatorClient, error: unknown): Promise<void> {
    this.#is.log.error({ err: error }, 'a console of an operator cannot be recorded: it ends');
    const why = '\r\nmuster: this console cannot be recorded any more, and ends\r\n';
    await client.printed(Buffer.from(why)).catch(() => undefined);
    void open.leave?.();
  }

  /** Gives the board back, unless somebody said something else of it meanwhile. */
  async #end({ session, end }: SessionRecord, reason: string, by: By): Promise<void> {
    const { engine, log } = this.#is;
    while (true)
      try {
        await giveBack(engine, session, by);
        await end(engine.now(), reason);
        return;
      } catch (error) {
        const { device } = session;
        log.error({ device, err: error }, 'a board could not be given back; it is tried again');
        if (this.#stopping.signal.aborted) return;
        await delay(AGAIN_MS);
      }
  }

  /** A line of ours on a console that is open. */
  async note(device: string, text: string): Promise<void> {
    await this.#open.get(device)?.print?.(Buffer.from(`\r\nmuster: ${text}\r\n`));
  }

  /** Ends all that are open; one that does not end in time is given back by the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const ends = [...this.#open.values()].map(async ({ leave, finished }) => {
      void leave?.();
      await finished;
    });
    const late = new AbortController();
    const limit = delay(STOP_MS_MAX, undefined, { signal: late.signal }).catch(() => undefined);
    await Promise.race([Promise.all(ends), limit]);
    late.abort();
  }
}

async function giveBack(
  engine: Pick<ApiEngine, 'device' | 'setOnline'>,
  { device, offline }: Session,
  by: By,
): Promise<void> {
  if (offline !== undefined && engine.device(device)?.offline === offline)
    await engine.setOnline(device, by);
}

/** Gives back the boards that a server was killed with: at the next start on its folder. */
export async function giveBackLeft(
  records: SessionRecords,
  engine: Pick<ApiEngine, 'device' | 'setOnline' | 'now'>,
): Promise<void> {
  for (const session of await records.open()) {
    await giveBack(engine, session, { actor: 'engine:consoles' });
    await records.endLeft(session, engine.now(), 'the server was killed');
  }
}
