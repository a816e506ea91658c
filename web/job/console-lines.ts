/** Consoles line by line, each with when it came. Pure: the times are an index beside the console, or what events say of it. */
import { markedLine } from './console-marks.ts';
import type { JobFold } from './fold.ts';
import { tellFrame } from './frames.ts';
import { plainText } from './plain-text.ts';

export interface TimedLine {
  /** In milliseconds since the epoch. */
  at: number;
  lane: number;
  text: string;
}

/** Bytes that had come by a time; both grow. */
export interface Mark {
  bytes: number;
  at: number;
}

const LF = 0x0a;

/** `OFFSET MILLISECONDS` a line; what cannot be read is passed over. */
export function marksOf(index: string): Mark[] {
  const marks: Mark[] = [];
  for (const line of index.split('\n')) {
    const [, bytes, at] = /^(\d{1,15}) (\d{1,15})$/.exec(line) ?? [];
    const last = marks.at(-1);
    const mark = { bytes: Number(bytes), at: Number(at) };
    if (at !== undefined && mark.bytes > (last?.bytes ?? 0) && mark.at >= (last?.at ?? 0))
      marks.push(mark);
  }
  return marks;
}

/** What events say of how far a member's console had come: for a console without an index. */
export function marksOfEvents(fold: JobFold, lane: number): Mark[] {
  const marks: Mark[] = [];
  for (let n = 0; n < fold.length; n++) {
    const bytes = fold.laneOf[n] === lane ? fold.events[n]?.meta.console : undefined;
    if (bytes !== undefined && bytes > (marks.at(-1)?.bytes ?? 0))
      marks.push({ bytes, at: fold.times[n] ?? 0 });
  }
  return marks;
}

/**
 * @param from where in the console these bytes begin
 * @param end when the last lines came, of which no mark says it
 * @param isPrinted each line as it was printed: nothing is told in words
 */
export function timedLines(
  lane: number,
  bytes: Uint8Array,
  from: number,
  marks: readonly Mark[],
  end: number,
  isPrinted = false,
): TimedLine[] {
  const decoder = new TextDecoder();
  const lines: TimedLine[] = [];
  let mark = 0;
  /** An empty line: the end of a line with which a frame or a mark begins belongs to it. */
  let blank: TimedLine | undefined;
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(LF, start);
    const next = found < 0 ? bytes.length : found + 1;
    while ((marks[mark]?.bytes ?? Infinity) < from + next) mark++;
    const said = decoder.decode(bytes.subarray(start, next));
    const told = isPrinted ? undefined : tellFrame(said);
    const text = told ?? plainText(said).replace(/[\r\n]+$/, '');
    const marked = isPrinted ? undefined : markedLine(text);
    const line = { at: marks[mark]?.at ?? end, lane, text };
    const takesBlank = told !== undefined || marked?.takesEmpty === true;
    if (blank !== undefined && !takesBlank) lines.push(blank);
    blank = told === undefined && text === '' ? line : undefined;
    if (text !== '' && marked?.isHidden !== true) lines.push(line);
    start = next;
  }
  if (blank !== undefined) lines.push(blank);
  return lines;
}

/** A line of the whole: of a console, or an event by its index. */
export type Entry = TimedLine | { at: number; event: number };

/** All by their time; at the same time what a board printed stands before the event that it made. */
export function merged(fold: JobFold, consoles: readonly (readonly TimedLine[])[]): Entry[] {
  const lines = consoles.flat();
  const order = lines.map((_, n) => n).sort((a, b) => time(lines, a) - time(lines, b) || a - b);
  const entries: Entry[] = [];
  let next = 0;
  for (let event = 0; event <= fold.length; event++) {
    const until = event === fold.length ? Infinity : (fold.times[event] ?? 0);
    for (; next < order.length && time(lines, order[next] ?? 0) <= until; next++) {
      const line = lines[order[next] ?? 0];
      if (line !== undefined) entries.push(line);
    }
    if (event < fold.length) entries.push({ at: until, event });
  }
  return entries;
}

const time = (lines: readonly TimedLine[], n: number): number => lines[n]?.at ?? 0;
