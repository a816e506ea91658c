/** Where members are in their scripts at an event: the line of the last call that each of them made by then. */
import type { ScriptLinesView } from '../api/types.ts';

export type ScriptLine = ScriptLinesView['lines'][number];

export class ScriptLines {
  /** By device, in the order of the log. */
  readonly #lines = new Map<string, ScriptLine[]>();

  constructor({ lines }: Pick<ScriptLinesView, 'lines'>) {
    for (const line of lines) {
      const own = this.#lines.get(line.device);
      if (own === undefined) this.#lines.set(line.device, [line]);
      else own.push(line);
    }
  }

  /** @param at an event, by its index */
  at(device: string, at: number): ScriptLine | undefined {
    return this.#lines.get(device)?.findLast(({ event }) => event - 1 <= at);
  }
}
