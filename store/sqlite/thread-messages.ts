/** What the store's two threads say to each other. All of it is plain data. */
import type { Rows } from '../port.ts';
import type { Group } from './group.ts';

/** `isNew` is false for a repeated append: its events were there already. */
export type AppendResult =
  | { isConflict: false; isNew: boolean; version: number; position: number }
  | { isConflict: true; actual: number };

/** Events on their way out of the file: one long string crosses a thread at once, a thousand rows do not. */
export interface Page {
  count: number;
  /** How many of them there are lines of. */
  written: number;
  /** The position of the last one, in a page of one stream its version. */
  last: number;
  /** A JSON array an event, `LINE_END` between them: what `Line` says. */
  lines: string;
  /** JSON: the names that the lines speak of, by their ids. */
  names: string;
  /** There are no more events after these. */
  isLast: boolean;
}

/** A comma, for the page to be parsed as one; a line end, for a damaged line to be found. */
export const LINE_END = ',\n';

/** The parts of a line; `stream`, `type`, `actor` and `correlation` are ids of names. */
export type Line = [
  position: number,
  stream: number,
  version: number,
  type: number,
  /** 32 hexadecimal digits. */
  id: string,
  at: number,
  actor: number,
  /** 32 hexadecimal digits of a UUID, or any other text in an array. */
  causation: string | [string],
  correlation: number,
  rest: Record<string, unknown> | null,
  data: unknown,
];

/** What this version of Muster reads. The log's thread is told: to load the events would take three times as long as all the rest of it. */
export interface Readable {
  /** The number of its vocabulary. */
  vocabulary: number;
  /** Types whose data means what is written there, whatever number it was written with. */
  readAsWritten: readonly string[];
}

export type Request =
  | { do: 'open'; file: string; isReadOnly: boolean; readable: Readable }
  /** All in one transaction. `isHandedOver`: another connection wrote last. */
  | { do: 'append'; group: Group; isHandedOver: boolean }
  | { do: 'read-stream' | 'read-rows'; stream: string; after: number }
  /** `needless`: types that are left out, but for what a newer vocabulary wrote. */
  | { do: 'read-all'; after: number; upTo: number; limit: number; needless: readonly string[] }
  | { do: 'remove'; stream: string; isHandedOver: boolean }
  | { do: 'close' };

export type Answers = {
  /** Position of the last event. */
  open: number;
  /** `ms`: what the commit itself took. */
  append: { results: AppendResult[]; ms: number };
  'read-stream': Page;
  'read-rows': Rows | undefined;
  'read-all': Page;
  remove: null;
  close: null;
};

export type Message = { number: number; request: Request };

export type Reply =
  | { number: number; answer: Answers[keyof Answers] }
  | { number: number; refused: string }
  | { number: number; unavailable: string };
