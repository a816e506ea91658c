/**
 * Whether a board that was up still is, as its console tells: a kernel that panicked, a kernel or a login that came
 * where a test ran. A test may print all of that itself (`dmesg`, `cat /var/log/...`), so that it counts only when it is
 * the last that was printed, and nothing came behind it for a while.
 */
import { open } from 'node:fs/promises';
import { plainText } from '../../submission/quoting.ts';
import { consoleBytes, lineAt } from '../console.ts';

const LOOK_BYTES = 65_536;
const TAIL_CHARS = 4_096;
const QUIET_MS = 3_000;

const PANIC = /Kernel panic - not syncing[^\r\n]*/;
/** The last words of a kernel that panicked and waits for somebody to switch it off. */
const PANIC_END = /(?:Kernel panic - not syncing|end Kernel panic)[^\r\n]*\s*$/;
const KERNEL_START = /\[ +0\.000000\][^\r\n]{0,40}Linux version \d[^\r\n]*/;
const HALT = /reboot: (Restarting system|Power down|System halted)/;
/** What a kernel that runs says at any time, also behind a prompt. */
const KERNEL_LINES = /\[ *\d+\.\d{6}\] [^\r\n]*[\r\n]+/g;
const ANY_PROMPT = /(?:^|[\r\n])[^\r\n]*(?:login: ?|[#$>] ?)$/;

const HALTS: Readonly<Record<string, string>> = {
  'Restarting system': 'the board rebooted',
  'Power down': 'the board switched itself off',
  'System halted': 'the board halted',
};

interface Sign {
  what: string;
  /** Byte offset in the console. */
  at: number;
  /** What the end of the console must be for it to count. */
  end: RegExp;
}

export class EndWatch {
  readonly #file: string;
  readonly #prompt: RegExp;
  #position: number;
  #tail = '';
  #sign: Sign | undefined;
  #quietSince = Date.now();

  /**
   * @param from byte offset in the console at which the board was up
   * @param prompts what it says while it is not up, as regular expressions
   */
  constructor(file: string, from: number, prompts: readonly string[]) {
    this.#file = file;
    this.#position = from;
    const words = [ANY_PROMPT.source, ...prompts.map((prompt) => `(?:${prompt})\\s*$`)];
    this.#prompt = new RegExp(words.join('|'));
  }

  /**
   * In words, what became of it; `undefined`: it runs on, as far as can be seen.
   *
   * @param ended what it is called when the line has ended; `undefined`: it has not
   */
  async look(ended: string | undefined): Promise<string | undefined> {
    await this.#read();
    if (ended !== undefined) return this.#named(this.#lastWords(), ended);
    const sign = this.#sign;
    if (sign === undefined || Date.now() - this.#quietSince < QUIET_MS) return undefined;
    const since = this.#tail.slice(Math.max(0, sign.at - (this.#position - this.#tail.length)));
    const text = sign.end === this.#prompt ? since.replace(KERNEL_LINES, '') : since;
    return sign.end.test(plainText(text)) ? this.#named(sign, '') : undefined;
  }

  #lastWords(): Sign | undefined {
    if (this.#sign !== undefined) return this.#sign;
    const halt = HALT.exec(this.#tail);
    if (halt === null) return undefined;
    const at = this.#position - this.#tail.length + halt.index;
    return { what: HALTS[halt[1] ?? ''] ?? '', at, end: /$/ };
  }

  async #named(sign: Sign | undefined, ended: string): Promise<string> {
    if (sign === undefined) return ended;
    return `${sign.what} (line ${await lineAt(this.#file, sign.at)} of its console)`;
  }

  async #read(): Promise<void> {
    const size = consoleBytes(this.#file);
    if (size <= this.#position) return;
    this.#quietSince = Date.now();
    const from = Math.max(this.#position, size - LOOK_BYTES);
    const file = await open(this.#file, 'r');
    try {
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(size - from),
        ...[0, size - from, from],
      );
      // One character a byte: offsets in the text are offsets in the console.
      const text = this.#tail + buffer.toString('latin1', 0, bytesRead);
      this.#position = from + bytesRead;
      this.#note(text, this.#position - text.length);
      this.#tail = text.slice(-TAIL_CHARS);
    } finally {
      await file.close();
    }
  }

  #note(text: string, start: number): void {
    const panic = PANIC.exec(text);
    if (panic !== null) {
      const what = `its kernel panicked: ${panic[0].trim()}`;
      this.#sign = { what, at: start + panic.index, end: PANIC_END };
    }
    const kernel = KERNEL_START.exec(text);
    // One that starts after a panic ends its silence, and is no other reason.
    if (kernel !== null && kernel.index > (panic?.index ?? -1))
      this.#sign = {
        ...(this.#sign ?? { what: 'the board rebooted', at: start + kernel.index }),
        end: this.#prompt,
      };
  }
}
