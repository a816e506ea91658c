/**
 * Which set of cases is open on a member's console. A case that a board reports over HTTP belongs to it, whoever opened
 * it: the verb (which prints the signal, too) or a script that prints the signal itself.
 */
import { open } from 'node:fs/promises';
import { consoleBytes } from './console.ts';
import { LineCutter } from './console-lines.ts';
import { type Signal, SignalReader } from './signals.ts';

const CHUNK_BYTES = 262_144;
/** Members that are looked at: of the one that was asked for longest ago, all is read again. */
const MEMBERS_MAX = 2_000;

/** Of one suite, the last; they go with each result of a board whose worker is on another machine. */
const OPENED_MAX = 64;

export interface OpenSet {
  open?: string;
  /** What was opened in this suite, closed by now or not; absent: nothing was. */
  opened?: string[];
}

/** Reads on in each console where it had stopped: what is asked often is read once. */
export class OpenSets {
  readonly #consoles = new Map<string, ConsoleSet>();

  /** @param path the console's file; it need not exist */
  async of(path: string): Promise<OpenSet> {
    const console = this.#consoles.get(path) ?? new ConsoleSet(path);
    this.#consoles.delete(path);
    this.#consoles.set(path, console);
    const [oldest] = this.#consoles.keys();
    if (this.#consoles.size > MEMBERS_MAX && oldest !== undefined) this.#consoles.delete(oldest);
    return console.now();
  }
}

class ConsoleSet {
  readonly #path: string;
  readonly #reader = new SignalReader();
  readonly #cutter = new LineCutter(0, () => this.#reader.wantsNext);
  #set: OpenSet = {};
  #run: string | undefined;
  /** The run of an old console that somebody prints. */
  #other: string | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** What was printed by now. Who asks meanwhile waits for the same reading, and for what came since. */
  async now(): Promise<OpenSet> {
    this.#reading = this.#reading.then(() => this.#read());
    await this.#reading;
    return { ...this.#set };
  }

  async #read(): Promise<void> {
    if (consoleBytes(this.#path) <= this.#cutter.position) return;
    const file = await open(this.#path, 'r');
    try {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      while (true) {
        const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, this.#cutter.position);
        if (bytesRead === 0) return;
        for (const line of this.#cutter.push(chunk.subarray(0, bytesRead)))
          for (const signal of this.#reader.read(line)) this.#hear(signal);
      }
    } finally {
      await file.close();
    }
  }

  #hear(signal: Signal): void {
    switch (signal.is) {
      case 'run-start':
      case 'run-end':
        this.#mark(signal.is === 'run-start', `${signal.suite} ${signal.nonce}`);
        return;
      case 'set-start':
        if (this.#other === undefined) this.#open(signal.set);
        return;
      case 'set-stop':
        if (this.#other === undefined) delete this.#set.open;
        return;
      default:
    }
  }

  #open(set: string): void {
    const before = (this.#set.opened ?? []).filter((one) => one !== set);
    this.#set = { open: set, opened: [...before, set].slice(-OPENED_MAX) };
  }

  /** A run that begins inside of another is an old one's, until it ends or the outer one does. */
  #mark(begins: boolean, run: string): void {
    if (begins && this.#run !== undefined && this.#run !== run) {
      this.#other ??= run;
      return;
    }
    if (!begins && run === this.#other) {
      this.#other = undefined;
      return;
    }
    if (!begins && run !== this.#run) return;
    this.#run = begins ? run : undefined;
    this.#other = undefined;
    this.#set = {};
  }
}
