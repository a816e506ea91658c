/**
 * Server-Sent Events as this server writes them, many at once: a line of data an event, all of a piece parsed as one JSON
 * array; or rows, of which one line of data has hundreds. One by one, as the standard has it, a long log takes a browser
 * three times as long.
 */
import type { RecordedEvent } from './types.ts';

const DATA = 'data: ';
const ROWS = 'data: {"names":';
const END = 'event: end';
/** A comment, which other readers pass over. */
const LIVE = ': live';

/** What the API calls `form=rows`; a number for type or actor is that of a name. */
interface Rows {
  names: Readonly<Record<string, string>>;
  rows: readonly [
    version: number,
    type: string | number,
    at: number,
    position: number,
    actor: string | number,
    data: unknown,
    rest?: object,
  ][];
}

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
    const events: RecordedEvent[] = [];
    for (let start = 0; start < whole; ) {
      const end = text.indexOf('\n', start);
      if (text.startsWith(DATA, start) && !this.isEnded) {
        const line = text.slice(start + DATA.length, end);
        if (text.startsWith(ROWS, start)) unpack(JSON.parse(line) as Rows, events);
        else data.push(line);
      } else if (text.startsWith(END, start)) this.isEnded = true;
      else if (text.startsWith(LIVE, start)) this.isLive = true;
      start = end + 1;
    }
    if (data.length === 0) return events;
    return events.concat(JSON.parse(`[${data.join(',')}]`) as RecordedEvent[]);
  }
}

/** A page folds and shows what rows have of an event, and asks for no more of it. */
function unpack({ names, rows }: Rows, into: RecordedEvent[]): void {
  const named = (is: string | number) => (typeof is === 'number' ? (names[is] ?? '') : is);
  for (const row of rows) {
    const [version, type, at, position] = row;
    const meta = { at, actor: named(row[4]) };
    if (row[6] !== undefined) Object.assign(meta, row[6]);
    into.push({ type: named(type), data: row[5], meta, version, position } as RecordedEvent);
  }
}
