/**
 * A board that speaks over its console, as board/lib/line.sh does it, and a line that damages what goes over it; all of
 * it on a clock of its own, so that an hour of it is a second of a test.
 */
import { type ConsoleLine, LineCutter } from '../../dispatcher/console-lines.ts';
import { SignalReader } from '../../dispatcher/signals.ts';
import { type Effect, Exchange } from '../../dispatcher/transport/exchange.ts';
import {
  boardLine,
  decoded,
  type FramedCall,
  readWorkerLine,
} from '../../dispatcher/transport/frames.ts';

export const SESSION = 'ab12cd34';

/** Things that happen at a time, in their order. */
export class Clock {
  now = 0;
  #next: { at: number; order: number; act: () => void }[] = [];
  #order = 0;

  at(ms: number, act: () => void): void {
    const entry = { at: this.now + ms, order: this.#order++, act };
    let low = 0;
    let high = this.#next.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const is = this.#next[middle];
      if (is !== undefined && is.at <= entry.at) low = middle + 1;
      else high = middle;
    }
    this.#next.splice(low, 0, entry);
  }

  /** Lets things happen until nothing is left, or it is enough. @returns whether nothing is left */
  run(untilMs: number): boolean {
    while (true) {
      const next = this.#next[0];
      if (next === undefined) return true;
      if (next.at > untilMs) return false;
      this.#next.shift();
      this.now = next.at;
      next.act();
    }
  }
}

/** From 0 to 1; the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export type Damage = 'cut' | 'kernel' | 'twice' | 'drop' | 'late';
const ALL: readonly Damage[] = ['cut', 'kernel', 'twice', 'drop', 'late'];
const KERNEL = '[  123.456789] eth0: link becomes ready\n';

/** Passes a line on, or what becomes of it: one in `1 / rate` is damaged. */
export function damaged(
  random: () => number,
  rate: number,
  line: string,
  pass: (text: string, lateMs: number) => void,
): void {
  if (random() >= rate) {
    pass(line, 0);
    return;
  }
  const at = Math.floor(random() * line.length);
  const how = ALL[Math.floor(random() * ALL.length)];
  if (how === 'cut') pass(line.slice(0, at), 0);
  else if (how === 'kernel') pass(line.slice(0, at) + KERNEL + line.slice(at), 0);
  else if (how === 'late') pass(line, 1_500 * random());
  else if (how === 'twice') {
    pass(line, 0);
    pass(line, 20 * random());
  }
}

const WINDOW = 8;
const ANSWERS = 4;

/** One call of the board: says its parts, and asks again for what does not come. */
export class BoardCall {
  readonly id: string;
  readonly #parts: string[];
  readonly #say: (line: string) => void;
  readonly #clock: Clock;
  readonly #done: (answer: string) => void;
  #next = 1;
  #have = 0;
  #total = 1;
  #answer = '';
  #pause = 1;
  #timer = 0;
  #isDone = false;

  constructor(
    clock: Clock,
    { key, data, partChars = 250 }: { key: string; data: string; partChars?: number },
    say: (line: string) => void,
    done: (answer: string) => void,
  ) {
    this.id = key.slice(0, 13);
    this.#parts = data.match(new RegExp(`.{1,${partChars}}`, 'gs')) ?? [];
    this.#say = say;
    this.#clock = clock;
    this.#done = done;
    this.#speak();
    this.#wind();
  }

  hear(line: string): void {
    const frame = readWorkerLine(SESSION, line);
    if (frame?.id !== this.id || this.#isDone) return;
    if (frame.is === 'want') {
      if (frame.from === this.#next) return;
      this.#next = frame.from;
      if (this.#next <= this.#parts.length) this.#speak();
    } else {
      this.#next = this.#parts.length + 1;
      if (frame.part !== this.#have + 1) return;
      this.#have += 1;
      this.#total = frame.parts;
      this.#answer += frame.data;
      if (this.#have === this.#total) {
        this.#end();
        return;
      }
      if (this.#have % ANSWERS === 0) this.#speak();
    }
    this.#pause = this.#next > this.#parts.length ? 10 : 1;
    this.#wind();
  }

  #end(): void {
    this.#isDone = true;
    this.#timer += 1;
    this.#say(boardLine(SESSION, { id: this.id, is: 'ask', from: this.#have + 1 }));
    this.#done(decoded(this.#answer).toString('utf8'));
  }

  #wind(): void {
    this.#timer += 1;
    const timer = this.#timer;
    this.#clock.at(this.#pause * 1_000, () => {
      if (timer !== this.#timer) return;
      this.#speak();
      if (this.#pause < 8) this.#pause *= 2;
      this.#wind();
    });
  }

  #speak(): void {
    const { id } = this;
    const parts = this.#parts.length;
    if (this.#next > parts) this.#say(boardLine(SESSION, { id, is: 'ask', from: this.#have + 1 }));
    for (let part = this.#next; part <= parts && part < this.#next + WINDOW; part += 1) {
      const data = this.#parts[part - 1] ?? '';
      this.#say(boardLine(SESSION, { id, is: 'part', part, parts, data }));
    }
  }
}

/** The worker's end of one board's console: bytes in, typed lines and calls out. */
export class WorkerEnd {
  readonly #reader = new SignalReader();
  readonly #cutter = new LineCutter(0, () => this.#reader.wantsNext);
  readonly #exchange = new Exchange(SESSION);
  readonly #clock: Clock;
  readonly #type: (line: string) => void;
  readonly #call: (id: string, call: FramedCall) => void;
  readonly dropped: string[] = [];
  #timer = 0;

  constructor(
    clock: Clock,
    type: (line: string) => void,
    call: (id: string, call: FramedCall) => void,
  ) {
    this.#clock = clock;
    this.#type = type;
    this.#call = call;
  }

  bytes(chunk: Buffer): void {
    for (const line of this.#cutter.push(chunk)) this.line(line);
  }

  line(line: ConsoleLine): void {
    for (const signal of this.#reader.read(line))
      if (signal.is === 'frame') this.#do(this.#exchange.hear(signal.text, this.#clock.now));
  }

  answered(id: string, text: string): void {
    this.#do(this.#exchange.answered(id, Buffer.from(text), this.#clock.now));
  }

  #do(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.do === 'type') this.#type(`${effect.line}\n`);
      else if (effect.do === 'call') this.#call(effect.id, effect.call);
      else this.dropped.push(effect.id);
    }
    this.#timer += 1;
    const timer = this.#timer;
    const at = this.#exchange.nextAt;
    if (at === undefined) return;
    this.#clock.at(Math.max(0, at - this.#clock.now), () => {
      if (timer === this.#timer) this.#do(this.#exchange.tick(this.#clock.now));
    });
  }
}

/** What a call says, as the board encodes it. */
export const dataOf = (verb: string, key: string, ...words: string[]): string =>
  `${verb},${key},,${words.map((word) => `${word},`).join('')}`;
