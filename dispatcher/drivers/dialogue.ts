/**
 * Reads along on a board's console until it says something that is waited for: prompts too, which end no line. It reads
 * the console's file, as everybody does, so that nothing is heard that is not written down.
 */
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { plainText } from '../../submission/quoting.ts';
import { consoleBytes } from '../console.ts';
import { StepFailure, throwIfAborted } from '../failure.ts';

const CHUNK_BYTES = 65_536;
const POLL_MS_MIN = 5;
const POLL_MS_MAX = 100;
/** Of what was printed and not matched yet: more than any prompt or line that is waited for. */
const WINDOW_CHARS_MAX = 16_384;

export interface DialogueOptions {
  /** Of the whole console. */
  bytesMax: number;
  signal: AbortSignal;
  isAlive(): boolean;
}

/** What was said. */
export interface Said {
  /** Which of the patterns. */
  index: number;
  match: RegExpExecArray;
  /** The line in which the match begins, as far as it is printed. */
  line: string;
}

export class Dialogue {
  readonly #file: string;
  readonly #options: DialogueOptions;
  #position: number;
  #window = '';

  /** @param from byte offset in the console */
  constructor(file: string, from: number, options: DialogueOptions) {
    this.#file = file;
    this.#position = from;
    this.#options = options;
  }

  /** Byte offset up to which was read. */
  get position(): number {
    return this.#position;
  }

  /** Whether anything but blanks was printed that nobody has matched. */
  get isSilent(): boolean {
    return this.#window.trim() === '';
  }

  /** The last line with something on it, of what nobody has matched. */
  get lastLine(): string {
    return (
      this.#window
        .trimEnd()
        .split(/[\r\n]/)
        .at(-1)
        ?.trim() ?? ''
    );
  }

  /** What was printed so far is passed over. */
  async skip(): Promise<void> {
    while (await this.#read()) throwIfAborted(this.#options.signal);
    this.#window = '';
  }

  /**
   * Waits for the first of the patterns in what is printed from the end of the last match on. Of several that match, the
   * one that begins first counts.
   *
   * @returns `undefined` when nothing matched within `limitMs`
   * @throws StepFailure `board-gone`, `console-too-large`; StepAborted
   */
  async expect(patterns: readonly RegExp[], limitMs: number): Promise<Said | undefined> {
    const { signal, isAlive } = this.#options;
    const deadline = Date.now() + limitMs;
    let pauseMs = POLL_MS_MIN;
    let isGone = false;
    while (true) {
      throwIfAborted(signal);
      const found = this.#match(patterns);
      if (found !== undefined) return found;
      if (await this.#read()) {
        pauseMs = POLL_MS_MIN;
        continue;
      }
      // The last words of a board are read before its end is believed.
      if (isGone) throw new StepFailure('board-gone', 'its first process ended');
      isGone = !isAlive();
      if (Date.now() >= deadline) return undefined;
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 1.5, POLL_MS_MAX);
    }
  }

  #match(patterns: readonly RegExp[]): Said | undefined {
    const found = patterns
      .flatMap((pattern, index) => {
        const match = pattern.exec(this.#window);
        return match === null ? [] : [{ index, match }];
      })
      .sort((a, b) => a.match.index - b.match.index)[0];
    if (found === undefined) return undefined;
    const { index, match } = found;
    const before = this.#window.slice(0, match.index);
    const start = Math.max(before.lastIndexOf('\n'), before.lastIndexOf('\r')) + 1;
    const line = this.#window.slice(start).split(/[\r\n]/)[0] ?? '';
    this.#window = this.#window.slice(match.index + match[0].length);
    return { index, match, line: line.trim() };
  }

  /** Whether there was more to read. */
  async #read(): Promise<boolean> {
    const { bytesMax } = this.#options;
    if (this.#position >= bytesMax)
      throw new StepFailure(
        'console-too-large',
        `the board printed more than ${bytesMax} bytes on its console`,
      );
    if (consoleBytes(this.#file) <= this.#position) return false;
    const file = await open(this.#file, 'r');
    try {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, this.#position);
      if (bytesRead === 0) return false;
      this.#position += bytesRead;
      const text = this.#window.slice(-WINDOW_CHARS_MAX) + chunk.toString('utf8', 0, bytesRead);
      this.#window = plainText(text);
      return true;
    } finally {
      await file.close();
    }
  }
}
