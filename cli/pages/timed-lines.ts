/** Consoles line by line with the times at which they came, merged by time with what the log says between them. */
import { ConsoleTimes } from '../../answers/console-times.ts';
import { printable } from '../../submission/quoting.ts';
import { tellFrame } from './console-frames.ts';
import { preciseTimeOfDay } from './text.ts';

export interface TimedLine {
  /** Who says it: a board; empty: the log. */
  who: string;
  text: string;
  /** In milliseconds since the epoch; absent: nobody knows. */
  at?: number | undefined;
}

const LF = 0x0a;
/** A line that is longer comes in parts. */
const LINE_BYTES_MAX = 64 * 1024;

/**
 * @param index of the console, as it is written
 * @param now when a line came that the index does not have: it comes here now
 */
export async function* timedLines(
  who: string,
  bytes: AsyncIterable<Uint8Array>,
  index: string,
  now?: () => number,
): AsyncGenerator<TimedLine> {
  const times = ConsoleTimes.of(index);
  let held = Buffer.alloc(0);
  let offset = 0;
  let blank: TimedLine | undefined;
  function* take(length: number): Generator<TimedLine> {
    const said = held.toString('utf8', 0, length);
    held = held.subarray(length);
    offset += length;
    const told = tellFrame(said);
    const text = (told ?? said).replace(/[\r\n]+$/, '');
    const line = { who, text, at: times?.timeAt(offset - 1) ?? now?.() };
    // The end of a line with which a frame begins belongs to it.
    if (blank !== undefined && told === undefined) yield blank;
    blank = told === undefined && text === '' ? line : undefined;
    if (text !== '') yield line;
  }
  for await (const chunk of bytes) {
    held = Buffer.concat([held, chunk]);
    for (;;) {
      const end = held.indexOf(LF) + 1;
      if (end > 0) yield* take(end);
      else if (held.length > LINE_BYTES_MAX) yield* take(LINE_BYTES_MAX);
      else break;
    }
  }
  if (held.length > 0) yield* take(held.length);
  if (blank !== undefined) yield blank;
}

/** Several of them as one, by time; at the same time in the order of the list. A line without a time stays behind the one before it. */
export async function* merged(
  sources: readonly AsyncIterable<TimedLine>[],
): AsyncGenerator<TimedLine> {
  const heads = await Promise.all(
    sources.map(async (source) => {
      const lines = source[Symbol.asyncIterator]();
      return { lines, next: (await lines.next()).value as TimedLine | undefined };
    }),
  );
  for (;;) {
    const due = heads.reduce<(typeof heads)[number] | undefined>((best, head) => {
      if (head.next === undefined) return best;
      if (best?.next === undefined) return head;
      return (head.next.at ?? 0) < (best.next.at ?? 0) ? head : best;
    }, undefined);
    if (due?.next === undefined) return;
    yield due.next;
    due.next = (await due.lines.next()).value as TimedLine | undefined;
  }
}

/** `08:06:31.690  panda01  + lava-sync ready`; of the log `08:06:31.702  --------  the job is complete`. */
export function renderTimedLine({ who, text, at }: TimedLine, width: number): string {
  const time = at === undefined ? ' '.repeat(TIME_WIDTH) : preciseTimeOfDay(at);
  const name = who === '' ? '-'.repeat(width) : who.padEnd(width);
  return `${time}  ${name}  ${printable(text)}\n`;
}
const TIME_WIDTH = '08:06:31.690'.length;
