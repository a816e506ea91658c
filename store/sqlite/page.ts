/** A page of the file as events again. The page is parsed as one; line by line only when it is damaged. */
import { type RecordedEvent, UnreadableEvent } from '../../machines/events.ts';
import { recordedFromParsed, type UnreadableRecord, unreadableRecord } from '../edge.ts';
import { LINE_END, type Line, type Page } from './thread-messages.ts';

const LINE_PARTS = 11;

/** The events of a page up to the first that cannot be read, and why that one cannot. */
export function eventsOf(page: Page): { events: RecordedEvent[]; fault?: unknown } {
  const events: RecordedEvent[] = [];
  if (page.count === 0) return { events };
  const names: Record<string, string> = JSON.parse(page.names);
  try {
    for (const line of linesOf(page, names)) events.push(eventOf(line, names));
    return { events };
  } catch (fault) {
    return { events, fault };
  }
}

function linesOf(page: Page, names: Readonly<Record<string, string>>): Iterable<Line> {
  const lines = parsed(`[${page.lines}]`);
  if (Array.isArray(lines) && lines.length === page.count && lines.every(isLine)) return lines;
  return oneByOne(page.lines, names);
}

/** @throws UnreadableRecord at the first damaged line */
function* oneByOne(text: string, names: Readonly<Record<string, string>>): Iterable<Line> {
  for (const line of text.split(LINE_END)) {
    const is = parsed(line);
    if (isLine(is)) yield is;
    else throw damaged(line, names);
  }
}

const isLine = (is: unknown): is is Line => Array.isArray(is) && is.length === LINE_PARTS;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Where an event stands in the log is written before all that can be damaged. */
function damaged(line: string, names: Readonly<Record<string, string>>): UnreadableRecord {
  const [position, stream = '', version, type = ''] = line.slice(1).split(',', 4);
  const where = { stream: names[stream] ?? '', version: Number(version), type: names[type] ?? '' };
  return unreadableRecord(new UnreadableEvent(where, 'its text is damaged'), Number(position));
}

function eventOf(line: Line, names: Readonly<Record<string, string>>): RecordedEvent {
  const [position, stream, version, type, id, at, actor, causation, correlation, rest, data] = line;
  const meta = {
    at,
    actor: names[actor],
    causationId: typeof causation === 'string' ? uuidOf(causation) : causation[0],
    correlationId: names[correlation],
  };
  return recordedFromParsed(
    names[type] ?? '',
    data,
    uuidOf(id),
    rest === null ? meta : Object.assign(meta, rest),
    { stream: names[stream] ?? '', version, position },
  );
}

/** Joined and not concatenated: a string of nine parts takes ten times the memory for as long as somebody has the event. */
const uuidOf = (hex: string): string =>
  [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    '-',
  );
