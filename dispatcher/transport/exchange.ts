/**
 * The worker's end of a board's framed calls: frames and answers go in, what is to be typed and to be called comes out.
 * Pure, with the time as an argument. The board asks again for whatever it misses; what it is told without having asked,
 * an answer, is told again until it says that it has it. Nothing is lost when all of this is forgotten: the board says its
 * call again, and the server knows its key.
 */
import {
  ANSWER_PART_CHARS,
  encoded,
  type FramedCall,
  inParts,
  PARTS_MAX,
  readBoardFrame,
  readCall,
  type WorkerFrame,
  workerLine,
} from './frames.ts';

/** Calls of one board that are open at once, and what their parts may have together. */
const CALLS_MAX = 256;
const HELD_CHARS_MAX = 4 * 1024 * 1024;
/** After these a board sends on only when it was told to. */
const CALL_WINDOW = 8;
/** A board asks for the parts of an answer behind these. */
const ANSWER_WINDOW = 4;
/** Calls that are over and of which a late frame may still come. */
const OVER_MAX = 4_096;
const AGAIN_MS = 1_000;
const AGAIN_MAX = 5;
/** A board that waits says so every ten seconds: one that was silent for so long does not wait any more. */
export const SILENT_MS_MAX = 60_000;

const WAITS: ReadonlySet<string> = new Set(['wait', 'wait-from', 'wait-all', 'sync']);

export type Effect =
  | { do: 'type'; line: string }
  | { do: 'call'; id: string; call: FramedCall }
  /** Nobody waits for the answer to this call any more. */
  | { do: 'drop'; id: string };

interface Open {
  parts: Map<number, string>;
  count: number;
  chars: number;
  heardAt: number;
  /** `undefined`: its parts are not all here. */
  call?: FramedCall;
  answer?: { parts: string[]; from: number; toldAt: number; times: number };
}

export class Exchange {
  readonly #session: string;
  readonly #open = new Map<string, Open>();
  readonly #over = new Set<string>();
  #chars = 0;

  constructor(session: string) {
    this.#session = session;
  }

  /** How many calls are open. */
  get size(): number {
    return this.#open.size;
  }

  /** When `tick` has something to do; `undefined`: not before something comes. */
  get nextAt(): number | undefined {
    let next: number | undefined;
    for (const open of this.#open.values()) {
      const at = Math.min(dueAt(open), open.heardAt + SILENT_MS_MAX);
      next = next === undefined ? at : Math.min(next, at);
    }
    return next;
  }

