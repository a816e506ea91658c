/**
 * Server-Sent Events as this server writes them, many at once: a line of data an event, all of a piece parsed as one JSON
 * array. One by one, as the standard has it, a long log takes a browser three times as long.
 */
import type { RecordedEvent } from './types.ts';

const DATA = 'data: ';
const END = 'event: end';
/** A comment, which other readers pass over. */
const LIVE = ': live';

export class EventStreamReader {
  /** The stream has said that nothing more can come. */
  isEnded = false;
  /** It has said that all that there was has come. */
  isLive = false;
  #rest = '';

  /** The events that are whole with this piece of the text. @throws SyntaxError when it is no such stream */
  take(piece: string): RecordedEvent[] {
    const text = this.#rest + piece;
    // A blank line ends each event.
    const whole = text.lastIndexOf('\n\n') + 1;
    this.#rest = text.slice(whole);
    const data: string[] = [];
    for (let start = 0; start < whole; ) {
      const end = text.indexOf('\n', start);
      if (text.startsWith(DATA, start) && !this.isEnded)
        data.push(text.slice(start + DATA.length, end));
      else if (text.startsWith(END, start)) this.isEnded = true;
      else if (text.startsWith(LIVE, start)) this.isLive = true;
      start = end + 1;
    }
    return data.length === 0 ? [] : (JSON.parse(`[${data.join(',')}]`) as RecordedEvent[]);
  }
}
