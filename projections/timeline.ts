/** The log for people who read it: each event as a sentence, and the lines that stand under it. */
import type { AnyEvent, StreamEvent } from '../machines/events.ts';
import { details, newMemory, sentence, type Telling, tell } from './telling.ts';

/** What a reader of the log is given of an event. */
export interface Told {
  telling: Telling;
  /** The sentence first. */
  lines: string[];
}

/** Makes a teller: it is given the events of one or more streams, those of each in their order. */
export function narrator(): (event: Pick<StreamEvent, 'stream'> & AnyEvent) => Told {
  const memory = newMemory();
  return (event) => {
    const telling = tell(event, memory);
    return { telling, lines: [sentence(telling), ...details(telling)] };
  };
}
