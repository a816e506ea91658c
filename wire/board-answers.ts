/** How a board's request ends: one declaration for the engine that decides it and for every door that tells it. */

/** How a wait ended, as its board hears it. */
export type WaitEnd =
  | { status: 'ok'; lines: readonly string[]; note?: string }
  | { status: 'fail'; reason: string };

/** How a verb ended. */
export type CallEnd = WaitEnd | { status: 'refused'; reason: string };

/** What a door answers. `wait`: it goes on; come again with the same key. */
export type BoardAnswer = CallEnd | { status: 'wait' };

/** What only the dialects without status codes say in words; others have problems for it. */
export type BoardTrouble = { status: 'retry' | 'denied'; reason: string };
