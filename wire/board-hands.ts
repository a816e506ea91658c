/**
 * What an operator does with a board that no job has: its power, its console. Whoever drives the board does it, in the
 * server's process or at the far end of a worker's line.
 */
import { z } from 'zod';
import type { Power } from '../machines/events.ts';

/** Why it was not done. */
export const HandsTrouble = z.strictObject({
  code: z.enum([
    /** A job has the board. */
    'not-idle',
    /** Somebody else has its console. */
    'console-taken',
    /** Boards of its kind cannot do it. */
    'not-possible',
    /** It was tried: the power may be on or off now. */
    'power-failed',
    'console-failed',
    /** Nobody who drives the board can be asked; what was under way may be done or not. */
    'worker-away',
  ]),
  reason: z.string(),
});
export type HandsTrouble = z.infer<typeof HandsTrouble>;

export class HandsRefused extends Error {
  override readonly name = 'HandsRefused';
  readonly code: HandsTrouble['code'];
  constructor(code: HandsTrouble['code'], reason: string) {
    super(reason);
    this.code = code;
  }
}

/** The operator's end of a console. */
export interface OperatorEnd {
  /** What the board printed, in order. Resolves when there is room for more. */
  printed(bytes: Uint8Array): Promise<void>;
  /** It is over, and the board is given back by whoever drives it: said once, whoever ended it. */
  ended(reason: string): void;
}

/** The board's end of a console. */
export interface BoardEnd {
  /** Types bytes as they are. Resolves when the board has taken them, or never will. */
  type(bytes: Uint8Array): Promise<void>;
  /** Resolves when the board is given back. */
  leave(): Promise<void>;
}

export interface BoardHands {
  /**
   * Resolves when it is done; done already is done. A job that gets the board meanwhile waits.
   *
   * @throws HandsRefused
   */
  power(device: string, power: Power, signal: AbortSignal): Promise<void>;
  /**
   * Opens the console of a board; one at a time. A job that gets the board ends it.
   *
   * @param user who it is, for whoever comes second
   * @throws HandsRefused
   */
  openConsole(device: string, user: string, operator: OperatorEnd): Promise<BoardEnd>;
}
