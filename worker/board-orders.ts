/** What servers want of this worker's boards for operators, over the line; a console ends with the line that it is on. */
import { messageOf } from '../dispatcher/failure.ts';
import { type BoardEnd, type BoardHands, HandsRefused } from '../wire/board-hands.ts';
import { type BoardOrder, bodyOf, bytesOf } from '../wire/worker-frames.ts';
import type { Line } from './line.ts';

export interface BoardOrdersOptions {
  line: Pick<Line, 'ask' | 'down'>;
  /** `undefined`: the worker is starting. */
  hands(): BoardHands | undefined;
}

export class BoardOrders {
  readonly #is: BoardOrdersOptions;
  /** By the console's name. */
  readonly #open = new Map<string, BoardEnd>();
  readonly #stopping = new AbortController();

  constructor(is: BoardOrdersOptions) {
    this.#is = is;
  }

  /** Does it, and says what became of it. */
  async take(order: BoardOrder): Promise<void> {
    const refused = await this.#do(order).then(
      () => undefined,
      (error: unknown) =>
        error instanceof HandsRefused
          ? { code: error.code, reason: error.message }
          : { code: 'console-failed' as const, reason: messageOf(error) },
    );
    const said = { order: order.order, ...(refused !== undefined && { refused }) };
    // Without a line there is nobody to be told.
    await this.#is.line.ask('ordered', said).catch(() => undefined);
  }

  async #do(order: BoardOrder): Promise<void> {
    const hands = this.#is.hands();
    if (hands === undefined) throw new HandsRefused('worker-away', 'the worker is starting');
    switch (order.do) {
      case 'power':
        return hands.power(order.device, order.power, this.#stopping.signal);
      case 'open-console':
        return this.#openConsole(hands, order);
      case 'type':
        return this.#open.get(order.console)?.type(bytesOf(order.body));
      case 'leave':
        return this.#open.get(order.console)?.leave();
    }
  }

  async #openConsole(
    hands: BoardHands,
    { device, user, console }: Extract<BoardOrder, { do: 'open-console' }>,
  ): Promise<void> {
    const { line } = this.#is;
    const over = new AbortController();
    const end = await hands.openConsole(device, user, {
      // Of a console that is over nothing more is to be said, on no line.
      printed: async (bytes) => {
        await line.ask('printed', { console, body: bodyOf(bytes) }, over.signal);
      },
      ended: (reason) => {
        over.abort();
        this.#open.delete(console);
        void line.ask('console-over', { console, reason }).catch(() => undefined);
      },
    });
    this.#open.set(console, end);
    void line.down().then(() => end.leave());
  }

  stop(): void {
    this.#stopping.abort();
  }
}
