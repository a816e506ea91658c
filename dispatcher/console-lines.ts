/**
 * A console's bytes cut into lines. Memory does not grow with what is printed, and lines in which nobody is interested
 * are passed over without being read. However the bytes are split into chunks, the lines are the same.
 */

/** A longer line comes in pieces of this size. */
export const CONSOLE_LINE_BYTES_MAX = 8_192;

export interface ConsoleLine {
  /** The line without its end. */
  text: string;
  /** Byte offset in the console of the line's first byte. */
  at: number;
  /** Byte offset behind the line. */
  end: number;
  /** A piece of a long line that goes on in the next piece. */
  isOpen?: true;
  /** How the long line begins that this is a later piece of. */
  head?: string;
}

/** What may be a signal, or the beginning of one with a line of the kernel behind it. */
const CANDIDATE = /<(?:LAVA_SIGNAL_|LAVA_MULTI_NODE|MUSTER_|[A-Z_]{0,19}(?:(?:<\d>)?\[ *\d+\.|$))/g;
const HEAD_BYTES_MAX = 128;
const END = /[\r\n]/g;

/** Lines end with LF or CR: what a progress bar writes over is a line of its own. A last line without end is none yet. */
export class LineCutter {
  #held: Buffer = Buffer.alloc(0);
  #heldAt: number;
  #next: number;
  #head: string | undefined;
  readonly #wants: () => boolean;

  /**
   * @param from byte offset in the console of the first byte that will be pushed; a line begins there
   * @param wants asked before each line: whether it is wanted though it holds no signal
   */
  constructor(from: number, wants: () => boolean = () => false) {
    this.#next = from;
    this.#heldAt = from;
    this.#wants = wants;
  }

  /** Byte offset of the next byte that is wanted. */
  get position(): number {
    return this.#next;
  }

  *push(chunk: Buffer): Generator<ConsoleLine> {
    const base = this.#next;
    this.#next = base + chunk.length;
    // One character a byte: offsets in the text are offsets in the chunk.
    const text = chunk.toString('latin1');
    let from = 0;
    while (from < chunk.length) {
      // Behind a piece of a long line there may be the rest of its last signal: all of it is looked at.
      if (this.#held.length === 0 && this.#head === undefined && !this.#wants()) {
        from = firstWanted(text, from);
        if (from === -1) {
          // The last line is still open: what makes a signal of it may be in the next chunk.
          from = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1;
          if (from >= chunk.length) return;
        }
      }
      if (this.#held.length === 0) this.#heldAt = base + from;
      END.lastIndex = from;
      const end = END.exec(text)?.index;
      const to = Math.min(end ?? chunk.length, from + CONSOLE_LINE_BYTES_MAX - this.#held.length);
      this.#held = Buffer.concat([this.#held, chunk.subarray(from, to)]);
      from = to;
      const isOpen = to !== end;
      if (!isOpen) from += 1;
      else if (this.#held.length < CONSOLE_LINE_BYTES_MAX) return;
      const line = this.#take(base + from, isOpen);
      if (line !== undefined) yield line;
    }
  }

  #take(end: number, isOpen: boolean): ConsoleLine | undefined {
    const held = this.#held;
    const head = this.#head;
    this.#held = Buffer.alloc(0);
    this.#head = isOpen ? (head ?? held.toString('utf8', 0, HEAD_BYTES_MAX)) : undefined;
    if (held.length === 0) return undefined;
    CANDIDATE.lastIndex = 0;
    if (!this.#wants() && !CANDIDATE.test(held.toString('latin1'))) return undefined;
    return {
      text: held.toString('utf8'),
      at: this.#heldAt,
      end,
      ...(isOpen ? { isOpen } : {}),
      ...(head === undefined ? {} : { head }),
    };
  }
}

/** Where the next line begins that may hold a signal; -1: none does. */
function firstWanted(text: string, from: number): number {
  CANDIDATE.lastIndex = from;
  const at = CANDIDATE.exec(text)?.index;
  if (at === undefined) return -1;
  const start = Math.max(text.lastIndexOf('\n', at), text.lastIndexOf('\r', at)) + 1;
  return Math.max(start, from);
}