  /** A line of the board between `BOARD_MARK` and `>`, whatever it is. */
  hear(text: string, now: number): Effect[] {
    const frame = readBoardFrame(this.#session, text);
    if (frame === undefined || this.#over.has(frame.id)) return [];
    const open = this.#open.get(frame.id);
    if (open !== undefined) open.heardAt = now;
    if (frame.is === 'ask') return this.#asked(frame.id, open, frame.from, now);
    return this.#part(frame, now);
  }

  #part(
    { id, part, parts, data }: { id: string; part: number; parts: number; data: string },
    now: number,
  ): Effect[] {
    const known = this.#open.get(id);
    const [room, open] = known === undefined ? this.#begin(id, parts, now) : [[], known];
    if (open.count !== parts) return room;
    if (open.answer !== undefined) return this.#tell(id, open.answer, 1, now);
    if (open.call !== undefined) return [this.#want(id, parts + 1)];
    if (!open.parts.has(part)) {
      open.parts.set(part, data);
      open.chars += data.length;
      this.#chars += data.length;
    }
    if (open.parts.size === parts) return [...room, ...this.#whole(id, open)];
    const isAsked = part === parts || part % CALL_WINDOW === 0;
    return [
      ...room,
      ...this.#makeRoom(id),
      ...(isAsked ? [this.#want(id, firstMissing(open))] : []),
    ];
  }

  #begin(id: string, count: number, now: number): [Effect[], Open] {
    const open: Open = { parts: new Map(), count, chars: 0, heardAt: now };
    this.#open.set(id, open);
    return [this.#makeRoom(id), open];
  }

  #whole(id: string, open: Open): Effect[] {
    const data = [...open.parts].sort(([a], [b]) => a - b).map(([, text]) => text);
    this.#chars -= open.chars;
    open.chars = 0;
    open.parts.clear();
    const call = readCall(data.join(''));
    if (call === undefined || !call.key.startsWith(id)) {
      this.#end(id);
      return [];
    }
    open.call = call;
    const taken = WAITS.has(call.verb) ? [this.#want(id, open.count + 1)] : [];
    return [...taken, { do: 'call', id, call }];
  }

  #asked(id: string, open: Open | undefined, from: number, now: number): Effect[] {
    if (open === undefined) return [this.#want(id, 1)];
    const { answer } = open;
    if (answer === undefined)
      return [this.#want(id, open.call === undefined ? firstMissing(open) : open.count + 1)];
    if (from <= answer.parts.length) return this.#tell(id, answer, from, now);
    this.#end(id);
    return [];
  }

  /** The server has decided. */
  answered(id: string, text: Uint8Array, now: number): Effect[] {
    const open = this.#open.get(id);
    if (open?.call === undefined || open.answer !== undefined) return [];
    const data = inParts(encoded(text), ANSWER_PART_CHARS);
    const parts = data.length > PARTS_MAX ? inParts(TOO_LARGE, ANSWER_PART_CHARS) : data;
    open.answer = { parts, from: 1, toldAt: now, times: 0 };
    return this.#tell(id, open.answer, 1, now);
  }

  /** Says again what was not heard, and lets go of boards that say nothing. */
  tick(now: number): Effect[] {
    const effects: Effect[] = [];
    for (const [id, open] of [...this.#open]) {
      if (now - open.heardAt >= SILENT_MS_MAX) {
        if (open.call !== undefined && open.answer === undefined) effects.push({ do: 'drop', id });
        this.#forget(id);
      } else if (open.answer !== undefined && dueAt(open) <= now)
        effects.push(...this.#tell(id, open.answer, open.answer.from, now, open.answer.times));
    }
    return effects;
  }

  /** From now on they are heard again: nobody could be for some time. */
  resume(now: number): void {
    for (const open of this.#open.values()) open.heardAt = now;
  }

  #tell(
    id: string,
    answer: NonNullable<Open['answer']>,
    from: number,
    now: number,
    times = 0,
  ): Effect[] {
    Object.assign(answer, { from, toldAt: now, times: times + 1 });
    const { parts } = answer;
    return parts
      .slice(from - 1, from - 1 + ANSWER_WINDOW)
      .map((data, index) =>
        this.#type({ is: 'part', id, part: from + index, parts: parts.length, data }),
      );
  }

  #want = (id: string, from: number): Effect => this.#type({ is: 'want', id, from });

  #type(frame: WorkerFrame): Effect {
    return { do: 'type', line: workerLine(this.#session, frame) };
  }

  /** What a board began and did not go on with gives way to what it begins now. */
  #makeRoom(keep: string): Effect[] {
    const effects: Effect[] = [];
    for (const [id, open] of this.#open) {
      if (this.#open.size <= CALLS_MAX && this.#chars <= HELD_CHARS_MAX) break;
      if (id === keep) continue;
      if (open.call !== undefined && open.answer === undefined) effects.push({ do: 'drop', id });
      this.#forget(id);
    }
    return effects;
  }

  #forget(id: string): void {
    this.#chars -= this.#open.get(id)?.chars ?? 0;
    this.#open.delete(id);
  }

  #end(id: string): void {
    this.#forget(id);
    this.#over.add(id);
    const [oldest] = this.#over;
    if (this.#over.size > OVER_MAX && oldest !== undefined) this.#over.delete(oldest);
  }
}

const TOO_LARGE = encoded(Buffer.from('fail the answer is too large for a console\n'));

function dueAt({ answer }: Open): number {
  if (answer === undefined || answer.times > AGAIN_MAX) return Number.POSITIVE_INFINITY;
  return answer.toldAt + AGAIN_MS * 2 ** (answer.times - 1);
}

function firstMissing({ parts, count }: Open): number {
  for (let part = 1; part <= count; part += 1) if (!parts.has(part)) return part;
  return count + 1;
}
