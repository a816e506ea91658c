/**
 * When the bytes of a console came, from the index beside it: lines `OFFSET MILLISECONDS`, each the bytes that had come by that
 * time. It is written while the board prints and may be torn anywhere: what cannot be read is passed over.
 */
const LINE = /^(\d{1,15}) (\d{1,15})$/;

export class ConsoleTimes {
  readonly #offsets: readonly number[];
  readonly #times: readonly number[];

  private constructor(offsets: readonly number[], times: readonly number[]) {
    this.#offsets = offsets;
    this.#times = times;
  }

  /** `undefined`: it holds nothing that can be believed. */
  static of(text: string): ConsoleTimes | undefined {
    const [offsets, times]: [number[], number[]] = [[], []];
    const lines = text.split('\n');
    // The last line was ended, or is torn.
    lines.pop();
    for (const line of lines) {
      const [, offset, time] = LINE.exec(line) ?? [];
      if (offset === undefined || time === undefined) continue;
      const [o, t] = [Number(offset), Number(time)];
      // Both grow: a line that goes back is a torn one.
      if (o <= (offsets.at(-1) ?? 0) || t < (times.at(-1) ?? 0)) continue;
      offsets.push(o);
      times.push(t);
    }
    return offsets.length === 0 ? undefined : new ConsoleTimes(offsets, times);
  }

  /** When the byte at an offset had come; `undefined`: it came later than the index tells. */
  timeAt(offset: number): number | undefined {
    return this.#times[firstAbove(this.#offsets, offset)];
  }

  /** How many bytes had come by a time. */
  offsetAt(time: number): number {
    return this.#offsets[firstAbove(this.#times, time) - 1] ?? 0;
  }
}

/** The first place of a sorted list that holds more than this; its length when none does. */
function firstAbove(sorted: readonly number[], than: number): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sorted[middle] ?? 0) > than) to = middle;
    else from = middle + 1;
  }
  return from;
}
