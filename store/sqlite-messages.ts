/**
 * What the store's two threads say to each other. All of it is plain data: strings cross a thread cheaply,
 * small byte arrays do not, so ids travel as text.
 */

/** One event on its way into the file. */
export interface NewRow {
  id: string;
  type: string;
  at: number;
  actor: string;
  causation: string;
  correlation: string;
  /** JSON of the rare parts of `meta`; null when there are none. */
  rest: string | null;
  /** JSON text. */
  data: string;
}

/** One event on its way out of the file. */
export interface Row extends NewRow {
  position: number;
  stream: string;
  version: number;
}

export interface AppendRequest {
  stream: string;
  expectedVersion: number;
  rows: NewRow[];
}

/** `isNew` is false for a repeated append: its events were there already. */
export type AppendResult =
  | { isConflict: false; isNew: boolean; version: number; position: number }
  | { isConflict: true; actual: number };

export interface Page {
  rows: Row[];
  /** There are no more rows after these. */
  isLast: boolean;
}

export type Request =
  | { do: 'open'; file: string }
  /** All in one transaction. */
  | { do: 'append'; group: AppendRequest[] }
  | { do: 'read-stream'; stream: string; after: number }
  | { do: 'read-all'; after: number; upTo: number; limit: number }
  | { do: 'close' };

export type Answers = {
  /** Position of the last event. */
  open: number;
  append: AppendResult[];
  'read-stream': Page;
  'read-all': Page;
  close: null;
};

export type Message = { number: number; request: Request };

export type Reply =
  | { number: number; answer: Answers[keyof Answers] }
  | { number: number; refused: string }
  | { number: number; unavailable: string };
