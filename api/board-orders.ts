/** A worker's boards in the hands of an operator of this server: ordered over its line, one name an order. */
import { randomUUID } from 'node:crypto';
import type { Power } from '../machines/events.ts';
import {
  type BoardEnd,
  type BoardHands,
  HandsRefused,
  type HandsTrouble,
  type OperatorEnd,
} from '../wire/board-hands.ts';
import { type BoardOrder, bodyOf, bytesOf, type Question } from '../wire/worker-frames.ts';

type Asked = { done(): void; refuse(why: HandsTrouble): void };
type Order = BoardOrder extends infer O ? (O extends BoardOrder ? Omit<O, 'order'> : never) : never;

export class BoardOrders implements BoardHands {
  readonly #say: (order: BoardOrder) => void;
  readonly #asked = new Map<string, Asked>();
  /** By the console's name. */
  readonly #consoles = new Map<string, OperatorEnd>();
  /** Why there is no line any more. */
  #over: HandsTrouble | undefined;

  constructor(say: (order: BoardOrder) => void) {
    this.#say = say;
  }

  async power(device: string, power: Power, signal: AbortSignal): Promise<void> {
    await this.#order({ do: 'power', device, power }, signal);
  }

  async openConsole(device: string, user: string, operator: OperatorEnd): Promise<BoardEnd> {
    const console = randomUUID();
    this.#consoles.set(console, operator);
    try {
      await this.#order({ do: 'open-console', device, console, user });
    } catch (error) {
      this.#consoles.delete(console);
      throw error;
    }
    const order = (is: Order) => this.#order(is).catch(() => undefined);
    return {
      type: (bytes) => order({ do: 'type', console, body: bodyOf(bytes) }),
      leave: () => order({ do: 'leave', console }),
    };
  }

  async #order(is: Order, signal?: AbortSignal): Promise<void> {
    const order = randomUUID();
    try {
      await new Promise<void>((done, refuse) => {
        const refused = ({ code, reason }: HandsTrouble) => refuse(new HandsRefused(code, reason));
        if (this.#over !== undefined) return refused(this.#over);
        this.#asked.set(order, { done, refuse: refused });
        signal?.addEventListener('abort', () => refused(STOPPING), { once: true });
        this.#say({ ...is, order });
      });
    } finally {
      this.#asked.delete(order);
    }
  }

  /** What the worker says of an order; of one that nobody waits for, nothing. */
  ordered({ order, refused }: Extract<Question, { ask: 'ordered' }>): void {
    const asked = this.#asked.get(order);
    if (refused === undefined) asked?.done();
    else asked?.refuse(refused);
  }

  /** Resolves when there is room for more. */
  async printed({ console, body }: Extract<Question, { ask: 'printed' }>): Promise<void> {
    await this.#consoles.get(console)?.printed(bytesOf(body));
  }

  consoleOver({ console, reason }: Extract<Question, { ask: 'console-over' }>): void {
    this.#consoles.get(console)?.ended(reason);
    this.#consoles.delete(console);
  }

  /** The line ended. */
  end(worker: string): void {
    const reason = `the line of worker ${worker} broke`;
    this.#over ??= { code: 'worker-away', reason: `${reason}: it may be done, or not` };
    for (const { refuse } of this.#asked.values()) refuse(this.#over);
    for (const operator of this.#consoles.values()) operator.ended(reason);
    this.#consoles.clear();
  }
}

const STOPPING: HandsTrouble = {
  code: 'worker-away',
  reason: 'the server stopped meanwhile: it may be done, or not',
};
